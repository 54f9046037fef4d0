import { loadavg } from "node:os";
import { type CpuClock, readCpuClock, readFrequencyMHz, stealShare } from "../results/environment.ts";
import { encodeHistogram } from "../results/histogram.ts";
import { medianInterval } from "../results/intervals.ts";
import type { CanarySummary, ControlSummary, Placement, RoundRecord } from "../results/model.ts";
import { enoughTogether, median, quantileSorted } from "../results/quantiles.ts";
import { type ControlRun, canaryFigures } from "./controls.ts";

/**
 * Largest p99 of a canary that counts as good: about ten times that of a quiet kernel. Above it, the p99 of a mechanism
 * shows the machine.
 */
export const BAD_CANARY_NS = 500_000;

/** State of the machine, round by round, and the summaries over all of them. */
export class RoundLog {
  readonly rounds: RoundRecord[] = [];
  readonly #delays = new Map<Placement, Float64Array[]>();
  readonly #echoes = new Map<Placement, number[]>();

  /** Begins a round; the function returned ends it. */
  begin(round: number, sinceStartMs: number): (controls: readonly ControlRun[]) => RoundRecord {
    const startedMs = performance.now();
    const steal: CpuClock | null = readCpuClock();
    return (controls) => {
      for (const control of controls) this.#keep(control);
      const record: RoundRecord = {
        round,
        startedAtMs: Math.round(sinceStartMs),
        durationMs: Math.round(performance.now() - startedMs),
        stealShare: stealShare(steal, readCpuClock()),
        loadAverage1: loadavg()[0] ?? 0,
        frequencyMHz: readFrequencyMHz(),
        controls: controls.flatMap(({ placement, echo }) =>
          echo === null ? [] : [{ placement, p50: echo.p50, count: echo.count }],
        ),
        canaries: controls.flatMap(({ placement, delaysNs }) =>
          delaysNs === null ? [] : [{ placement, ...canaryFigures(delaysNs) }],
        ),
      };
      this.rounds.push(record);
      return record;
    };
  }

  #keep({ placement, echo, delaysNs }: ControlRun): void {
    if (echo !== null) this.#echoes.set(placement, [...(this.#echoes.get(placement) ?? []), echo.p50]);
    if (delaysNs !== null) this.#delays.set(placement, [...(this.#delays.get(placement) ?? []), delaysNs]);
  }

  controls(): Partial<Record<Placement, ControlSummary>> {
    return Object.fromEntries(
      [...this.#echoes].map(([placement, p50s]) => {
        const interval = medianInterval(p50s);
        const spread = Math.max(...p50s) / Math.min(...p50s);
        const summary = {
          p50: median(p50s),
          ...(interval === undefined ? {} : { interval }),
          spread,
          rounds: p50s.length,
        };
        return [placement, summary];
      }),
    );
  }

  canaries(): Partial<Record<Placement, CanarySummary>> {
    return Object.fromEntries([...this.#delays].map(([placement, runs]) => [placement, summarizeCanary(runs)]));
  }
}

/** Summarizes wake-ups of all rounds as one population: they are events of the machine, not of a process pair. */
function summarizeCanary(runs: readonly Float64Array[]): CanarySummary {
  const counts = runs.map((run) => run.length);
  const all = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  for (const run of runs) {
    all.set(run, at);
    at += run.length;
  }
  all.sort();
  const shown = (q: number): number | undefined =>
    enoughTogether(q, [all.length]) ? quantileSorted(all, q) : undefined;
  const p99 = shown(0.99);
  const judged = p99 ?? quantileSorted(all, 0.99);
  const bad = judged > BAD_CANARY_NS;
  return {
    count: all.length,
    p50: quantileSorted(all, 0.5),
    ...defined("p90", shown(0.9)),
    ...defined("p99", p99),
    ...defined("p999", shown(0.999)),
    max: all.at(-1) as number,
    bad,
    sentence: bad
      ? `this machine itself wakes a sleeping process ${(judged / 1e6).toFixed(2)} ms late in 1 of 100 cases: ` +
        "a p99 here describes the machine; compare medians, or repeat with --keep-awake"
      : `this machine wakes a sleeping process within ${Math.round(judged / 1000)} µs in 99 of 100 cases`,
    histogram: encodeHistogram(all),
  };
}

function defined<Key extends string>(key: Key, value: number | undefined): { [Name in Key]?: number } {
  return (value === undefined ? {} : { [key]: value }) as { [Name in Key]?: number };
}
