import { describe, expect, it } from "vitest";
import type { Cell } from "../../harness/coordinator/arm.ts";
import type { PairedArm, PairOutcome, PairSide } from "../../harness/coordinator/pairs.ts";
import { judgeBudgets } from "./budgets.ts";
import type { TransportCell } from "./cells.ts";
import { type Gated, Ledger } from "./ledger.ts";
import { lookUntilDecided } from "./looks.ts";
import { tailObstacle } from "./metrics.ts";
import type { GateRow } from "./result.ts";
import { acceptedUpTo, limitsFor, readSettings, refuseUnmeant, withAccepted } from "./settings.ts";
import { DEFAULT_RULE } from "./verdict.ts";
import { tableOf, verdictSentence } from "./words.ts";

const name: TransportCell = { transport: "unix", mode: "event", placement: "same-cpu", payloadBytes: 64 };
const LOOKS = { alpha: 0.01, step: 10 };
const P50: Gated = { metric: "p50", isExtra: false, minEffect: 0.05, tolerance: 0.2 };
const P99: Gated = { metric: "p99", isExtra: true, minEffect: 0.2, tolerance: 0.5 };

function side(ns: number, tail = 2): PairSide {
  return { p50: ns, p99: tail * ns, messageNs: ns, cpuNs: null, messages: 2000 };
}

/** Makes pairs with a scatter of about 2 % in the median and `tailScatter` in the tail. */
function pairOf(at: number, ratio: number, tailRatio = 1, tailScatter = 0.05): PairOutcome {
  const noise = Math.exp(0.02 * Math.sin(at * 2.4));
  const tail = Math.exp(tailScatter * Math.sin(at * 1.7 + 1));
  return { base: side(10_000), head: side(10_000 * ratio * noise, 2 * tailRatio * tail), headFirst: at % 2 === 0 };
}

function ledgerOf(gated: readonly Gated[], count: number, pair: (at: number) => PairOutcome): Ledger {
  const ledger = new Ledger({} as PairedArm, {} as Cell, name, gated);
  for (let at = 1; at <= count; at++) ledger.add(at, pair(at));
  return ledger;
}

describe("the ledger of a cell", () => {
  it("settles equal sides and says what it excluded", () => {
    const ledger = ledgerOf([P50, P99], 10, (at) => pairOf(at, 1));
    expect(ledger.staysOpen(LOOKS)).toBe(false);
    ledger.look(LOOKS, 30);
    const rows = ledger.rows({ ...LOOKS, most: 40 });
    expect([ledger.isOpen, ledger.isUndecided, rows.map(({ outcome }) => outcome)]).toEqual([
      false,
      false,
      ["not-slower", "not-slower"],
    ]);
    expect(verdictSentence({ rows, budgets: [], strict: false })).toMatch(
      /^pass: a slowdown of 20 % or more is excluded in 1 cell \(the worst: \d\.\d %\); a slowdown of p99 of 50 % /,
    );
    expect(tableOf(rows)).toMatch(
      /unix \(event, same-cpu\) 64 B p50 +10\.0 µs +10\.0 µs +[+-]\d.* ns, .* not slower\n +.* to .* %, 95 %/,
    );
  });

  it("finds a tail that is slower while the median is not", () => {
    const ledger = ledgerOf([P50, P99], 20, (at) => pairOf(at, 1, 3));
    ledger.look(LOOKS, 30);
    expect(ledger.rows({ ...LOOKS, most: 40 }).map(({ outcome }) => outcome)).toEqual(["not-slower", "regression"]);
  });

  it("does not go on for a tail that scatters and that nobody asked for", () => {
    const wild = (gated: Gated): Ledger => ledgerOf([P50, gated], 10, (at) => pairOf(at, 1, 1, 1.2));
    const extra = wild(P99);
    expect(extra.staysOpen(LOOKS)).toBe(false);
    extra.look(LOOKS, 30);
    expect([extra.isOpen, extra.rows({ ...LOOKS, most: 40 })[1]?.outcome]).toEqual([false, "untold"]);
    const asked = wild({ ...P99, isExtra: false });
    expect(asked.staysOpen(LOOKS)).toBe(true);
    asked.look(LOOKS, 0);
    const rows = asked.rows({ ...LOOKS, most: 10 });
    expect([asked.isUndecided, rows[1]?.outcome]).toEqual([true, "undecided"]);
    const needed = rows[1]?.needed ?? 0;
    expect(needed).toBeGreaterThan(0);
    expect(verdictSentence({ rows, budgets: [], strict: false, pairMs: 1000 })).toBe(
      `cannot decide: 1 of 1 cell; ${needed} more pairs, about ${needed} s, would tell (--budget)`,
    );
  });

  it("calls a head broken that fails where the base works, and a cell missing where the machine fails", () => {
    const outcomeOf = (headAlone: boolean): string | undefined => {
      const ledger = ledgerOf([P50], 2, () => ({ reason: "head: lost 3 messages", headAlone }));
      ledger.look(LOOKS, 30);
      expect(ledger.isOpen).toBe(false);
      return ledger.rows({ ...LOOKS, most: 40 })[0]?.outcome;
    };
    expect([outcomeOf(true), outcomeOf(false)]).toEqual(["broken", "missing"]);
  });

  it("names what ended a cell, and in how many pairs", () => {
    const failing = (at: number): PairOutcome =>
      at % 5 === 0
        ? { reason: at === 5 ? "base: its driver ended" : "head: lost 3 messages", headAlone: at !== 5 }
        : pairOf(at, 1);
    const ledger = ledgerOf([P50, P99], 10, failing);
    ledger.look(LOOKS, 30);
    const rows = ledger.rows({ ...LOOKS, most: 40 });
    expect(verdictSentence({ rows, budgets: [], strict: false })).toBe(
      "incomplete: 1 of 1 declared cell did not run: unix (event, same-cpu) 64 B: base: its driver ended; " +
        "head: lost 3 messages (2 of 10 pairs failed)",
    );
    const stopped = ["p50", "p99"].map((metric) => ({ ...rows[0], metric, reason: "it crashed" }) as GateRow);
    expect(verdictSentence({ rows: stopped, budgets: [], strict: false })).toMatch(/^incomplete: 1 of 1 declared cell/);
  });

  it("takes no further look for a tail that nobody asked for where the gate is red without it", async () => {
    const looked = async (gated: readonly Gated[], tail: readonly [ratio?: number, scatter?: number] = []) => {
      const ledger = ledgerOf(gated, 0, () => pairOf(0, 1));
      const gate = {
        ...{ ledgers: [ledger], looks: LOOKS, ran: 0, most: 0 },
        affordable: (wanted: (each: Ledger) => boolean) => (wanted(ledger) ? 60 - gate.ran : 0),
        runBlock: (_look: number, pairs: number) => {
          for (let pair = 0; pair < pairs; pair++) ledger.add(++gate.ran, pairOf(gate.ran, 1.15, ...tail));
          return Promise.resolve(true);
        },
      };
      await lookUntilDecided(gate);
      const rows = ledger.rows({ ...LOOKS, most: gate.most });
      return [
        gate.ran,
        ...rows.map(({ outcome, reason, notes }) => [outcome, reason, ...notes].filter(Boolean).join()),
      ];
    };
    const unfinished = "it was not looked at to the end, since the gate is red without it";
    expect(await looked([P50, P99])).toEqual([10, "regression", `not-slower,${unfinished}`]);
    expect(await looked([P50, P99], [1.2, 0.5])).toEqual([10, "regression", `untold,${unfinished}`]);
    const toTheEnd = [60, "regression", "not-slower"];
    expect(await looked([P50, { ...P99, isExtra: false }])).toEqual(toTheEnd);
    expect(await looked([{ ...P50, accepted: 0.2 }, P99])).toEqual(toTheEnd);
    expect(await looked([{ ...P50, accepted: 0.1 }, P99])).toEqual([10, "regression", `not-slower,${unfinished}`]);
  });

  it("cannot tell a metric that was not measured", () => {
    const ledger = ledgerOf([{ ...P50, metric: "cpu" }], 10, (at) => pairOf(at, 1));
    ledger.look(LOOKS, 0);
    const rows = ledger.rows({ ...LOOKS, most: 10 });
    expect(rows).toMatchObject([{ outcome: "untold", reason: "it was not measured in every pair" }]);
    expect(verdictSentence({ rows, budgets: [], strict: false })).toBe(
      "cannot decide: it was not measured in every pair",
    );
  });

  it("takes no second look at the same pairs", () => {
    const ledger = ledgerOf([P50], 10, (at) => pairOf(at, 1.07));
    ledger.look(LOOKS, 30);
    ledger.look(LOOKS, 30);
    expect(ledger.rows({ ...LOOKS, most: 40 })[0]?.evidence?.looks).toBe(1);
  });
});

it("says why a tail cannot be told", () => {
  expect(tailObstacle(100_000, { messages: 2000, pairs: 10 })).toBeUndefined();
  expect(tailObstacle(2_000_000, { messages: 2000, pairs: 10 })).toContain("2.00 ms late");
  expect(tailObstacle(100_000, { messages: 900, pairs: 10 })).toContain("fewer than 100 beyond");
  expect(tailObstacle(undefined, { messages: 2000, pairs: 10 })).toContain("canary");
});

describe("the lists of a configuration", () => {
  const SETTINGS = {
    limits: [{ cell: "unix 64", tolerance: "10%" }],
    budgets: [
      { cell: "unix", atMost: "9us" },
      { cell: "unix", atMost: "1.2 x tcp" },
    ],
    accept: [{ cell: "unix", atMost: "15%", until: "2026-12-31", reason: "the new check of lengths" }],
  };
  const settings = readSettings(SETTINGS);
  const tcp = { ...name, transport: "tcp" };

  it("limits the cells that they mean, and refuses names of no cell", () => {
    const of = { rule: DEFAULT_RULE, typed: {}, settings };
    expect(limitsFor(name, "p50", of)).toEqual({ minEffect: 0.05, tolerance: 0.1 });
    expect(limitsFor(tcp, "p50", of)).toEqual({ minEffect: 0.05, tolerance: 0.2 });
    expect(limitsFor(tcp, "p99", { ...of, typed: { tolerance: 0.3 } })).toEqual({ minEffect: 0.2, tolerance: 0.3 });
    expect(() => refuseUnmeant(settings, [name, tcp])).not.toThrow();
    expect(() => refuseUnmeant(settings, [name])).toThrow('"tcp" is no transport of this gate');
    expect(() => refuseUnmeant(settings, [tcp])).toThrow('no cell of this gate is called "unix 64"');
  });

  it("are refused with the entry and what it should be", () => {
    const refused: readonly (readonly [object, string])[] = [
      [{ budgets: [{ cell: "unix", atMost: "fast" }] }, 'gate.budgets, entry 1: "atMost" is "fast" and must be a time'],
      [{ budgets: [{ cell: "unix", metric: "p95", atMost: "1us" }] }, "one of p50, p99"],
      [{ accept: [{ ...SETTINGS.accept[0], until: "soon" }] }, "must be a date"],
      [{ accept: [{ ...SETTINGS.accept[0], until: "2026-02-30" }] }, '"until" is "2026-02-30" and must be a date'],
      [{ accept: [{ ...SETTINGS.accept[0], until: undefined }] }, '"until" is missing and must be a date'],
      [{ limits: {} }, "gate.limits of the configuration must be a list"],
      [{ limits: [{ cell: "", tolerance: "10%" }] }, '"cell" is "" and must be a text'],
    ];
    for (const [values, words] of refused) expect(() => readSettings(values)).toThrow(words);
  });

  it("accept a regression until its date and up to its size", () => {
    const ledger = ledgerOf([P50], 20, (at) => pairOf(at, 1.1));
    ledger.look(LOOKS, 0);
    const rows = ledger.rows({ ...LOOKS, most: 20 });
    const on = (day: string, from = rows): [boolean, string] => {
      const [row] = withAccepted(from, settings, day);
      return [row?.accepted !== undefined, row?.notes.join() ?? ""];
    };
    expect(on("2026-12-31")).toEqual([true, expect.stringContaining("the new check of lengths")]);
    expect(on("2027-01-01")).toEqual([false, expect.stringContaining("that date is over")]);
    const upTo = (day: string, cell = name) => acceptedUpTo(settings, cell, "p50", day);
    expect([upTo("2026-12-31"), upTo("2027-01-01"), upTo("2026-12-31", tcp)]).toEqual([0.15, undefined, undefined]);
    const larger = ledgerOf([P50], 20, (at) => pairOf(at, 1.3));
    larger.look(LOOKS, 0);
    expect(on("2026-12-31", larger.rows({ ...LOOKS, most: 20 }))).toEqual([
      false,
      expect.stringContaining("and it is 30"),
    ]);
  });

  it("budget the head in time, and relative to another transport of the same rounds", () => {
    const slow = ledgerOf([P50], 10, (at) => pairOf(at, 1));
    // The other one gets slower from round to round, and so does the machine: only the ratio is steady.
    const drift = (at: number, factor: number): PairOutcome => pairOf(at, factor * 1.3 ** at);
    const [one, other] = [1.3, 1].map((factor) => ledgerOf([P50], 10, (at) => drift(at, factor)).pairs);
    const absolute = judgeBudgets(settings.budgets.slice(0, 1), {
      rows: [],
      pairs: [{ cell: name, pairs: slow.pairs }],
    });
    expect(absolute).toMatchObject([{ outcome: "broken", atMost: "9.00 µs", isAbsolute: true }]);
    const pairs = [
      { cell: name, pairs: one ?? [] },
      { cell: tcp, pairs: other ?? [] },
    ];
    const relative = judgeBudgets(settings.budgets.slice(1), { rows: [], pairs });
    expect(relative).toMatchObject([{ outcome: "broken", atMost: "1.2 x tcp", isAbsolute: false }]);
    expect(relative).toMatchObject([{ found: expect.closeTo(1.3, 6) }]);
  });
});
