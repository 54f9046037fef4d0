import type { LoadWindow, UsageReport } from "../../process/messages.ts";
import type { CLEAN, Window } from "./model.ts";

/** Measurements of one of several clients in a window. */
export interface ClientWindow extends Window {
  readonly samples: Float64Array;
  /** Index of the request of each sample; only in the process of the client. */
  readonly order?: Uint32Array;
  /** Time of the start, CLOCK_MONOTONIC. */
  readonly startedNs: bigint;
}

/** Unpacks what a client process reported. */
export function clientWindowOf({
  startedNs,
  endedNs,
  samples,
  lateness,
  groupOf,
  ...window
}: LoadWindow): ClientWindow {
  return {
    ...window,
    startedNs: BigInt(startedNs),
    elapsedNs: Number(BigInt(endedNs) - BigInt(startedNs)),
    samples: unpacked(samples),
    ...(lateness === undefined ? {} : { lateness: unpacked(lateness) }),
    ...(groupOf === undefined ? {} : { groupOf: unpacked(groupOf) }),
  };
}

function unpacked(base64: string): Float64Array {
  return new Float64Array(new Uint8Array(Buffer.from(base64, "base64")).buffer);
}

/** Merges the windows of all clients: all samples, and the time from the first start to the last end. */
export function together(windows: readonly ClientWindow[]): Window {
  const started = windows.map(({ startedNs }) => startedNs).reduce((a, b) => (a < b ? a : b));
  const ended = windows
    .map(({ startedNs, elapsedNs }) => startedNs + BigInt(Math.round(elapsedNs)))
    .reduce((a, b) => (a > b ? a : b));
  const total = (key: "messages" | keyof typeof CLEAN): number => windows.reduce((sum, window) => sum + window[key], 0);
  const problem = windows.find((window) => window.problem !== undefined)?.problem;
  const behind = windows.flatMap(({ refused }) => refused ?? []);
  // One process of several was late: the load as a whole fell behind only where half of them were.
  const refused = 2 * behind.length >= windows.length ? behind[0] : undefined;
  const lateness = windows.flatMap((window) => (window.lateness === undefined ? [] : [window.lateness]));
  const groupOf = windows.flatMap((window) => (window.groupOf === undefined ? [] : [window.groupOf]));
  return {
    messages: total("messages"),
    elapsedNs: Number(ended - started),
    samples: interleaved(windows.map(({ samples }) => samples)),
    lost: total("lost"),
    duplicated: total("duplicated"),
    reordered: total("reordered"),
    corrupted: total("corrupted"),
    ...(lateness.length === 0 ? {} : { lateness: interleaved(lateness) }),
    // In the same order as the samples, since both have the same lengths.
    ...(groupOf.length === 0 ? {} : { groupOf: interleaved(groupOf) }),
    ...(problem === undefined ? {} : { problem }),
    ...(refused === undefined ? {} : { refused }),
  };
}

/** Merges samples in approximate order of time, so that the two halves of a window can be compared. */
function interleaved(lists: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(lists.reduce((sum, list) => sum + list.length, 0));
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  let at = 0;
  for (let index = 0; index < longest; index++) {
    for (const list of lists) if (index < list.length) all[at++] = list[index] as number;
  }
  return all;
}

export const NOTHING_USED: UsageReport = {
  type: "usage",
  cpuMicros: 0,
  voluntarySwitches: 0,
  involuntarySwitches: 0,
  peakMemoryBytes: 0,
  gcPauseNs: 0,
};

export function sumUsage(reports: readonly UsageReport[]): UsageReport {
  return reports.reduce(
    (sum, each) => ({
      type: "usage",
      cpuMicros: sum.cpuMicros + each.cpuMicros,
      voluntarySwitches: sum.voluntarySwitches + each.voluntarySwitches,
      involuntarySwitches: sum.involuntarySwitches + each.involuntarySwitches,
      peakMemoryBytes: sum.peakMemoryBytes + each.peakMemoryBytes,
      gcPauseNs: sum.gcPauseNs + each.gcPauseNs,
    }),
    NOTHING_USED,
  );
}
