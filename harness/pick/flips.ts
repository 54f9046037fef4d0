import { bytes, count } from "../results/format.ts";
import type { Pick } from "../results/model.ts";
import { rankByRounds } from "../results/ranking.ts";
import { candidatesOf, type Evidence, type FullQuestion, isAtLoad, type Out } from "./candidates.ts";
import type { Judged } from "./choose.ts";
import { METRICS } from "./metric.ts";
import { shareOf, shownName } from "./words.ts";

type Flip = NonNullable<Pick["flips"]>[number];

/** Measured point besides that of the question: the same question with another size or load. */
interface Point extends globalThis.Pick<Flip, "over" | "at" | "ratePerSecond"> {
  readonly there: FullQuestion;
  /** Name of the point, as a sentence begins: `With 8 clients`. */
  readonly words: string;
}

/** Flips of an answer, and what to state about them. */
export interface Flips {
  readonly flips: readonly Flip[];
  /** Sentences of the flips; then one for each load that was asked for and shows none. */
  readonly sentences: readonly string[];
}

/**
 * Returns measured points, besides those of the question, at which another candidate of the class is surely ahead of
 * the chosen one by more than the margin. What lies between measured points is left open: nothing is extrapolated.
 */
export function flipsOf(evidence: Evidence, question: FullQuestion, chosen: Judged): Flips {
  const loads = loadPoints(evidence, question);
  const atLoads = loads.map((point) => flipAt(evidence, point, chosen));
  const flips = [...sizePoints(evidence, question).map((point) => flipAt(evidence, point, chosen)), ...atLoads].filter(
    (flip) => flip !== undefined,
  );
  const without = loads.flatMap(({ words }, index) => (atLoads[index] === undefined ? [words] : []));
  const none = without.map(
    (words) => `${words}, no other mechanism is shown to be better by more than ${shareOf(question)}.`,
  );
  return { flips, sentences: [...flips.map(({ sentence }) => sentence), ...none] };
}

function sizePoints({ measurements }: Evidence, question: FullQuestion): Point[] {
  const sizes = measurements
    .filter(
      (row) => row.benchmark === question.benchmark && row.placement === question.placement && isAtLoad(row, question),
    )
    .map(({ payloadBytes }) => payloadBytes)
    .filter((size) => !question.payloads.includes(size));
  return [...new Set(sizes)]
    .toSorted((a, b) => a - b)
    .map((at) => ({
      over: "payloadBytes",
      at,
      there: { ...question, payloads: [at] },
      words: `At ${bytes(at)}`,
    }));
}

/** Returns the other loads of a question that names one, fewest clients first, then the lowest rate. */
function loadPoints({ measurements }: Evidence, question: FullQuestion): Point[] {
  if (question.clients === undefined) return [];
  const rows = measurements.filter(
    (row) => row.benchmark === question.benchmark && row.placement === question.placement && !isAtLoad(row, question),
  );
  return [...Map.groupBy(rows, ({ clients, ratePerSecond }) => `${clients} ${ratePerSecond}`).values()]
    .flatMap(([row]) => row ?? [])
    .toSorted((a, b) => a.clients - b.clients || (a.ratePerSecond ?? 0) - (b.ratePerSecond ?? 0))
    .map(({ clients, ratePerSecond }): Point => {
      const there = { ...question, clients, ratePerSecond };
      const rate = ratePerSecond === null ? "" : `${ratePerSecond} a second`;
      const hasOtherRate = ratePerSecond !== question.ratePerSecond;
      if (clients === question.clients)
        return { over: "ratePerSecond", at: ratePerSecond ?? 0, there, words: `At ${rate}` };
      const words = `With ${count(clients, "client")}${hasOtherRate && rate !== "" ? ` at ${rate}` : ""}`;
      return { over: "clients", at: clients, ...(hasOtherRate ? { ratePerSecond } : {}), there, words };
    });
}

function flipAt(evidence: Evidence, { there, words, ...point }: Point, chosen: Judged): Flip | undefined {
  const { mode, name } = chosen.candidate;
  const out: Out = { ruledOut: [], notExamined: [] };
  const ranked = rankByRounds(candidatesOf(evidence, there, [mode], out));
  const [best] = ranked;
  const own = ranked.find(({ row }) => row.name === name);
  if (best === undefined || own === best) return undefined;
  const where = { ...point, transport: best.row.name };
  if (own === undefined) {
    const reason = out.ruledOut.find(({ transport }) => transport === name)?.reason;
    if (reason === undefined) return undefined;
    return { ...where, sentence: `${words}, ${shownName(name)} is ruled out (${reason}).` };
  }
  const { interval, ratio } = own.comparison;
  if (interval === null || interval[0] <= 1 + there.matters) return undefined;
  const { less } = METRICS[there.optimize];
  const range = `${interval[0].toFixed(1)} to ${interval[1].toFixed(1)}`;
  const times = `${ratio.toFixed(1)} times ${less} as ${shownName(name)} (${range})`;
  const sentence = `${words}, ${shownName(best.row.name)} is ${times}.`;
  return { ...where, ratio, interval, sentence };
}
