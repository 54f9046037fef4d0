import { expect, test } from "vitest";
import { chooseArms, chooseCells, defaultPlacements } from "./arms.ts";
import { languageReason } from "./peers.ts";
import { resolveTransports } from "./transports.ts";

const choice = { placements: ["same-cpu", "two-cpus"], modes: undefined, cells: chooseCells(undefined, [64]) } as const;

const [python] = (await resolveTransports(["python-connection"])).candidates;
const possible = python !== undefined && languageReason(python.transport, "python") === undefined;

test.runIf(possible && defaultPlacements().length === 2)(
  "an overview has python-connection with a Python server alone, on two CPUs, and otherwise nothing twice",
  async () => {
    const { candidates } = await resolveTransports(["python-connection", "unix"]);
    const { arms, missing } = chooseArms(candidates, { ...choice, peers: undefined, overview: true });
    const rows = arms.map(({ transport, peerLanguage, placement, mode }) => [
      transport.id,
      peerLanguage,
      placement,
      mode,
    ]);
    expect(rows).toEqual([
      ["python-connection", "python", "two-cpus", "event"],
      ["unix", "node", "same-cpu", "event"],
      ["unix", "node", "two-cpus", "event"],
    ]);
    expect(new Set(missing.map(({ transport, placement }) => `${transport} ${placement}`))).toEqual(
      new Set(["python-connection same-cpu"]),
    );
    const both = chooseArms(candidates.slice(0, 1), { ...choice, peers: ["node", "python"], overview: true });
    expect(both.arms).toHaveLength(4);
    expect(both.arms.find(({ peerLanguage }) => peerLanguage === "python")?.peerProgram).toMatch(/python/);
  },
);
