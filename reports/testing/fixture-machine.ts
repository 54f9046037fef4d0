import type { Curve, Measurement, Report } from "../../harness/results/model.ts";
import { type FixtureOptions, fixtureReport } from "./fixture.ts";

/** Builds a synthetic report with all later additions to the model; `fixtureReport()` alone stands for an older one. */
export function fullReport(options: FixtureOptions = {}): Report {
  const report = fixtureReport(options);
  const measurements = [...report.measurements.map(withCBaseline), ...variants(report)];
  const canary = { count: 2720, p50: 41_000, p90: 66_000, p99: 84_000, max: 2_410_000, histogram: "" };
  const rounds = [20_100, 20_400, 24_900].map((p50, index) => ({
    round: index + 1,
    startedAtMs: 1000 + index * 5000,
    durationMs: 5000,
    stealShare: 0.01,
    loadAverage1: 0.5,
    frequencyMHz: null,
    controls: [{ placement: "two-cpus" as const, p50, count: 400 }],
    canaries: [{ placement: "two-cpus" as const, p50: 41_000, p99: 84_000, max: 2_410_000, count: 340 }],
  }));
  return {
    ...report,
    measurements,
    cBaseline: [],
    cBaselineReason: { status: "not-asked", reason: "the C program was not asked for" },
    rounds,
    controls: { "two-cpus": { p50: 20_400, interval: [20_100, 24_900], spread: 1.24, rounds: 3 } },
    canaries: {
      "two-cpus": {
        ...canary,
        bad: false,
        sentence: "this machine wakes a sleeping process within 84 µs in 99 of 100 cases",
      },
    },
    duration: {
      rule: "budget",
      effort: "quick",
      rounds: 3,
      plannedMs: 60_000,
      actualMs: 48_200,
      sentence: "another round would not have fitted into 60 s",
    },
    curves: curves(),
    environment: {
      ...report.environment,
      fingerprint: "0123456789abcdef",
      frequencyMHz: 2794.7,
      cgroup: { cpus: 1.5, memoryBytes: 2 * 1024 ** 3 },
      keepAwake: { cpus: [0, 1] },
    },
  };
}

function withCBaseline(cell: Measurement): Measurement {
  return cell.status === "measured" && cell.transport === "unix" && cell.benchmark === "round-trip" && cell.latencyNs
    ? {
        ...cell,
        voluntarySwitchesPerMessage: 1.98,
        involuntarySwitchesPerMessage: 0.012,
        peakMemory: { driver: 80 * 1024 ** 2, peer: 60 * 1024 ** 2 },
        stationarity: { withinTrial: { ratio: 0.97, interval: [0.95, 0.99] }, overRun: 1.02 },
        cBaseline: { transport: "c/unix", p50: cell.latencyNs.p50 / 3.17, ratio: 3.17, interval: [3.02, 3.31] },
      }
    : cell;
}

/** Builds rows that differ in one thing only, for each of two transports. */
function variants(report: Report): Measurement[] {
  return report.measurements
    .filter((cell) => cell.status === "measured")
    .filter((cell) => ["unix", "tcp"].includes(cell.transport) && cell.placement === "two-cpus")
    .filter((cell) => cell.payloadBytes === 64 && cell.benchmark === "round-trip")
    .flatMap((cell): Measurement[] => {
      const { latencyNs: _, ...plain } = { ...cell, messagesPerSecond: null, trials: [] };
      return [
        { ...cell, benchmark: "pipeline", inFlight: 16, batched: false },
        { ...cell, benchmark: "pipeline", inFlight: 16, batched: true },
        {
          ...cell,
          benchmark: "load",
          ratePerSecond: 1000,
          arrivals: "fixed",
          latenessNs: { p50: 210, p99: 5400, max: 91_000 },
        },
        { ...cell, benchmark: "open-close", phasesNs: { connect: 105_000, reply: 61_000, close: 12_000 } },
        { ...cell, benchmark: "load", ratePerSecond: 1000, arrivals: "poisson", lossShare: 0.0123 },
        { ...plain, benchmark: "idle", idleCpuShare: 0.0214 },
      ];
    });
}

function curves(): Curve[] {
  const base = { transport: "unix", mode: "event", placement: "two-cpus", peer: "node" } as const;
  const point = (x: number, p50: number | null, messagesPerSecond: number | null = null) => ({
    ...{ x, p50, messagesPerSecond },
    p99: null,
    interval: null,
  });
  return [
    {
      ...base,
      benchmark: "round-trip",
      over: "payloadBytes",
      fixed: "",
      points: [point(64, 19_400), point(4096, 21_100), point(65_536, 47_000)],
      fit: { fixedNs: 19_400, nsPerByte: 0.42 },
    },
    {
      ...base,
      benchmark: "load",
      over: "ratePerSecond",
      fixed: "64 B, poisson",
      points: [point(1000, 21_000), point(4000, 23_000), point(16_000, 190_000)],
      kneePerSecond: 4000,
    },
    {
      ...base,
      benchmark: "load",
      over: "ratePerSecond",
      fixed: "64 B",
      points: [point(1000, null)],
      kneePerSecond: null,
    },
    { ...base, benchmark: "throughput", over: "clients", fixed: "64 B", points: [point(4, null, 51_200)] },
  ];
}
