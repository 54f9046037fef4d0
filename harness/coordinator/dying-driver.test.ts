import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { BENCHMARKS } from "../../scenarios/benchmarks/index.ts";
import { loadTransport } from "../process/load-transport.ts";
import type { Measurement } from "../results/model.ts";
import { type Arm, placeArm } from "./arm.ts";
import { measure } from "./measure.ts";
import { silent } from "./progress.ts";
import { withBrood } from "./vitest-adapter.ts";

const module = fileURLToPath(new URL("./fixtures/deadly.ts", import.meta.url));
const ROUNDS = 3;
/** Long enough for two processes to start on a busy machine. */
const SILENCE_MS = 5000;

async function armOf(id: string, from: string | null): Promise<Arm> {
  const reference = { id, module: from };
  const transport = await loadTransport(reference);
  const base = { mode: "event", placement: "unpinned", peerLanguage: "node" } as const;
  const placed = placeArm({ transport, reference, version: "", ...base });
  if ("reason" in placed) throw new Error(placed.reason);
  return placed.arm;
}

/** A deadly arm beside a healthy one, each with a small cell and a large one: only the deadly arm's large one strikes. */
async function measureBeside(id: string): Promise<readonly Measurement[]> {
  const arms = [await armOf(id, module), await armOf("stdio", null)];
  const benchmark = BENCHMARKS.find(({ name }) => name === "round-trip");
  if (benchmark === undefined) throw new Error("no round-trip");
  const cells = [64, 65_536].map((payloadBytes) => ({ benchmark, variant: {}, payloadBytes }));
  const length = { rule: "fixed", effort: "quick", trials: ROUNDS, strict: false } as const;
  const request = { arms, cells, length, messages: 100, seed: 1, controls: false, silenceMs: SILENCE_MS };
  return (await withBrood((brood, place) => measure(brood, place, request, silent))).measurements;
}

const brief = (rows: readonly Measurement[]): string[] =>
  rows.map(({ transport, payloadBytes, status }) => `${transport} ${payloadBytes}: ${status}`);

describe("a driver that ends in the middle of a cell", () => {
  it.for([
    ["deadly/crash", /trial 1: the driver process was ended by SIGKILL/],
    ["deadly/exit", /trial 1: the driver process exited with code 7/],
    ["deadly/hang", /trial 1: the driver process hung: it said nothing for \d+ s/],
  ] as const)("fails that cell with its reason, and everything else goes on: %s", async ([id, reason]) => {
    const rows = await measureBeside(id);
    expect(brief(rows)).toEqual([
      `${id} 64: measured`,
      `${id} 65536: failed`,
      "stdio 64: measured",
      "stdio 65536: measured",
    ]);
    expect(rows[1]?.reason).toMatch(reason);
    // Twice is enough: from then on the cell is left out, and the small one has every trial.
    expect(rows[0]?.trials.length).toBeGreaterThanOrEqual(ROUNDS - 2);
    expect(rows[2]?.trials.map(({ status }) => status)).toEqual(["valid", "valid", "valid"]);
    expect(rows[3]?.trials.map(({ status }) => status)).toEqual(["valid", "valid", "valid"]);
  });
});
