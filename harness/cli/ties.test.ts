import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareTables } from "../../reports/terminal/index.ts";
import { loopback } from "../../transports/loopback/loopback.ts";
import { pick, type Question } from "../pick/pick.ts";
import type { Measurement, Report, Trial } from "../results/model.ts";
import { median } from "../results/quantiles.ts";
import { exitCode } from "./compare.ts";

const WORKLOAD: Question = {
  payloads: [64],
  modes: ["event"],
  placement: "two-cpus",
  benchmark: "round-trip",
  peer: "node",
};

/** Only the fields that tables and pick read. */
function reportOf(rows: ReadonlyMap<string, readonly (readonly [round: number, p50: number])[]>): Report {
  const measurements = [...rows].map(([transport, list]) => ({
    ...{ transport, mode: "event", placement: "two-cpus", benchmark: "round-trip", payloadBytes: 64 },
    ...{
      peer: { language: "node", version: "" },
      status: "measured",
      interval: {},
      cpuNsPerMessage: null,
      warnings: [],
    },
    latencyNs: { p50: median(list.map(([, p50]) => p50)) },
    trials: list.map(([round, p50]) => ({ round, status: "valid", latencyNs: { p50 } }) as Trial),
  })) as unknown as Measurement[];
  const transports = [...rows.keys()].map((id) => ({
    ...loopback,
    id,
    baseline: false,
    available: true,
    version: "1",
  }));
  const report = { transports, checks: [], measurements, environment: {} } as unknown as Report;
  return { ...report, pick: pick(report, WORKLOAD) };
}

/** Name and mark of each row of the table, in its order. */
function marksOf(report: Report): (readonly [name: string, mark: string])[] {
  const lines = stripVTControlCharacters(compareTables(report, { columns: 200 })).split("\n");
  return lines.flatMap((line) => {
    const [, name, mark = ""] = /^ {2}(t\d) .*?(best|= tie|\?)?$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, mark] as const];
  });
}

/** Up to five transports of about one speed, each with a p50 in some of twelve rounds. */
const reports = fc
  .array(fc.array(fc.option(fc.integer({ min: 1000, max: 1200 }), { freq: 6 }), { minLength: 1, maxLength: 12 }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((all) => all.map((costs) => costs.flatMap((p50, at) => (p50 === null ? [] : [[at + 1, p50] as const]))))
  .map((all) => new Map(all.flatMap((list, at) => (list.length === 0 ? [] : [[`t${at}`, list] as const]))))
  .filter((rows) => rows.size > 0)
  .map(reportOf);

describe("tables and pick of one size", () => {
  test("name the same best and the same ties", () => {
    fc.assert(
      fc.property(reports, (report) => {
        const [first, ...others] = marksOf(report);
        expect(first).toEqual([report.pick?.transport, report.pick?.verdict === "cannot-tell" ? "?" : "best"]);
        expect(others.flatMap(([name, mark]) => (mark === "" ? [] : [name]))).toEqual(report.pick?.ties);
        expect(others.map(([name]) => name)).toEqual(report.pick?.ranking.slice(1).map(({ transport }) => transport));
      }),
    );
  });

  test("state no order where two rows have fewer than 6 rounds in common, and exit with the code for that", () => {
    fc.assert(
      fc.property(reports, fc.integer({ min: 1, max: 5 }), (report, most) => {
        const rows = report.measurements.map(
          ({ transport, trials }) =>
            [
              transport,
              trials.map((trial) => [trial.round, trial.status === "valid" ? (trial.latencyNs?.p50 ?? 0) : 0] as const),
            ] as const,
        );
        const cut = reportOf(new Map(rows.map(([transport, list]) => [transport, list.slice(0, most)])));
        const isAlone = rows.length === 1;
        expect(cut.pick?.verdict).toBe(isAlone ? "alone" : "cannot-tell");
        expect(cut.pick?.sentence).toMatch(isAlone ? /nothing else could be compared/ : /^This run cannot tell which/);
        expect(cut.pick?.reasons.join()).not.toMatch(/fastest|slowest/);
        expect(cut.pick?.ties).toHaveLength(rows.length - 1);
        expect(exitCode(cut, [])).toBe(isAlone ? 0 : 21);
        expect(marksOf(cut).map(([, mark]) => mark)).toEqual(rows.map(() => (isAlone ? "best" : "?")));
      }),
    );
  });

  test("end with 0 for an honest tie", () => {
    const even = [1000, 1010, 1000, 1010, 1000, 1010].map((p50, at) => [at + 1, p50] as const);
    const odd = [1010, 1000, 1010, 1000, 1010, 1000].map((p50, at) => [at + 1, p50] as const);
    const report = reportOf(new Map([...Object.entries({ t0: even, t1: odd })]));
    expect(report.pick).toMatchObject({ verdict: "tie", ties: ["t1"] });
    expect(exitCode(report, [])).toBe(0);
  });
});
