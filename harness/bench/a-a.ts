/**
 * Measures how often the harness reports a difference where there is none:
 * `npm run bench:aa [-- --runs 40 --keep <file>]`.
 *
 * Each run measures two arms of the same code, in as many rounds as a plain `compare` has. The 95 % interval of their
 * paired ratio (within rounds) must contain 1 in at least 90 % of the runs. The coverage of the intervals of absolute
 * medians is printed and not required: a machine that changes speed between runs breaks it without fault of the method.
 *
 * With `--keep`, runs are added to those of the file, so that the 40 may be measured in parts.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { LEAST_FOR_INTERVAL } from "../coordinator/stop-rule.ts";
import { medianInterval } from "../results/intervals.ts";
import type { Interval, Measurement } from "../results/model.ts";
import { median } from "../results/quantiles.ts";
import { store } from "../results/store.ts";
import { measureCells } from "./measure-cells.ts";
import { benchOptions, countOf } from "./options.ts";

const WANTED = 0.9;
const reference = { id: "unix", module: null };

interface Run {
  readonly ratio: number;
  readonly interval: Interval;
  /** p50 and its interval of each arm. */
  readonly absolute: readonly { readonly p50: number; readonly interval: Interval }[];
}

const values = benchOptions({
  runs: { type: "string", default: "40" },
  trials: { type: "string", default: String(LEAST_FOR_INTERVAL) },
  keep: { type: "string" },
});
const [runs, trials] = [countOf("runs", values.runs), countOf("trials", values.trials, LEAST_FOR_INTERVAL)];

function p50s(row: Measurement | undefined): Map<number, number> {
  return new Map(
    (row?.trials ?? []).flatMap((trial) =>
      trial.status === "valid" && trial.latencyNs ? [[trial.round, trial.latencyNs.p50] as const] : [],
    ),
  );
}

function intervalOf(values: readonly number[]): Interval {
  const interval = medianInterval(values);
  if (interval === undefined) throw new Error(`${values.length} trials are too few for an interval`);
  return interval;
}

async function measureOnce(): Promise<Run> {
  const rows = await measureCells({
    references: [reference, { ...reference }],
    placement: "same-cpu",
    benchmark: "round-trip",
    trials,
    messages: 1000,
    seed: Math.floor(Math.random() * 2 ** 32),
  });
  const [a, b] = [p50s(rows[0]), p50s(rows[1])];
  const ratios = [...a].flatMap(([round, value]) => {
    const other = b.get(round);
    return other === undefined ? [] : [value / other];
  });
  const absolute = [a, b].map((arm) => ({ p50: median([...arm.values()]), interval: intervalOf([...arm.values()]) }));
  return { ratio: median(ratios), interval: intervalOf(ratios), absolute };
}

const contains = ([low, high]: Interval, value: number): boolean => low <= value && value <= high;
const share = (found: readonly boolean[]): number => found.filter(Boolean).length / found.length;

const all: Run[] =
  values.keep !== undefined && existsSync(values.keep) ? JSON.parse(readFileSync(values.keep, "utf8")) : [];
for (let left = runs; left > 0; left--) {
  const run = await measureOnce();
  all.push(run);
  if (values.keep !== undefined) store(dirname(values.keep), basename(values.keep), JSON.stringify(all));
  const [low, high] = run.interval;
  process.stdout.write(
    `run ${all.length}: ratio ${run.ratio.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})` +
      `${contains(run.interval, 1) ? "" : "  MISSES 1"}\n`,
  );
}
const truth = median(all.flatMap(({ absolute }) => absolute.map(({ p50 }) => p50)));
const covered = share(all.map(({ interval }) => contains(interval, 1)));
const absolute = share(all.flatMap((run) => run.absolute.map(({ interval }) => contains(interval, truth))));
const off = all.map(({ ratio }) => Math.abs(ratio - 1)).sort((a, b) => a - b);
process.stdout.write(
  `${all.length} runs of ${trials} rounds: the paired ratio covers 1 in ${(covered * 100).toFixed(0)} %, ` +
    `wanted >= ${WANTED * 100} %: ${covered >= WANTED ? "holds" : "MISSED"}\n` +
    `the ratio is off by ${(median(off) * 100).toFixed(1)} % in the middle ` +
    `and ${((off.at(-1) ?? 0) * 100).toFixed(1)} % at most\n` +
    `the interval of the absolute median covers that of all runs in ${(absolute * 100).toFixed(0)} % (not required)\n`,
);
process.exitCode = covered >= WANTED ? 0 : 1;
