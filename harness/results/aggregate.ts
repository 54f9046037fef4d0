import { mergeHistograms } from "./histogram.ts";
import { medianInterval } from "./intervals.ts";
import type { GroupFigures, Interval, Quantiles, RowFigures, Trial, TrialFigures, ValidTrial } from "./model.ts";
import { enoughTogether, median } from "./quantiles.ts";
import { medianServerMemory } from "./server-memory.ts";
import { stationarity } from "./stationarity.ts";

/** Returns medians over trials, with their intervals. */
export function aggregate(trials: readonly Trial[], payloadBytes: number): RowFigures {
  const valid = trials.filter((trial) => trial.status === "valid");
  const latencies = valid.flatMap(({ latencyNs }) => (latencyNs === undefined ? [] : [latencyNs]));
  const idle = medianOf(valid, (trial) => trial.idleCpuShare ?? null);
  const memories = valid.flatMap(({ serverMemory }) => serverMemory ?? []);
  const memory = memories.length === 0 ? undefined : medianServerMemory(memories);
  // A model that sends nothing, or hardly anything, has no rate: a rate would look like a measured one.
  const rate = idle === null && memory === undefined ? medianOf(valid, (trial) => trial.messagesPerSecond) : null;
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
    voluntarySwitchesPerMessage: medianOf(valid, (trial) => trial.voluntarySwitchesPerMessage ?? null),
    involuntarySwitchesPerMessage: medianOf(valid, (trial) => trial.involuntarySwitchesPerMessage ?? null),
    peakMemory: peakMemoryOf(valid) ?? null,
    ...(idle === null ? {} : { idleCpuShare: idle }),
    ...optional("latenessNs", latenessOf(valid)),
    ...optional("phasesNs", phasesOf(valid)),
    ...optional("serverMemory", memory),
    ...optional("groups", groupsOf(valid)),
    ...optional("stationarity", stationarity(valid)),
  };
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [Name in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [Name in Key]?: Value };
}

function peakMemoryOf(valid: readonly ValidTrial[]): RowFigures["peakMemory"] {
  const driver = medianOf(valid, (trial) => trial.peakMemory?.driver ?? null);
  if (driver === null) return null;
  return { driver, peer: medianOf(valid, (trial) => trial.peakMemory?.peer ?? null) };
}

function latenessOf(valid: readonly ValidTrial[]): RowFigures["latenessNs"] {
  const all = valid.flatMap(({ latenessNs }) => latenessNs ?? []);
  if (all.length === 0) return undefined;
  const histogram = mergeHistograms(all.flatMap((each) => each.histogram ?? []));
  return {
    p50: median(all.map(({ p50 }) => p50)),
    p99: median(all.map(({ p99 }) => p99)),
    max: median(all.map(({ max }) => max)),
    ...(histogram === undefined ? {} : { histogram }),
  };
}

function phasesOf(valid: readonly ValidTrial[]): RowFigures["phasesNs"] {
  const all = valid.flatMap(({ phasesNs }) => (phasesNs === undefined ? [] : [phasesNs]));
  const names = Object.keys(all[0] ?? {});
  if (names.length === 0) return undefined;
  return Object.fromEntries(names.map((name) => [name, median(all.map((phases) => phases[name] ?? 0))]));
}

/** Returns the groups of all trials, in the order of the first trial. */
function groupsOf(valid: readonly ValidTrial[]): GroupFigures[] | undefined {
  const names = new Set(valid.flatMap(({ groups = [] }) => groups.map(({ name }) => name)));
  if (names.size === 0) return undefined;
  return [...names].map((name) => {
    const found = valid.flatMap(({ groups = [] }) => groups.filter((group) => group.name === name));
    const latencies = found.map(({ latencyNs }) => latencyNs);
    const latencyNs = medianQuantiles(latencies);
    const { p50, p99 } = intervals([], latencies, latencyNs);
    const interval = { ...optional("p50", p50), ...optional("p99", p99) };
    return { name, latencyNs, interval };
  });
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
  valid: readonly ValidTrial[],
  latencies: readonly Quantiles[],
  quantiles: Quantiles | undefined,
): RowFigures["interval"] {
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

function medianOf(trials: readonly ValidTrial[], pick: (trial: ValidTrial) => number | null): number | null {
  const values = trials.map(pick).filter((value) => value !== null);
  return values.length === 0 ? null : median(values);
}

function sum(trials: readonly Trial[], key: "lost" | "duplicated" | "reordered"): number {
  return trials.reduce((total, trial) => total + (countsOf(trial)?.[key] ?? 0), 0);
}

function countsOf(trial: Trial): TrialFigures | undefined {
  return trial.status === "valid" ? trial : trial.evidence;
}
