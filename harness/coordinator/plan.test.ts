import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BENCHMARKS } from "../../scenarios/benchmarks/index.ts";
import { loopback } from "../../transports/loopback/loopback.ts";
import type { Arm, Cell } from "./arm.ts";
import { cellKey, cellReason } from "./arm.ts";
import { type GroupPace, planRun } from "./plan.ts";
import { isLook, relativeHalfWidth, roundsLeft, type StopRule, whyStop } from "./stop-rule.ts";

const arm: Arm = {
  transport: loopback,
  reference: { id: "loopback", module: null },
  version: "",
  mode: "event",
  placement: "two-cpus",
  peerLanguage: "node",
  cpus: { driver: "0", peer: "1", driverPin: [], peerPin: [], readyPin: [] },
};

function cell(name: string, payloadBytes: number, variant: Cell["variant"] = {}): Cell {
  const benchmark = BENCHMARKS.find((each) => each.name === name);
  if (benchmark === undefined) throw new Error(name);
  return { benchmark, payloadBytes, variant };
}

const pace = (name: string, payloadBytes: number, messagesPerSecond: number) => ({
  cell: cell(name, payloadBytes),
  messagesPerSecond,
});

const paces: readonly GroupPace[] = [
  {
    overheadMs: 200,
    arms: [
      {
        arm,
        paces: [pace("round-trip", 64, 20_000), pace("round-trip", 4096, 15_000), pace("throughput", 64, 1e6)],
      },
    ],
  },
  {
    overheadMs: 400,
    arms: [{ arm: { ...arm }, paces: [pace("round-trip", 64, 500), pace("round-trip", 16 * 1024 * 1024, 8)] }],
  },
];

const request = { effort: "default", rounds: { least: 6, most: 1000 }, extraMs: 500, messages: undefined } as const;

describe("the plan", () => {
  it.for([20_000, 30_000, 120_000])("fills a budget of %i ms to within a round", (leftMs) => {
    const plan = planRun(paces, { ...request, leftMs });
    const plannedMs = plan.rounds * plan.roundMs;
    expect(plannedMs).toBeLessThanOrEqual(leftMs * 1.01);
    expect(leftMs - plannedMs).toBeLessThanOrEqual(plan.roundMs);
  });

  const countsFor = (leftMs: number): (readonly [string, number])[] =>
    planRun(paces, { ...request, leftMs })
      .groups.flatMap(({ arms }) => arms)
      .flatMap(({ cells }) => cells.map((each) => [cellKey(each.cell), each.messages] as const));

  it("without time has six rounds of what a p50 needs", () => {
    const plan = planRun(paces, { ...request, leftMs: 1 });
    expect(plan.rounds).toBe(6);
    expect(countsFor(1)).toEqual([
      // 20 ms, but 50 messages where these take longer; what takes very long is cut down.
      ["round-trip, 64 B", 400],
      ["round-trip, 4096 B", 300],
      ["throughput, 64 B", 20_000],
      ["round-trip, 64 B", 50],
      ["round-trip, 16777216 B", 5],
    ]);
  });

  it("gives small sizes the samples their p99 needs, the cheapest first, before anything else gets more", () => {
    const short = countsFor(14_000);
    expect(short[0]?.[1]).toBeGreaterThanOrEqual(334);
    expect(short[1]?.[1]).toBeGreaterThanOrEqual(334);
    expect(short[3]?.[1]).toBeLessThan(334);
    const longer = countsFor(25_000);
    expect(longer[3]?.[1]).toBeGreaterThanOrEqual(334);
    // Too slow for a p99 in its time: p50 only.
    expect(longer[4]?.[1]).toBeLessThan(50);
  });

  it("takes the counts it is given", () => {
    const plan = planRun(paces, { ...request, leftMs: 60_000, messages: 123 });
    expect(
      plan.groups.flatMap(({ arms }) => arms).flatMap(({ cells }) => cells.map(({ messages }) => messages)),
    ).toEqual([123, 123, 123, 123, 123]);
  });

  it("grows linearly with the cells", () => {
    const one = planRun(paces.slice(0, 1), { ...request, extraMs: 0, leftMs: Number.POSITIVE_INFINITY });
    const two = planRun([...paces.slice(0, 1), ...paces.slice(0, 1)], {
      ...request,
      extraMs: 0,
      leftMs: Number.POSITIVE_INFINITY,
    });
    expect(two.roundMs).toBeCloseTo(2 * one.roundMs, 6);
  });
});

const state = { roundMs: 1000, p50s: () => [[1, 1, 1, 1, 1, 1]] };

describe("the length of a run", () => {
  it("with a budget is whole rounds, and ends within half a round of the time", () => {
    const length: StopRule = { rule: "budget", effort: "default", least: 6, most: 100, budgetMs: 20_000, strict: true };
    expect(whyStop(length, { ...state, done: 7, elapsedMs: 19_000 })).toBeUndefined();
    expect(whyStop(length, { ...state, done: 7, elapsedMs: 19_600 })).toMatch(/the time was used/);
    expect(whyStop(length, { ...state, done: 3, elapsedMs: 19_600 })).toBeUndefined();
    // A strict budget is kept even when the machine has become so slow that fewer rounds than wanted fit.
    expect(whyStop(length, { ...state, done: 3, elapsedMs: 21_500 })).toMatch(/the time was used/);
  });

  it("without a promise never stops below the rounds an interval needs", () => {
    const length: StopRule = {
      rule: "budget",
      effort: "default",
      least: 6,
      most: 100,
      budgetMs: 20_000,
      strict: false,
    };
    expect(whyStop(length, { ...state, done: 5, elapsedMs: 60_000 })).toBeUndefined();
  });

  it("with --until looks after 10, 20, 40, 80, 160 rounds and at no other time", () => {
    const looks = Array.from({ length: 200 }, (_, index) => index).filter(isLook);
    expect(looks).toEqual([10, 20, 40, 80, 160]);
    const length: StopRule = { rule: "until", effort: "default", target: 0.03, most: 160 };
    const narrow = { ...state, elapsedMs: 0 };
    expect(whyStop(length, { ...narrow, done: 10 })).toMatch(/within ±3 %/);
    expect(whyStop(length, { ...narrow, done: 11 })).toBeUndefined();
    const wide = {
      ...narrow,
      p50s: () => [
        [1, 1, 1, 1, 1, 1],
        [1, 2, 3, 4, 5, 6],
      ],
    };
    expect(whyStop(length, { ...wide, done: 10 })).toBeUndefined();
    expect(whyStop(length, { ...wide, done: 160 })).toMatch(/the cap of 160 rounds/);
  });

  it("foresees the rounds of its rule, and never less than one", () => {
    const at = { done: 4, elapsedMs: 4000, roundMs: 1000 };
    const budget: StopRule = { rule: "budget", effort: "default", least: 6, most: 30, budgetMs: 20_000, strict: false };
    expect(roundsLeft(budget, at)).toBe(16);
    expect(roundsLeft(budget, { ...at, roundMs: 400 }), "no more than there may be").toBe(26);
    expect(roundsLeft(budget, { ...at, elapsedMs: 19_900 }), "those an interval needs").toBe(2);
    expect(roundsLeft(budget, { ...at, done: 8, elapsedMs: 19_900 })).toBe(1);
    expect(roundsLeft({ rule: "fixed", effort: "quick", trials: 7, strict: false }, at)).toBe(3);
    const until: StopRule = { rule: "until", effort: "default", target: 0.03, most: 160 };
    expect([4, 10, 39, 100].map((done) => roundsLeft(until, { ...at, done }))).toEqual([6, 10, 1, 60]);
  });

  it("takes fewer than six trials for infinitely wide", () => {
    expect(relativeHalfWidth([1, 1, 1])).toBe(Number.POSITIVE_INFINITY);
    expect(relativeHalfWidth([90, 95, 100, 100, 105, 110])).toBeCloseTo(0.1, 10);
  });
});

it("makes windows of a workload long enough for a p99 where that is the question", () => {
  const slow = { cell: cell("workload", 64, { clients: 1, ratePerSecond: 100 }), messagesPerSecond: 100 };
  const request = {
    effort: "quick",
    rounds: { least: 6, most: 6 },
    leftMs: 3000,
    extraMs: 0,
    messages: undefined,
  } as const;
  const messages = (forP99: boolean): number | undefined =>
    planRun([{ overheadMs: 0, arms: [{ arm, paces: [slow] }] }], { ...request, forP99 }).groups[0]?.arms[0]?.cells[0]
      ?.messages;
  expect(messages(false)).toBeLessThan(100);
  expect(messages(true)).toBeGreaterThanOrEqual(334);
});

describe("a cell that cannot be", () => {
  it("says why", () => {
    const { capabilities } = loopback;
    const lockstep: Arm = { ...arm, transport: { ...loopback, capabilities: { ...capabilities, maxInFlight: 1 } } };
    expect(cellReason(lockstep, cell("pipeline", 64, { inFlight: 4 }))).toMatch(/at most 1 requests in flight/);
    expect(cellReason(arm, cell("fan-in", 64, { clients: 2 }))).toMatch(/no other process can reach/);
    expect(cellReason({ ...arm, placement: "same-cpu" }, cell("load-curve", 64, { ratePerSecond: 1000 }))).toMatch(
      /CPU of its own/,
    );
    expect(cellReason(arm, cell("one-way-latency", 64))).toMatch(/share a process/);
    expect(cellReason(arm, cell("workload", 64, { clients: 1 }))).toBeUndefined();
    expect(cellReason(arm, cell("workload", 64, { clients: 2 }))).toMatch(
      /no other process can reach its server: 1 client/,
    );
    const shared = { ...capabilities, rendezvous: "address", maxClients: 4 } as const;
    const few: Arm = { ...arm, transport: { ...loopback, capabilities: shared } };
    expect(cellReason(few, cell("workload", 64, { clients: 4 }))).toBeUndefined();
    expect(cellReason(few, cell("workload", 64, { clients: 5 }))).toMatch(/serves at most 4 clients, not 5/);
    const onOneCpu: Arm = { ...few, placement: "same-cpu" };
    expect(cellReason(onOneCpu, cell("workload", 64, { clients: 4, ratePerSecond: 3000 }))).toBeUndefined();
    expect(cellReason(onOneCpu, cell("workload", 64, { clients: 4, ratePerSecond: 5000 }))).toMatch(/stay awake/);
    const mix = [
      { bytes: 64, share: 0.9 },
      { bytes: capabilities.maxMessageBytes, share: 0.1 },
    ];
    expect(cellReason(arm, cell("workload", 64, { mix }))).toMatch(/carries at most/);
    expect(cellReason(arm, cell("round-trip", 64))).toBeUndefined();
  });

  it("has a name of its own among all variants", () => {
    const keys = BENCHMARKS.flatMap((benchmark) =>
      benchmark.variants.map((variant) => cellKey({ benchmark, variant, payloadBytes: 64 })),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("the frozen echo", () => {
  it("is frozen: a change of it makes old and new reports incomparable", () => {
    const text = readFileSync(new URL("../control/echo.mjs", import.meta.url));
    expect(createHash("sha256").update(text).digest("hex")).toBe(
      "75bccfc9a0b70d64416961c3a8b57cf5e8729014c0962c2fb3a65e2684dd8f1e",
    );
  });
});
