import { bytes } from "../results/format.ts";
import type { Pick } from "../results/model.ts";
import { rankByRounds } from "../results/ranking.ts";
import { candidatesOf, type Evidence, type FullQuestion } from "./candidates.ts";
import type { Judged } from "./choose.ts";
import { METRICS } from "./metric.ts";
import { shownName } from "./words.ts";

type Flip = NonNullable<Pick["flips"]>[number];

/**
 * Returns measured sizes, besides those of the question, at which another candidate of the class is surely ahead of the
 * chosen one by more than the margin. Sizes between two measured ones are left open: nothing is extrapolated.
 */
export function sizeFlips(evidence: Evidence, question: FullQuestion, chosen: Judged): Flip[] {
  const { mode, name } = chosen.candidate;
  const sizes = new Set(
    evidence.measurements
      .filter((row) => row.benchmark === question.benchmark && row.placement === question.placement)
      .map(({ payloadBytes }) => payloadBytes)
      .filter((size) => !question.payloads.includes(size)),
  );
  return [...sizes]
    .toSorted((a, b) => a - b)
    .flatMap((size): Flip[] => {
      const there = { ...question, payloads: [size] };
      const candidates = candidatesOf(evidence, there, [mode]);
      const ranked = rankByRounds(candidates);
      const [best] = ranked;
      const own = ranked.find(({ row }) => row.name === name);
      const interval = own?.comparison.interval;
      if (best === undefined || own === undefined || own === best || !interval) return [];
      if (interval[0] <= 1 + question.matters) return [];
      const { less } = METRICS[question.optimize];
      const range = `${interval[0].toFixed(1)} to ${interval[1].toFixed(1)}`;
      const shown = shownName(best.row.name);
      const sentence = `At ${bytes(size)}, ${shown} is ${own.comparison.ratio.toFixed(1)} times ${less} (${range}).`;
      return [
        { over: "payloadBytes", at: size, transport: best.row.name, ratio: own.comparison.ratio, interval, sentence },
      ];
    });
}
