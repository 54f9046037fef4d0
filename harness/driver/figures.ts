import type { CellFigures, GroupSummary, Lateness } from "../process/messages.ts";
import { encodeHistogram } from "../results/histogram.ts";
import { packSamples } from "../results/packed-samples.ts";
import { quantileSorted } from "../results/quantiles.ts";
import { halves, summarize } from "../results/samples.ts";
import { type Bracket, costs } from "./costs.ts";
import type { Window } from "./models/model.ts";

/** Extracts the figures of a window for the report. */
export function figuresOf(window: Window, bracket: Bracket | null, idle: boolean): CellFigures {
  const { messages, elapsedNs, samples, lateness, lost, duplicated, reordered, corrupted } = window;
  const hasSamples = samples !== null && samples.length > 0;
  // Must come before `summarize`, which sorts the samples, so that no first and second half exists afterwards.
  const halvesNs = hasSamples ? halves(samples) : null;
  const groups = groupsOf(window);
  const spent = costs(bracket);
  return {
    messages: idle ? 0 : messages,
    elapsedNs,
    samples: hasSamples ? packSamples(samples) : null,
    latencyNs: hasSamples ? summarize(samples) : null,
    ...spent,
    lost,
    duplicated,
    reordered,
    corrupted,
    halvesNs,
    latenessNs: lateness === undefined || lateness.length === 0 ? null : latenessOf(lateness),
    idleCpuShare: idle && spent.cpuNs !== null && elapsedNs > 0 ? spent.cpuNs / elapsedNs : null,
    keptPerSecond: null,
    phasesNs: phasesOf(window, messages),
    serverMemory: window.serverMemory ?? null,
    ...(groups.length === 0 ? {} : { groups }),
  };
}

/** Summarizes the samples of each group; to be called while they are in their order. */
function groupsOf({ samples, groupOf, groupNames = [] }: Window): GroupSummary[] {
  if (samples === null || groupOf === undefined) return [];
  return groupNames.flatMap((name, group) => {
    const own = samples.filter((_, index) => groupOf[index] === group);
    return own.length === 0 ? [] : [{ name, latencyNs: summarize(own) }];
  });
}

function latenessOf(lateness: Float64Array): Lateness {
  const { p50, p99, max } = summarize(lateness);
  return { p50, p99, max, histogram: encodeHistogram(lateness) };
}

function phasesOf({ phases }: Window, count: number): Record<string, number> | null {
  if (phases === undefined || count === 0) return null;
  const medians = Object.entries(phases).map(([name, values]): [string, number] => [
    name,
    quantileSorted(values.slice(0, count).sort(), 0.5),
  ]);
  return Object.fromEntries(medians);
}

/** Returns why a window does not count; undefined if it does. For a lossy mechanism, loss is a result and no fault. */
export function problemOf(window: Window, delivery: "reliable" | "lossy"): string | undefined {
  const { samples, messages, problem } = window;
  const parts = problem === undefined ? [] : [problem];
  for (const fault of ["lost", "duplicated", "reordered", "corrupted"] as const) {
    if (window[fault] === 0 || (fault === "lost" && delivery === "lossy" && messages > 0)) continue;
    parts.push(`${window[fault]} ${fault}`);
  }
  if (window.elapsedNs < 0 || samples?.some((value) => value < 0)) parts.push("the clock went backwards");
  return parts.length === 0 ? undefined : parts.join(", ");
}
