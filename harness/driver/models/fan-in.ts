import type { LoadWindow, UsageReport } from "../../process/messages.ts";
import { ClientGroup } from "./client-group.ts";
import { givenUp, type Model, type Window } from "./model.ts";

const WINDOW_TIMEOUT_MS = 60_000;

/** Client processes of their own, each with one request in flight, started by one signal. */
export const fanIn: Model = {
  id: "fan-in",
  async prepare(site, { clients, payloadBytes }) {
    const { address } = site.link.peer;
    const group = await ClientGroup.start(site, clients, { kind: "load", address, payloadBytes });
    let used = NOTHING_USED;
    return {
      async window(count) {
        group.tell({ type: "go", messages: Math.max(1, Math.ceil(count / clients)) });
        try {
          const windows = await group.collect("load-window", WINDOW_TIMEOUT_MS);
          used = sumUsage(windows.map(({ usage }) => usage));
          return together(windows);
        } catch (error) {
          return givenUp(count, (error as Error).message);
        }
      },
      usage: () => used,
      end: () => group.end(),
    };
  },
};

const NOTHING_USED: UsageReport = {
  type: "usage",
  cpuMicros: 0,
  voluntarySwitches: 0,
  involuntarySwitches: 0,
  peakMemoryBytes: 0,
  gcPauseNs: 0,
};

function sumUsage(reports: readonly UsageReport[]): UsageReport {
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

/** One population: the samples of all, over the span from the first start to the last end. */
function together(windows: readonly LoadWindow[]): Window {
  const started = windows.map(({ startedNs }) => BigInt(startedNs)).reduce((a, b) => (a < b ? a : b));
  const ended = windows.map(({ endedNs }) => BigInt(endedNs)).reduce((a, b) => (a > b ? a : b));
  const total = (key: "messages" | "lost" | "duplicated" | "reordered" | "corrupted"): number =>
    windows.reduce((sum, window) => sum + window[key], 0);
  const samples = new Float64Array(total("messages"));
  let at = 0;
  for (const window of windows) {
    const own = new Float64Array(new Uint8Array(Buffer.from(window.samples, "base64")).buffer);
    samples.set(own, at);
    at += own.length;
  }
  const problem = windows.find((window) => window.problem !== undefined)?.problem;
  return {
    messages: total("messages"),
    elapsedNs: Number(ended - started),
    samples,
    lost: total("lost"),
    duplicated: total("duplicated"),
    reordered: total("reordered"),
    corrupted: total("corrupted"),
    ...(problem === undefined ? {} : { problem }),
  };
}
