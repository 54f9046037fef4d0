import type { Place } from "../../transports/contract/transport.ts";
import type { CellFigures, CellPlan, CellResult, DriverReady, DriverStart } from "../process/messages.ts";
import { encodeHistogram } from "../results/histogram.ts";
import type { Quantiles, Trial } from "../results/model.ts";
import { unpackSamples } from "../results/packed-samples.ts";
import { enoughSamples } from "../results/quantiles.ts";
import type { Arm } from "./arm.ts";
import type { Brood } from "./run-driver.ts";

/** A trial that takes this much longer than planned is broken. */
const TIMEOUT_FACTOR = 10;
const TIMEOUT_FLOOR_MS = 45_000;
/** Start-up of driver and peer on a busy machine; a cell reports within this and ten times its plan. */
const SILENCE_MS = 25_000;

export interface ArmRun {
  readonly cells: readonly CellResult[];
  /** Why the driver ended early, if it did. */
  readonly failure: string | undefined;
  /** The processes did not run where they were put: nothing of this run counts. */
  readonly misplaced: string | undefined;
  readonly ready: DriverReady | null;
  readonly durationMs: number;
}

/** How long a driver may say nothing that runs cells which are planned to take so long. */
export function silenceOf(startMs: number | undefined, longestCellMs: number): number {
  return (startMs ?? SILENCE_MS) + TIMEOUT_FACTOR * longestCellMs;
}

/** Runs one fresh driver, and by it one fresh peer, through these cells. */
export async function runArm(
  brood: Brood,
  place: Place,
  arm: Arm,
  work: { readonly kind: "calibrate"; readonly budgetMs: number } | { readonly kind: "measure" },
  cells: readonly CellPlan[],
  plannedMs: number,
  silenceMs: number = silenceOf(undefined, plannedMs),
): Promise<ArmRun> {
  const start: DriverStart = {
    type: "start",
    transport: arm.reference,
    mode: arm.mode,
    place,
    peerPin: arm.cpus.peerPin,
    peerLanguage: arm.peerLanguage,
    peerEarly: arm.peerLanguage === "node" && arm.transport.capabilities.rendezvous === "address",
    ...(arm.codec === undefined ? {} : { codec: arm.codec }),
    work: { ...work, cells },
  };
  const results: CellResult[] = [];
  const startedMs = performance.now();
  const outcome = await brood.run({
    start,
    pin: arm.cpus.driverPin,
    timeoutMs: TIMEOUT_FLOOR_MS + TIMEOUT_FACTOR * plannedMs,
    silenceMs,
    onResult: (message) => {
      if (message.type === "cell") results.push(message);
    },
  });
  return {
    cells: results,
    failure: outcome.status === "failed" ? outcome.reason : undefined,
    misplaced: outcome.status === "failed" ? undefined : misplaced(arm, outcome.ready),
    ready: outcome.ready,
    durationMs: performance.now() - startedMs,
  };
}

/** What the processes read back must be what was asked for. */
function misplaced(arm: Arm, ready: DriverReady | null): string | undefined {
  const { driver, peer } = arm.cpus;
  if (ready === null || arm.cpus.driverPin.length === 0) return undefined;
  if (ready.cpus !== null && ready.cpus !== driver) return `the driver ran on CPU ${ready.cpus} instead of ${driver}`;
  const inside = arm.transport.capabilities.rendezvous === "process";
  const peerCpus = ready.peer?.cpus ?? null;
  if (!inside && peerCpus !== null && peerCpus !== peer) return `the peer ran on CPU ${peerCpus} instead of ${peer}`;
  return undefined;
}

/** A cell of one trial as the report keeps it. */
export function toTrial(round: number, startedAtMs: number, result: CellResult): Trial {
  const { outcome } = result;
  const { figures } = outcome;
  const base = { round, startedAtMs: Math.round(startedAtMs) };
  const verdict =
    outcome.status === "valid"
      ? { status: "valid" as const }
      : {
          status: "invalid" as const,
          reason: outcome.reason,
          ...(outcome.status === "refused" ? { refused: true } : {}),
        };
  if (figures === null) return { ...base, ...verdict, ...NOTHING };
  const per = (total: number | null): number | null =>
    total === null || figures.messages === 0 ? null : total / figures.messages;
  return {
    ...base,
    ...verdict,
    ...(figures.latencyNs === null ? {} : { latencyNs: quantilesOf(figures.latencyNs) }),
    messagesPerSecond: figures.elapsedNs > 0 ? (figures.messages / figures.elapsedNs) * 1e9 : 0,
    cpuNsPerMessage: per(figures.cpuNs),
    contextSwitchesPerMessage: per(figures.contextSwitches),
    voluntarySwitchesPerMessage: per(figures.voluntarySwitches),
    involuntarySwitchesPerMessage: per(figures.involuntarySwitches),
    peakMemoryBytes: figures.peakMemoryBytes,
    peakMemory: figures.peakMemory,
    gcPauseNs: figures.gcPauseNs,
    lost: figures.lost,
    duplicated: figures.duplicated,
    reordered: figures.reordered,
    corrupted: figures.corrupted,
    ...(figures.samples === null ? {} : { histogram: encodeHistogram(unpackSamples(figures.samples)) }),
    ...(figures.halvesNs === null ? {} : { halvesNs: figures.halvesNs }),
    ...(figures.latenessNs === null ? {} : { latenessNs: figures.latenessNs }),
    ...(figures.idleCpuShare === null ? {} : { idleCpuShare: figures.idleCpuShare }),
    ...(figures.phasesNs === null ? {} : { phasesNs: figures.phasesNs }),
  };
}

export function quantilesOf(latencyNs: NonNullable<CellFigures["latencyNs"]>): Quantiles {
  const { count, min, p50, p90, p99, p999, max, mean } = latencyNs;
  const shown = (q: number): boolean => enoughSamples(q, count);
  return {
    count,
    min,
    p50,
    ...(shown(0.9) ? { p90 } : {}),
    ...(shown(0.99) ? { p99 } : {}),
    ...(shown(0.999) ? { p999 } : {}),
    max,
    mean,
  };
}

/** A trial of which nothing was counted. */
export const NOTHING = {
  messagesPerSecond: 0,
  cpuNsPerMessage: null,
  contextSwitchesPerMessage: null,
  peakMemoryBytes: null,
  gcPauseNs: null,
  lost: 0,
  duplicated: 0,
  reordered: 0,
  corrupted: 0,
} as const;
