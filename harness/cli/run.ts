import { loadavg } from "node:os";
import { ffiFloor } from "../../transports/posix/index.ts";
import { type Progress, progressOn } from "../coordinator/progress.ts";
import type { MeasureResult } from "../coordinator/run-measurements.ts";
import { commandLineOf } from "../results/command-line.ts";
import { crashWarnings } from "../results/crashes.ts";
import { curvesOf } from "../results/curves.ts";
import { type CpuClock, describeEnvironment, readCpuClock } from "../results/environment.ts";
import { machineWarnings } from "../results/machine-warnings.ts";
import {
  type CheckResult,
  type Crash,
  type Measurement,
  type Report,
  SCHEMA_VERSION,
  type TransportRecord,
  type Warning,
} from "../results/model.ts";

/** Beginning of every report, taken when a command starts. */
export interface RunStart {
  readonly startedAt: Date;
  readonly startedMs: number;
  readonly cpu: CpuClock | null;
  /** Load average before anything of ours runs. Our processes that get ready side by side are a load, too. */
  readonly loadAverage1: number;
  readonly seed: number;
  readonly progress: Progress;
  /** Filled while it runs. */
  readonly crashes: Crash[];
}

export function startRun(seed: number | undefined): RunStart {
  return {
    startedAt: new Date(),
    startedMs: performance.now(),
    cpu: readCpuClock(),
    loadAverage1: loadavg()[0] ?? 0,
    seed: seed ?? Math.floor(Math.random() * 2 ** 32),
    progress: progressOn(process.stderr),
    crashes: [],
  };
}

/**
 * Puts a report together. The pick, where there is one, is added by `compare`.
 *
 * @param complete false when the run was interrupted and has no more than this
 */
export function finishReport(
  run: RunStart,
  transports: readonly TransportRecord[],
  checks: readonly CheckResult[],
  measured: Partial<MeasureResult> & Pick<MeasureResult, "measurements"> & Pick<Report, "codecs">,
  complete: boolean = true,
): Report {
  const { measurements, about, keepAwake } = measured;
  const ffi = ffiFloor();
  const environment = { ...describeEnvironment(run.cpu, ffi), loadAverage1: run.loadAverage1 };
  return {
    schemaVersion: SCHEMA_VERSION,
    complete,
    startedAt: run.startedAt.toISOString(),
    durationMs: Math.round(performance.now() - run.startedMs),
    commandLine: commandLineOf(process.argv.slice(2)),
    startedFrom: import.meta.filename.endsWith(".ts") ? "clone" : "package",
    seed: run.seed,
    environment: {
      ...environment,
      harnessFloorNs: harnessFloor(measurements),
      ...(keepAwake === undefined ? {} : { keepAwake }),
    },
    transports,
    checks,
    measurements,
    cBaseline: [],
    ...(measurements.length === 0 ? {} : { curves: curvesOf(measurements) }),
    ...about,
    ...(measured.codecs === undefined ? {} : { codecs: measured.codecs }),
    pick: null,
    ...(run.crashes.length === 0 ? {} : { crashes: run.crashes }),
    warnings: [...runWarnings(run, environment), ...(measured.warnings ?? [])],
  };
}

/** Returns warnings about processes and machine that weaken the figures of a run. */
export function runWarnings(
  { crashes, cpu, loadAverage1 }: RunStart,
  environment: Report["environment"] = { ...describeEnvironment(cpu, ffiFloor()), loadAverage1 },
): Warning[] {
  return [...crashWarnings(crashes), ...machineWarnings(environment)];
}

function harnessFloor(measurements: readonly Measurement[]): number | null {
  const rows = measurements
    .filter((row) => row.status === "measured")
    .filter(
      ({ transport, benchmark, payloadBytes }) =>
        transport === "loopback" && benchmark === "round-trip" && payloadBytes === 64,
    );
  return rows.reduce<number | null>(
    (least, { latencyNs }) => (latencyNs === undefined ? least : Math.min(least ?? Infinity, latencyNs.p50)),
    null,
  );
}
