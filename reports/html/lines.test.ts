import { expect, test } from "vitest";
import { curvesOf } from "../../harness/results/curves.ts";
import type { MeasuredRow, Report, ValidTrial } from "../../harness/results/model.ts";
import { fixtureReport } from "../testing/fixture.ts";
import { viewOf } from "./view.ts";

const base = fixtureReport({ payloads: [64], placements: ["two-cpus"] });

/** Builds a row of a load that sends at `rate`, and whose every trial has this median. */
function load(transport: string, rate: number, p50: number, clients = 1): MeasuredRow {
  const found = base.measurements.find((row) => row.transport === transport && row.benchmark === "round-trip");
  if (found?.status !== "measured" || found.latencyNs === undefined) throw new Error("the fixture has lost its row");
  const { latencyNs } = found;
  const trials = found.trials.map((trial) => ({ ...(trial as ValidTrial), latencyNs: { ...latencyNs, p50 } }));
  const sent = { benchmark: "load", arrivals: "fixed", ratePerSecond: rate, messagesPerSecond: rate, clients } as const;
  return { ...found, ...sent, latencyNs: { ...latencyNs, p50 }, trials };
}

function linesOver(measurements: readonly MeasuredRow[], over: string) {
  const report: Report = { ...base, measurements, curves: curvesOf(measurements) };
  return viewOf(report).lines.filter((line) => line.over === over);
}

const rates = [1000, 4000, 16_000] as const;
const unix = [20_000, 21_000, 22_000].map((p50, at) => load("unix", rates[at] ?? 0, p50));
const tcp = [19_000, 20_000, 190_000].map((p50, at) => load("tcp", rates[at] ?? 0, p50));

test("a line over the rate has the change of order along it, and the knee of each row", () => {
  const [line, ...others] = linesOver([...unix, ...tcp], "rate");
  expect(others).toEqual([]);
  expect(line?.crossings.map(({ text }) => text)).toEqual(["tcp is ahead at 4.00 k/s, unix at 16.0 k/s."]);
  expect(line?.knees).toEqual([
    { name: "unix", rate: 16_000, isHighest: true },
    { name: "tcp", rate: 4000, isHighest: false },
  ]);
  expect(line?.benchmarks).toHaveLength(3);
});

test("rows of other clients are on lines of their own", () => {
  const more = rates.map((rate) => load("unix", rate, 30_000, 8));
  const found = linesOver([...unix, ...more], "rate");
  expect(found.map(({ benchmarks }) => benchmarks.length)).toEqual([3, 3]);
  expect(linesOver([...unix, ...more], "clients").map(({ benchmarks }) => benchmarks.length)).toEqual([2, 2, 2]);
});

test("a baseline never changes places with a mechanism", () => {
  const measurements = [...rates.map((rate, at) => load("loopback", rate, at === 0 ? 1 : 1e6)), ...unix];
  expect(linesOver(measurements, "rate")[0]?.crossings).toEqual([]);
});
