import { describe, expect, it } from "vitest";
import { randomFrom } from "../../harness/results/random.ts";
import { changePoints } from "./change-points.ts";
import { type DriftRow, driftExitCode, driftsIn, driftWords } from "./drift.ts";
import type { HistoryEntry } from "./history.ts";

const RUNS = 60;
const FIVE = [10, 20, 30, 40, 50];
const ENTRY: HistoryEntry = {
  date: "2026-01-01T00:00:00.000Z",
  commit: "0123456789abcdef",
  dirty: false,
  cell: "unix",
  unit: "ns",
  lower: true,
  value: 1,
  ratio: 1,
  controlNs: null,
  toControl: null,
  machine: "m",
};

/** Values that scatter by 3 %, one in twenty 20 % too high; the level rises by 4 % at each step. */
function simulated(seed: number, steps: readonly number[], entry: Partial<HistoryEntry> = {}): HistoryEntry[] {
  const random = randomFrom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: RUNS }, (_, at) => {
    const level = 1.04 ** steps.filter((step) => step <= at).length;
    const value = 20_000 * level * Math.exp(0.03 * normal()) * (random() < 0.05 ? 1.2 : 1);
    return { ...ENTRY, commit: `commit${at}`, value, ...entry };
  });
}

const drifts = (entries: readonly HistoryEntry[], tolerance = 0.1): DriftRow[] =>
  driftsIn(entries, tolerance, randomFrom(1));

describe("change points", () => {
  it("are found where they are, and nowhere else", () => {
    const level = (at: number): number => (at < 20 ? 1 : at < 45 ? 1.3 : 0.9);
    const values = Array.from({ length: RUNS }, (_, at) => level(at) + 0.01 * Math.sin(at * 2.4));
    expect(changePoints(values, 0.01, randomFrom(1))).toEqual([20, 45]);
    expect(changePoints(values.slice(0, 20), 0.01, randomFrom(1))).toEqual([]);
    expect(changePoints(new Array(RUNS).fill(5), 0.01, randomFrom(1))).toEqual([]);
    expect(changePoints([1, 1, 1, 1, 9, 9, 9, 9], 0.01, randomFrom(1))).toEqual([]);
  });

  it("are claimed without a change in about as many series as the level states", () => {
    const claimed = Array.from({ length: 300 }, (_, seed) =>
      changePoints(
        simulated(seed, []).map(({ value }) => value),
        0.05,
        randomFrom(seed),
      ),
    ).filter((found) => found.length > 0).length;
    // Binomial with 5 %: 15 expected; 29 or more, or fewer than 4, have a probability below 0.1 %.
    expect(claimed).toBeLessThan(29);
    expect(claimed).toBeGreaterThan(3);
  });
});

describe("drift", () => {
  it("of five times 4 % is found, and none where there is none", () => {
    const alarms = (steps: readonly number[]): number =>
      Array.from({ length: 60 }, (_, seed) => drifts(simulated(seed, steps))).filter(
        ([row]) => row?.outcome === "drift",
      ).length;
    expect(alarms([])).toBe(0);
    expect(alarms(FIVE)).toBeGreaterThanOrEqual(57);
  });

  it("names size, steps and commits, and is red", () => {
    const rows = drifts([...simulated(3, FIVE), ...simulated(4, [], { cell: "tcp" })]);
    expect(rows.map(({ cell, outcome }) => [cell, outcome])).toEqual([
      ["unix", "drift"],
      ["tcp", "steady"],
    ]);
    expect(rows[0]?.ratio).toBeGreaterThan(1.12);
    expect(rows[0]?.ratio).toBeLessThan(1.3);
    expect(driftWords(rows[0] as DriftRow, 0.1)).toMatch(
      /^DRIFT {3}\+\d+\.\d % above its best, 10\.0 % accepted; \+.* at commit\d.*; 60 runs, without the frozen echo$/,
    );
    expect([driftExitCode(rows), driftExitCode(rows.slice(1))]).toEqual([20, 0]);
    expect(drifts(simulated(3, FIVE), 0.4)[0]?.outcome).toBe("steady");
  });

  it("is a fall where more is better", () => {
    const falling = simulated(5, FIVE).map((entry) => ({ ...entry, value: 1e9 / entry.value, lower: false }));
    const rising = falling.map((entry) => ({ ...entry, lower: true }));
    expect([drifts(falling)[0]?.outcome, drifts(rising)[0]?.outcome]).toEqual(["drift", "steady"]);
  });

  it("is not made of machines that differ, nor of one that got slower together with the frozen echo", () => {
    const [fast, slow] = [simulated(6, []), simulated(7, [])];
    const slower = slow.map((entry) => ({ ...entry, value: 2 * entry.value }));
    const rows = drifts([...fast.slice(0, 30), ...slower.slice(0, 30).map((entry) => ({ ...entry, machine: "n" }))]);
    expect(rows.map(({ machine, outcome }) => [machine, outcome])).toEqual([
      ["m", "steady"],
      ["n", "steady"],
    ]);
    expect(drifts([...fast.slice(0, 30), ...slower.slice(0, 30)])[0]?.outcome).toBe("drift");
    const controlled = (entries: readonly HistoryEntry[], controlNs: number): HistoryEntry[] =>
      entries.slice(0, 30).map((entry) => ({ ...entry, controlNs }));
    const [row] = drifts([...controlled(fast, 1000), ...controlled(slower, 2000)]);
    expect(row).toMatchObject({ outcome: "steady", level: "control" });
    const bytes = [...controlled(fast, 1000), ...controlled(fast, 2000)].map((entry) => ({ ...entry, unit: "B" }));
    expect(drifts(bytes)[0]).toMatchObject({ outcome: "steady", level: "value" });
  });

  it("cannot be told from a few runs", () => {
    const rows = drifts(simulated(1, FIVE).slice(0, 9));
    expect(rows).toMatchObject([{ outcome: "too-few", entries: 9 }]);
    expect([driftExitCode(rows), driftWords(rows[0] as DriftRow, 0.1)]).toEqual([
      21,
      "cannot decide  9 runs, and 10 are needed",
    ]);
  });
});
