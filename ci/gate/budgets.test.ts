import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Budget, budgetWords, comparedWithC, judgeBudgets } from "./budgets.ts";
import type { CommandCell, TransportCell } from "./cells.ts";
import { PlainC } from "./plain-c.ts";
import {
  type BudgetRow,
  type CRecord,
  exitCodeOf,
  type GateRow,
  type PrintedValue,
  type RowOutcome,
} from "./result.ts";
import { readSettings, refuseUnmeant } from "./settings.ts";
import { verdictSentence } from "./words.ts";

const unix: TransportCell = { transport: "unix", mode: "event", placement: "same-cpu", payloadBytes: 64 };
const ROUNDS = Array.from({ length: 10 }, (_, index) => index + 1);
/** The machine gets slower from round to round: only ratios within a round are steady. */
const drift = (round: number): number => 10_000 * 1.2 ** round;

const budgetsOf = (budgets: readonly object[], kind: "transports" | "command" = "transports"): readonly Budget[] =>
  readSettings({ budgets }, kind).budgets;

const outcomesOf = (rows: readonly BudgetRow[]): string[] => rows.map(({ outcome }) => outcome);

describe("a budget in multiples of plain C", () => {
  const pairs = ROUNDS.map((round) => {
    const side = { p50: drift(round), p99: 5 * drift(round), messageNs: drift(round), cpuNs: null, messages: 100 };
    return { round, base: side, head: side, headFirst: false };
  });
  /** Plain C takes half the time. */
  const c = (rounds = ROUNDS): CRecord => {
    const cell = { ...unix, transport: "c/unix", mode: "blocking" } as const;
    const figures = rounds.map((round) => {
      return { round, p50: drift(round) / 2, p99: drift(round), messageNs: drift(round) / 2 };
    });
    return {
      cells: [
        { cell: { ...cell, payloadBytes: 4096 }, rounds: [] },
        { cell, rounds: figures },
      ],
    };
  };
  const judge = (atMost: string, cBaseline: CRecord, metric = "p50"): BudgetRow[] => {
    return judgeBudgets(budgetsOf([{ cell: "unix", metric, atMost }]), {
      rows: [],
      pairs: [{ cell: unix, pairs }],
      cBaseline,
    });
  };

  const wanted = (atMost: string): TransportCell[] =>
    comparedWithC(budgetsOf([{ cell: "unix", atMost }]), [unix, { ...unix, transport: "tcp" }]);

  it("is judged by the ratio within the same rounds", () => {
    expect(judge("1.9 x C", c())).toMatchObject([
      { outcome: "broken", found: expect.closeTo(2, 6), atMost: "1.9 x C" },
    ]);
    expect(outcomesOf(judge("2.1 x C", c()))).toEqual(["kept"]);
    expect(judge("4.9 x C", c(), "p99")).toMatchObject([{ outcome: "broken", found: expect.closeTo(5, 6) }]);
    expect(outcomesOf(judge("1.9 x C", c(), "throughput"))).toEqual(["broken"]);
  });

  it("is undecided in fewer than 6 common rounds, and cannot be judged without one", () => {
    expect(outcomesOf(judge("1.9 x C", c(ROUNDS.slice(0, 5))))).toEqual(["undecided"]);
    expect(judge("1.9 x C", c([99]))).toMatchObject([
      { outcome: "untold", reason: expect.stringMatching(/^this run cannot tell/) },
    ]);
  });

  it("ends the gate with 22 where this machine has no C compiler, and says so", async () => {
    const directory = mkdtempSync(join(tmpdir(), "gate-plain-c-"));
    vi.stubEnv("PATH", directory);
    const opened = await PlainC.open({ directory, prefix: "" }, wanted("2 x C"));
    rmSync(directory, { recursive: true });
    expect(opened).toEqual({ reason: expect.stringContaining("there is no C compiler (cc) here") });
    const budgets = judge("2 x C", opened as { reason: string });
    const row = { cell: unix, metric: "p50", outcome: "regression", notes: [] } as const;
    const judgement = { rows: [row], budgets, strict: false };
    expect(exitCodeOf(judgement)).toBe(22);
    expect(verdictSentence(judgement)).toMatch(
      /^incomplete: unix .*2 x C: this machine cannot tell: there is no C comp.*; regression in what did run: unix /,
    );
  });

  it("starts no compiler without such a budget", async () => {
    const place = { directory: join(tmpdir(), "never-made"), prefix: "" };
    expect(await PlainC.open(place, wanted("80us"))).toBeUndefined();
  });

  it("is refused for a cell or a metric that plain C does not have", () => {
    const settings = readSettings({ budgets: [{ cell: "unix", atMost: "2 x C" }] });
    expect(() => refuseUnmeant(settings, [unix])).not.toThrow();
    expect(() => refuseUnmeant(settings, [{ ...unix, placement: "unpinned" }])).toThrow(
      '"2 x C" has no counterpart of unix (event, unpinned) 64 B in plain C',
    );
    const served = readSettings({ budgets: [{ cell: "served", atMost: "2 x C" }] });
    expect(() => refuseUnmeant(served, [{ ...unix, transport: "served" }])).toThrow("no counterpart of served");
    expect(() => budgetsOf([{ cell: "unix", metric: "cpu", atMost: "2 x C" }])).toThrow("CPU time of plain C");
  });
});

describe("a budget on a cell without figures", () => {
  const tcp = { ...unix, transport: "tcp" };
  const side = { p50: 10_000, p99: 50_000, messageNs: 10_000, cpuNs: null, messages: 100 };
  const pairs = [{ cell: unix, pairs: ROUNDS.map((round) => ({ round, base: side, head: side, headFirst: false })) }];
  const row = (
    cell: GateRow["cell"],
    outcome: RowOutcome,
    reason?: string,
    metric: GateRow["metric"] = "p50",
  ): GateRow => {
    return { cell, metric, outcome, notes: [], ...(reason === undefined ? {} : { reason }) };
  };
  const passed = row(unix, "not-slower");
  const judge = (rows: readonly GateRow[], budget: object): [number, string] => {
    const judgement = { rows, budgets: judgeBudgets(budgetsOf([budget]), { rows, pairs }), strict: false };
    return [exitCodeOf(judgement), verdictSentence(judgement)];
  };

  it.each([
    [
      "only the head has",
      [passed, row(tcp, "new", "the base has no such transport")],
      { cell: "tcp", atMost: "9us" },
      /^incomplete: tcp .*nothing was measured, since the base has no such transport/,
    ],
    [
      "only the base has",
      [passed, row(tcp, "gone", "the head has no such transport")],
      { cell: "tcp", atMost: "1.2 x unix" },
      /since the head has no such transport$/,
    ],
    [
      "did not run",
      [row(tcp, "missing", "base: no such port")],
      { cell: "tcp", atMost: "9us" },
      /^incomplete: 1 of 1 declared cell did not run/,
    ],
    [
      "is compared with one that did not run",
      [passed, row(tcp, "new", "the base has no such transport")],
      { cell: "unix", atMost: "2 x tcp" },
      /unix .*2 x tcp: nothing was measured/,
    ],
    [
      "is compared with one that this mode does not have",
      [passed],
      { cell: "unix", atMost: "2 x tcp" },
      /this gate has no tcp \(event.* to compare with/,
    ],
    [
      "may be that of a module that did not load",
      [row({ module: "./x.ts" }, "missing", "head: no")],
      { cell: "served", atMost: "9us" },
      /^incomplete: 1 of 1/,
    ],
    [
      "has no CPU time",
      [passed],
      { cell: "unix", metric: "cpu", atMost: "9us" },
      /unix .*cpu: budget 9.00 µs: .*was not measured/,
    ],
    [
      "has the tail of this machine",
      [passed, { ...row(unix, "untold", "the canary did not run", "p99"), isExtra: true }],
      { cell: "unix", metric: "p99", atMost: "9us" },
      /p99: budget 9.00 µs: the canary did not run/,
    ],
  ] as const)("never vanishes: one that %s ends the gate with 22 and says why", (_what, rows, budget, words) => {
    expect(judge(rows, budget)).toEqual([22, expect.stringMatching(words)]);
  });

  it("leaves a head red that is broken in the same cell", () => {
    const broken = row(tcp, "broken", "head: lost 3 messages");
    expect(judge([passed, broken], { cell: "tcp", atMost: "9us" })).toEqual([20, expect.stringContaining("is broken")]);
    expect(judge([passed, broken], { cell: "unix", atMost: "2 x tcp" })[0]).toBe(22);
  });
});

describe("a budget of a value that a command prints", () => {
  const value = (name: string, factor: number, more: Partial<CommandCell> = {}): PrintedValue => ({
    cell: { name, unit: "us", lower: true, ...more },
    pairs: ROUNDS.map((round) => ({ round, base: 1, head: factor * drift(1 + (round % 2) / 100), headFirst: false })),
  });
  const printed = [value("read", 1e-3), value("write", 2e-3), value("rate", 1, { lower: false })];
  const judge = (cell: string, atMost: string | number): BudgetRow[] =>
    judgeBudgets(budgetsOf([{ cell, atMost }], "command"), { rows: [], pairs: printed });

  it("has the unit of the value, or a time, or is a multiple of another value", () => {
    expect(judge("read", 11)).toMatchObject([{ outcome: "broken", isAbsolute: true, metric: "value" }]);
    expect(outcomesOf([...judge("read", 13), ...judge("read", "13 us"), ...judge("read", "0.013ms")])).toEqual([
      "kept",
      "kept",
      "kept",
    ]);
    expect(judge("write", "1.9 x read")).toMatchObject([{ outcome: "broken", found: expect.closeTo(2, 6) }]);
    expect(budgetWords(judge("read", "11us")[0] as BudgetRow)).toMatch(
      /^read \(us\): 12\.0 us \(.*\), budget 11 us, which holds/,
    );
  });

  it("never vanishes: an unknown name, another unit or a rate cannot be judged", () => {
    const reasons = [judge("raed", 1), judge("read", "3 MB"), judge("rate", 5), judge("read", "2 x raed")].map(
      ([row]) => (row?.outcome === "untold" ? row.reason : row?.outcome),
    );
    expect(reasons).toEqual([
      expect.stringContaining('no value "raed"; it prints read, write, rate'),
      expect.stringContaining("the value is in us"),
      expect.stringContaining("more of this value is better"),
      expect.stringContaining('no value "raed"'),
    ]);
  });

  it("is left to the gate of its kind by the metric", () => {
    const both = [
      { cell: "read", metric: "value", atMost: 1 },
      { cell: "unix", metric: "p50", atMost: "1us" },
    ];
    expect(budgetsOf(both).map(({ cell }) => cell)).toEqual(["unix"]);
    expect(budgetsOf(both, "command").map(({ cell }) => cell)).toEqual(["read"]);
  });
});

afterEach(() => {
  vi.unstubAllEnvs();
});
