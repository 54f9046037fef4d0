import { describe, expect, it } from "vitest";
import { fixtureReport } from "../../../reports/testing/fixture.ts";
import { machineSentence } from "../../results/machine-sentence.ts";
import type { MeasuredRow, Measurement, Report, Trial, ValidTrial } from "../../results/model.ts";
import { type Evidence, type Letter, type Row, type Run, SLOW_ID } from "./evidence.ts";
import { rowsOf } from "./figures.ts";
import { planReference } from "./reference.ts";
import { tableOf } from "./table.ts";

const base = fixtureReport({ trials: 6 });

/** Changes of measured rows; the others stay as they are. */
type Change = (row: MeasuredRow) => Partial<MeasuredRow>;

function changed(row: Measurement, change: Change): Measurement {
  return row.status === "measured" ? { ...row, ...change(row) } : row;
}

function reportWith(change: Change = () => ({}), more: Partial<Report> = {}): Report {
  return { ...base, measurements: base.measurements.map((row) => changed(row, change)), ...more };
}

const scaled =
  (factor: number): Change =>
  ({ latencyNs, cpuNsPerMessage }) => ({
    ...(latencyNs === undefined ? {} : { latencyNs: { ...latencyNs, p50: latencyNs.p50 * factor } }),
    cpuNsPerMessage: cpuNsPerMessage === null ? null : cpuNsPerMessage * factor,
  });

const runOf = (report: Report, wallMs = 60_000): Run => ({ report, wallMs });

function rows(letter: Letter, evidence: Partial<Evidence>): Row[] {
  return rowsOf({ plain: [], reference: [], busy: [], slow: [], pairMs: null, ...evidence }, [letter]);
}

describe("rowsOf", () => {
  it("judges the worst wall time and prints the median", () => {
    const [row] = rows("a", { plain: [50_000, 60_000, 71_000].map((wallMs) => runOf(base, wallMs)) });
    expect(row).toMatchObject({ seen: "60.0 s, worst 71.0 s", verdict: "MISSED" });
  });

  it("compares p50 and CPU with the same cell of the reference, in both directions for p50", () => {
    const reference = [runOf(base)];
    const verdicts = (letter: Letter, factor: number): string | undefined =>
      rows(letter, { reference, plain: [runOf(reportWith(scaled(factor)))] })[0]?.verdict;
    expect([1, 1.02, 1.04, 0.9].map((factor) => verdicts("b", factor))).toEqual(["holds", "holds", "MISSED", "MISSED"]);
    expect([0.9, 1.04, 1.06].map((factor) => verdicts("c", factor))).toEqual(["holds", "holds", "MISSED"]);
    const [row] = rows("b", { reference, plain: [1.01, 1.02, 1.2].map((factor) => runOf(reportWith(scaled(factor)))) });
    expect(row?.seen).toBe("1.020 (runs 1.010 to 1.200)");
    expect(row?.cells?.get("unix event 64 B one CPU round-trip")).toBeCloseTo(1.02);
    expect(rows("b", { plain: [runOf(base)] })[0]?.verdict).toBe("not measured");
  });

  it("leaves cells that a warning names out beside busy loops, at most a third of them", () => {
    const busy = (ids: readonly string[]): Row | undefined => {
      const change: Change = (row) =>
        ids.includes(row.transport)
          ? { ...scaled(2)(row), warnings: [{ id: "not-settled", text: "", where: {} }] }
          : {};
      return rows("b", { reference: [runOf(base)], busy: [runOf(reportWith(change))] })[1];
    };
    expect(busy(["unix"])).toMatchObject({ verdict: "holds", seen: expect.stringMatching(/^1\.000, 15\.8 %/) });
    expect(busy(["unix", "tcp", "fifo"])?.verdict).toBe("MISSED");
    const unnamed = rows("b", { reference: [runOf(base)], busy: [runOf(reportWith(scaled(1.2)))] })[1];
    expect(unnamed?.verdict).toBe("MISSED");
  });

  it("allows the interval on two CPUs 1.2 times the half-width of C", () => {
    const wide =
      (share: number): Change =>
      ({ latencyNs }) =>
        latencyNs === undefined
          ? {}
          : { interval: { p50: [latencyNs.p50 * (1 - share), latencyNs.p50 * (1 + share)] } };
    const verdicts = (share: number, c: number): (string | undefined)[] => {
      const cBaseline = base.cBaseline.map((row) => changed(row, wide(c)));
      return rows("d", { plain: [runOf(reportWith(wide(share), { cBaseline }))] }).map(({ verdict }) => verdict);
    };
    expect(verdicts(0.045, 0.01)).toEqual(["holds", "holds"]);
    expect(verdicts(0.1, 0.01)).toEqual(["MISSED", "MISSED"]);
    expect(verdicts(0.1, 0.09)).toEqual(["MISSED", "holds"]);
  });

  it("takes the scatter of valid trials of streams only", () => {
    const trialsOf = (rates: readonly number[]): Trial[] => {
      const [trial] = (base.measurements.find(({ model }) => model === "stream")?.trials ?? []) as [ValidTrial];
      return rates.map((messagesPerSecond) => ({ ...trial, messagesPerSecond }));
    };
    const rates = [100, 101, 102, 103, 104, 900];
    const change: Change = ({ model }) => (model === "stream" ? { trials: trialsOf(rates) } : {});
    const [row] = rows("e", { plain: [runOf(reportWith(change))] });
    expect(row).toMatchObject({ verdict: "holds", seen: expect.stringMatching(/^1\.030 /) });
  });

  it("counts a run whose sentence calls the usual pick a tie as agreeing", () => {
    const picked = (transport: string, ties: readonly string[] = []): Run => {
      if (base.pick === null) throw new Error("the fixture has a pick");
      return runOf(reportWith(undefined, { pick: { ...base.pick, transport, ties } }));
    };
    expect(rows("f", { plain: [picked("fifo"), picked("fifo"), picked("unix", ["fifo"])] })[0]).toMatchObject({
      verdict: "holds",
      seen: "3 of 3 (2 fifo, 1 unix; 1 with ties)",
    });
    expect(rows("f", { plain: [picked("fifo"), picked("fifo"), picked("unix")] })[0]?.verdict).toBe("MISSED");
    expect(rows("f", { plain: [runOf(reportWith(undefined, { pick: null }))] })[0]?.seen).toContain("1 no pick");
    const untold = { ...(base.pick as NonNullable<Report["pick"]>), verdict: "cannot-tell" } as const;
    expect(rows("f", { plain: [runOf(reportWith(undefined, { pick: untold }))] })[0]?.seen).toContain("1 no pick");
  });

  it("tells a slow copy from unix by ratios within rounds, and misses when one run has it the wrong way", () => {
    const run = (factor: (round: number) => number): Run => {
      const copies = base.measurements
        .filter(({ transport }) => transport === "unix")
        .map((row) => ({
          ...row,
          transport: SLOW_ID,
          trials: row.trials.map((trial) =>
            trial.status === "valid" && trial.latencyNs
              ? { ...trial, latencyNs: { ...trial.latencyNs, p50: trial.latencyNs.p50 * factor(trial.round) } }
              : trial,
          ),
        }));
      const record = base.transports.find(({ id }) => id === "unix");
      if (record === undefined) throw new Error("the fixture has unix");
      return runOf({
        ...base,
        transports: [...base.transports, { ...record, id: SLOW_ID }],
        measurements: [...base.measurements, ...copies],
      });
    };
    const slower = run(() => 1.2);
    const tie = run((round) => (round % 2 === 0 ? 1.2 : 0.9));
    const faster = run(() => 0.8);
    expect(rows("f", { slow: [slower, slower, slower, tie] })[1]).toMatchObject({
      verdict: "holds",
      seen: "3 of 4, 0 the wrong way",
    });
    expect(rows("f", { slow: [slower, tie] })[1]?.verdict).toBe("MISSED");
    expect(rows("f", { slow: [slower, slower, slower, faster] })[1]?.verdict).toBe("MISSED");
  });

  it("counts how often intervals cover the median of all runs, and judges eight runs or more", () => {
    const at = (p50: number): Run =>
      runOf(
        reportWith((row) =>
          row.latencyNs === undefined
            ? { interval: {} }
            : { latencyNs: { ...row.latencyNs, p50 }, interval: { p50: [p50 * 0.95, p50 * 1.05] } },
        ),
      );
    const near = [at(98), at(99), at(100), at(100), at(100), at(101), at(102)];
    const [few] = rows("g", { plain: near });
    expect(few).toMatchObject({ verdict: "cannot tell", seen: expect.stringMatching(/^100\.0 % /) });
    expect(rows("g", { plain: [...near, at(101)] })[0]?.verdict).toBe("holds");
    expect(rows("g", { plain: [...near, at(110)] })[0]).toMatchObject({
      verdict: "MISSED",
      seen: expect.stringMatching(/^87\.5 % /),
    });
  });

  it("has a row for what was not measured", () => {
    expect(rows("h", {})).toMatchObject([{ verdict: "not measured" }]);
    expect(rows("h", { pairMs: 140 })).toMatchObject([{ seen: "0.140 s", verdict: "holds" }]);
  });
});

describe("planReference", () => {
  it("gives slow mechanisms fewer messages, so that all windows fit", () => {
    const slow: Change = ({ transport, latencyNs }) =>
      transport === "tcp" && latencyNs ? { latencyNs: { ...latencyNs, p50: 3e6 } } : {};
    const planned = planReference(reportWith(slow));
    const messages = (id: string): number => planned.find(({ transports }) => transports.includes(id))?.messages ?? 0;
    expect(messages("unix")).toBe(16_000);
    expect(messages("tcp")).toBeLessThan(4000);
    expect(messages("tcp")).toBeGreaterThanOrEqual(125);
    // A size that a mechanism cannot carry is refused for all that are named with it.
    const queues = planned.filter(({ transports }) => transports.includes("posix-mq"));
    expect(queues).toMatchObject([{ transports: ["posix-mq"], payloads: [64, 4096] }]);
  });
});

describe("tableOf", () => {
  it("names the machine and nothing that identifies its owner", () => {
    const kernel = "6.8.0-41-vendor";
    const report = { ...base, environment: { ...base.environment, kernel, virtualization: "kvm" } };
    const evidence = { plain: [runOf(report)], reference: [], busy: [], slow: [], pairMs: null };
    const text = tableOf(evidence, rowsOf(evidence, ["a", "d"]), true);
    expect(text).toContain(machineSentence(report.environment));
    expect(text).toContain("virtual, kernel 6.8, Node");
    expect(text).not.toContain("vendor");
    expect(text).toMatch(/^ +\d\.\d{3} {2}unix event 64 B one CPU round-trip$/m);
  });
});
