import { expect, test, vi } from "vitest";
import { chooseArms, chooseCells, defaultPlacements } from "./arms.ts";
import { languageObstacle, languageReason, noteAbsent, parseClient, peersFor } from "./peers.ts";
import { type Candidate, resolveTransports } from "./transports.ts";

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

const [unix] = (await resolveTransports(["unix"])).candidates;

test.runIf(unix !== undefined && languageObstacle(unix.transport, "python", "clients") === undefined)(
  "a client in Python is added to that on Node, with servers in both languages, and an unknown one is refused",
  async () => {
    const { candidates } = await resolveTransports(["unix", "ws/unix", "loopback"]);
    const client = ["python"];
    const found = chooseArms(candidates, {
      ...{ ...choice, placements: ["unpinned"], modes: ["event"] },
      ...{ peers: peersFor({ client }), clients: client },
    });
    const pairs = found.arms
      .filter(({ transport }) => transport.id === "unix")
      .map(({ clientLanguage, peerLanguage, mode }) => [clientLanguage, peerLanguage, mode]);
    expect(pairs).toEqual([
      [undefined, "node", "event"],
      [undefined, "python", "event"],
      ["python", "node", "event"],
      ["python", "python", "blocking"],
    ]);
    const missing = found.missing.filter(({ client: language }) => language !== undefined);
    expect(new Set(missing.map(({ transport }) => transport))).toEqual(new Set(["ws/unix"]));
    expect(missing[0]).toMatchObject({ status: "not-applicable", reason: "has no client written in python" });
    const [first] = candidates as [Candidate];
    const needs = ["python3", "client.py", "--needs", "ipcmark_no_such_module"] as const;
    const lacking = { ...first, transport: { ...first.transport, clients: { python: needs } } };
    const rows = chooseArms([lacking], { ...choice, peers: ["python"], clients: client }).missing;
    expect(rows.filter(({ client: language }) => language !== undefined)[0]).toMatchObject({
      status: "unavailable",
      reason: expect.stringContaining("no Python of this machine has the module ipcmark_no_such_module; run: "),
    });
    expect(peersFor({ client, peer: ["python"] })).toEqual(["python"]);
    expect(peersFor({}, ["python"])).toEqual(["python"]);
    const silent = { ...choice, peers: undefined, clients: client };
    expect(() => chooseArms(candidates, { ...silent, cells: chooseCells(["pipeline"], [64]) })).toThrow(
      /--client python measures round trips and throughput of bytes, not pipeline/,
    );
    expect(() => parseClient("ruby")).toThrow('unknown client "ruby"; valid: node, python');
  },
);

test("a language of servers that is not here is named with its remedy, and the run counts as incomplete", async () => {
  const [first] = (await resolveTransports(["unix"])).candidates as [Candidate];
  const absent = {
    ...first,
    transport: { ...first.transport, peers: { python: ["ipcmark-none", "peer.py"] as const } },
  };
  const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const isIncomplete = [["node"], ["node", "python"]].map((peers) =>
    noteAbsent({ candidates: [absent], refused: [] }, peers),
  );
  const text = written.mock.calls.join("");
  written.mockRestore();
  expect(isIncomplete).toEqual([false, true]);
  expect(text).toBe("unix did not run with a server in python: ipcmark-none not found; install it\n");
});
