/**
 * Does the harness see a difference where there is none? `npm run bench:aa [runs]`.
 *
 * Each run measures two arms that are the same code, as `compare` does. The 95 % interval of their paired ratio (within rounds) must
 * contain 1 in at least 90 % of the runs; how often the interval of the absolute median contains the median of all runs is printed and not
 * required, because a machine that changes speed between runs breaks it without any fault of the method.
 */
import { medianInterval } from "../results/intervals.ts";
import type { Measurement } from "../results/model.ts";
import { median } from "../results/quantiles.ts";
import { measureCells } from "./measure-cells.ts";

const RUNS = Number(process.argv[2] ?? 40);
const TRIALS = 10;
const WANTED = 0.9;
const reference = { id: "unix", module: null };

function p50s(row: Measurement | undefined): Map<number, number> {
  return new Map(
    (row?.trials ?? []).flatMap(({ round, latencyNs }) => (latencyNs ? [[round, latencyNs.p50] as const] : [])),
  );
}

let covered = 0;
const medians: number[] = [];
const intervals: (readonly [number, number])[] = [];
for (let run = 1; run <= RUNS; run++) {
  const rows = await measureCells({
    references: [reference, { ...reference }],
    placement: "same-cpu",
    benchmark: "round-trip",
    trials: TRIALS,
    messages: 1000,
    seed: Math.floor(Math.random() * 2 ** 32),
  });
  const [a, b] = [p50s(rows[0]), p50s(rows[1])];
  const ratios = [...a].flatMap(([round, value]) => (b.has(round) ? [value / (b.get(round) as number)] : []));
  const [low, high] = medianInterval(ratios) ?? [Number.NaN, Number.NaN];
  const contains = low <= 1 && high >= 1;
  if (contains) covered++;
  for (const values of [a, b]) {
    const interval = medianInterval([...values.values()]);
    if (interval === undefined) continue;
    intervals.push(interval);
    medians.push(median([...values.values()]));
  }
  process.stdout.write(
    `run ${run}/${RUNS}: ratio ${median(ratios).toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})${contains ? "" : "  MISSES 1"}\n`,
  );
}
const truth = median(medians);
const absolute = intervals.filter(([low, high]) => low <= truth && truth <= high).length / intervals.length;
const share = covered / RUNS;
process.stdout.write(
  `paired ratio covers 1 in ${(share * 100).toFixed(0)} % of ${RUNS} runs, wanted >= ${WANTED * 100} %: ${share >= WANTED ? "holds" : "MISSED"}\n` +
    `absolute median covered in ${(absolute * 100).toFixed(0)} % (printed, not required)\n`,
);
process.exitCode = share >= WANTED ? 0 : 1;
