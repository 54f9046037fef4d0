import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { BENCHMARKS } from "../../../scenarios/benchmarks/index.ts";
import { type Cell, placeArm } from "../../coordinator/arm.ts";
import { silent } from "../../coordinator/progress.ts";
import { measure } from "../../coordinator/run-measurements.ts";
import { loadTransport } from "../../process/load-transport.ts";
import type { Measurement, ServerMemory } from "../../results/model.ts";
import { perClient } from "../../results/server-memory.ts";
import { withSupervisor } from "../../testing/vitest-adapter.ts";
import { MODELS } from "./index.ts";
import { schedule, scheduleMissed } from "./schedule.ts";

const FAULTY = fileURLToPath(new URL("../../../scenarios/mutants/faulty.ts", import.meta.url));
const SCHEDULED = ["paced", "one-way"];

async function run(
  id: string,
  module: string | null,
  cells: readonly Cell[],
  messages: number,
): Promise<Measurement[]> {
  const reference = { id, module };
  const transport = await loadTransport(reference);
  const how = { mode: "event", placement: "unpinned", peerLanguage: "node" } as const;
  const placed = placeArm({ transport, reference, version: "", ...how });
  if ("reason" in placed) throw new Error(placed.reason);
  const stopRule = { rule: "fixed", effort: "quick", trials: 1, strict: false } as const;
  const request = { arms: [placed.arm], cells, stopRule, messages, seed: 1, controls: false };
  return [...(await withSupervisor((supervisor, place) => measure(supervisor, place, request, silent))).measurements];
}

/** Variant without a rate, which a busy machine may not keep. */
const MIXED = {
  clients: 2,
  workMicros: 20,
  mix: [
    { bytes: 64, share: 0.9 },
    { bytes: 70_000, share: 0.1 },
  ],
};

const VARIANTS: Readonly<Record<string, Cell["variant"]>> = {
  pipeline: { inFlight: 16, batched: true },
  workload: MIXED,
  "clients-memory": { clients: 3 },
};

const startsServers = ({ model }: (typeof BENCHMARKS)[number]): boolean =>
  ["cold-start", "clients-memory"].includes(model);

/** Picks the cheap last variant of a benchmark: two clients, the lowest rate, the deepest pipeline. */
function cellOf(benchmark: (typeof BENCHMARKS)[number]): Cell {
  const usual = benchmark.variants.find(({ clients }) => clients === 2) ?? benchmark.variants[0];
  return { benchmark, variant: VARIANTS[benchmark.name] ?? usual, payloadBytes: 100 };
}

const reasonOf = (row: Measurement): string => (row.status === "measured" ? "" : row.reason);

describe("every benchmark", () => {
  it("names a model, and every model has a benchmark and the id it is found by", async () => {
    for (const [id, load] of Object.entries(MODELS)) expect((await load()).id).toBe(id);
    const used = new Set(BENCHMARKS.map(({ model }) => model));
    expect([...used].sort()).toEqual(Object.keys(MODELS).sort());
  });

  it("runs once over unix, verified at the receiver, with the figures its model promises", async () => {
    // Codecs are arms of their own, with a test of their own beside their model.
    const plain = BENCHMARKS.filter(({ model }) => model !== "codec-round-trip");
    const [starts, others] = [plain.filter(startsServers), plain.filter((each) => !startsServers(each))];
    const rows = await run("unix", null, others.map(cellOf), 300);
    rows.push(...(await run("unix", null, starts.map(cellOf), 2)));
    for (const row of rows) {
      // A busy machine may keep the driver from its schedule: the point is then refused, which is the right answer.
      const refused = SCHEDULED.includes(row.model) && /refused|CPU|beyond the knee/.test(reasonOf(row));
      if (refused) continue;
      if (row.status !== "measured") throw new Error(`${row.benchmark}: ${row.status}: ${row.reason}`);
      expect([row.lost, row.duplicated, row.reordered]).toEqual([0, 0, 0]);
      const sampled = !["stream", "fan-out", "idle", "clients-memory"].includes(row.model);
      expect([row.benchmark, row.latencyNs !== undefined]).toEqual([row.benchmark, sampled]);
      if (row.model === "idle") expect(row.idleCpuShare).toBeLessThan(2);
      if (row.model === "open-close")
        expect(Object.keys(row.phasesNs ?? {})).toEqual(["connect", "firstReply", "close"]);
      if (row.model === "cold-start")
        expect(Object.keys(row.phasesNs ?? {})).toEqual(["start", "connect", "firstReply", "secondReply"]);
      if (row.model === "clients-memory") {
        expect(row.serverMemory).toMatchObject({ one: { processes: 1 }, all: { processes: 1 } });
        // A connection is a descriptor of the server.
        expect(perClient(row.serverMemory as ServerMemory, row.clients)).toMatchObject({ descriptors: 1, threads: 0 });
      }
      if (SCHEDULED.includes(row.model)) expect(row.latenessNs?.histogram).toBeTypeOf("string");
    }
  });

  // A warm-up may end with a step of one: it was lost by definition, and took the cell with it.
  it("one-way stamps arrivals however short its window is", async ({ skip }) => {
    const cells = BENCHMARKS.filter(({ model }) => model === "one-way").map(cellOf);
    let [row] = await run("unix", null, cells, 1);
    // A machine that was late for the schedule is refused, and has a few more chances.
    for (let attempt = 1; attempt < 5 && row && /behind its schedule/.test(reasonOf(row)); attempt++) {
      [row] = await run("unix", null, cells, 1);
    }
    if (row && /behind its schedule/.test(reasonOf(row))) skip("this machine was late for each of five windows");
    expect([row?.status, row && reasonOf(row)]).toEqual(["measured", ""]);
  });

  // Side by side: most of it is waiting for messages that do not come.
  it.concurrent.for(["drop", "corrupt"])("is invalid where a message suffers from %s", async (fault, { expect }) => {
    const cells = BENCHMARKS.filter(({ name }) => ["pipeline", "load-curve"].includes(name)).map(cellOf);
    const fast = cells.map((cell) =>
      cell.benchmark.name === "load-curve" ? { ...cell, variant: { ratePerSecond: 5000 } } : cell,
    );
    const rows = await run(`faulty/${fault}`, FAULTY, fast, 1500);
    // On a machine too busy for the rate there is no such point; the pipeline is there on any.
    const there = rows.filter((row) => !reasonOf(row).includes("beyond the knee"));
    expect(there.map(({ benchmark }) => benchmark)).toContain("pipeline");
    expect(there.map(({ status }) => status)).toEqual(there.map(() => "failed"));
  });
});

describe("the schedule of an open loop", () => {
  it("is every 1/rate, or of the same mean with exponential gaps", () => {
    expect([...schedule(3, 1000, "fixed", 0)]).toEqual([0, 1e6, 2e6]);
    const poisson = schedule(20_000, 1000, "poisson", 3);
    const gaps = poisson.slice(1).map((at, index) => at - (poisson[index] as number));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(mean / 1e6).toBeCloseTo(1, 1);
    // An exponential distribution has a deviation equal to its mean.
    expect(deviation / mean).toBeCloseTo(1, 1);
    expect(schedule(5, 1000, "poisson", 3)).toEqual(poisson.slice(0, 5));
  });

  it("is missed when the driver falls behind for good, and not by one stall", () => {
    const due = schedule(1000, 1000, "fixed", 0);
    const behind = due.map((at) => at * 0.2);
    const stalled = due.map((_, index) => (index === 500 ? 400e6 : 1000));
    expect(scheduleMissed(behind, due, 1000)).toMatch(/fell 1\d\d\.\d ms behind its schedule of 1000 messages/);
    expect(scheduleMissed(stalled, due, 1000)).toBeUndefined();
  });
});
