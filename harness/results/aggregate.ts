import * as hdr from "hdr-histogram-js";
import { medianInterval } from "./intervals.ts";
import type { Interval, Measurement, Quantiles, Trial } from "./model.ts";
import { enoughTogether, median } from "./quantiles.ts";

/** The figures of a measurement, from its valid trials. */
export type Figures = Pick<
  Measurement,
  | "latencyNs"
  | "interval"
  | "messagesPerSecond"
  | "bytesPerSecond"
  | "cpuNsPerMessage"
  | "contextSwitchesPerMessage"
  | "peakMemoryBytes"
  | "gcPauseNs"
  | "lost"
  | "duplicated"
  | "reordered"
  | "histogram"
>;

/** Medians over trials, with their intervals. */
export function aggregate(trials: readonly Trial[], payloadBytes: number): Figures {
  const valid = trials.filter((trial) => trial.status === "valid");
  const latencies = valid.flatMap(({ latencyNs }) => (latencyNs === undefined ? [] : [latencyNs]));
  const rate = medianOf(valid, (trial) => trial.messagesPerSecond);
  const histogram = mergeHistograms(valid.flatMap((trial) => (trial.histogram === undefined ? [] : [trial.histogram])));
  const quantiles = latencies.length === 0 ? undefined : medianQuantiles(latencies);
  return {
    ...(quantiles === undefined ? {} : { latencyNs: quantiles }),
    interval: intervals(valid, latencies, quantiles),
    messagesPerSecond: rate,
    bytesPerSecond: rate === null ? null : rate * payloadBytes,
    cpuNsPerMessage: medianOf(valid, (trial) => trial.cpuNsPerMessage),
    contextSwitchesPerMessage: medianOf(valid, (trial) => trial.contextSwitchesPerMessage),
    peakMemoryBytes: medianOf(valid, (trial) => trial.peakMemoryBytes),
    gcPauseNs: medianOf(valid, (trial) => trial.gcPauseNs),
    lost: sum(trials, "lost"),
    duplicated: sum(trials, "duplicated"),
    reordered: sum(trials, "reordered"),
    ...(histogram === undefined ? {} : { histogram }),
  };
}

function medianQuantiles(latencies: readonly Quantiles[]): Quantiles {
  const count = latencies.reduce((total, { count: each }) => total + each, 0);
  const counts = latencies.map(({ count: each }) => each);
  const shown = (q: number): boolean => enoughTogether(q, counts);
  const of = (pick: (quantiles: Quantiles) => number | undefined): number =>
    median(latencies.flatMap((quantiles) => pick(quantiles) ?? []));
  return {
    count,
    min: of(({ min }) => min),
    p50: of(({ p50 }) => p50),
    ...(shown(0.9) ? { p90: of(({ p90 }) => p90) } : {}),
    ...(shown(0.99) ? { p99: of(({ p99 }) => p99) } : {}),
    ...(shown(0.999) ? { p999: of(({ p999 }) => p999) } : {}),
    max: of(({ max }) => max),
    mean: of(({ mean }) => mean),
  };
}

function intervals(
  valid: readonly Trial[],
  latencies: readonly Quantiles[],
  quantiles: Quantiles | undefined,
): Measurement["interval"] {
  const p50 = medianInterval(latencies.map((latency) => latency.p50));
  const p99 =
    quantiles?.p99 === undefined ? undefined : medianInterval(latencies.flatMap((latency) => latency.p99 ?? []));
  const rate = medianInterval(valid.map((trial) => trial.messagesPerSecond));
  const named: Record<string, Interval> = {};
  if (p50 !== undefined) named["p50"] = p50;
  if (p99 !== undefined) named["p99"] = p99;
  if (rate !== undefined) named["messagesPerSecond"] = rate;
  return named;
}

function medianOf(trials: readonly Trial[], pick: (trial: Trial) => number | null): number | null {
  const values = trials.map(pick).filter((value) => value !== null);
  return values.length === 0 ? null : median(values);
}

function sum(trials: readonly Trial[], key: "lost" | "duplicated" | "reordered"): number {
  return trials.reduce((total, trial) => total + trial[key], 0);
}

/** Merging histograms is exact; averaging percentiles would not be. Feeds the percentile plot only. */
function mergeHistograms(encoded: readonly string[]): string | undefined {
  const [first, ...rest] = encoded;
  if (first === undefined) return undefined;
  const merged = hdr.decodeFromCompressedBase64(first);
  for (const text of rest) merged.add(hdr.decodeFromCompressedBase64(text));
  return hdr.encodeIntoCompressedBase64(merged);
}
