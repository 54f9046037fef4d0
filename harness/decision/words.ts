import { withDefaults } from "../pick/candidates.ts";
import { METRICS } from "../pick/metric.ts";
import type { Question } from "../pick/pick.ts";
import { shareOf, timesAs } from "../pick/words.ts";
import { count, duration } from "../results/format.ts";
import type { Interval } from "../results/model.ts";
import type { Against, Judgement } from "./verdict.ts";

const RESULT: Readonly<Record<Judgement["outcome"], (judgement: Judgement) => string>> = {
  holds: () => "it still holds",
  "other-wins": ({ winner }) => `another one wins: ${winner}`,
  "cannot-tell": () => "this run cannot tell whether it holds",
};

/**
 * Writes the sentence of a recheck.
 *
 * @param changed conditions that differ from those of the record and were not accepted
 * @param before judgement on the figures of the record, to state which ratios have changed
 */
export function sentenceOfRecheck(
  judgement: Judgement,
  question: Question,
  changed: readonly string[],
  before?: Judgement,
): string {
  const result = RESULT[judgement.outcome](judgement);
  const head =
    changed.length === 0
      ? `${judgement.chosen}: ${result}`
      : `conditions changed: ${changed.join("; ")}; measured here, ${result}`;
  return [`${head}.`, ...grounds(judgement, question, before)].join(" ");
}

/** Returns what helps a run that cannot tell; undefined if it decided, or if nothing that is open was compared. */
export function remedyOf({ outcome, against }: Judgement): string | undefined {
  const isOpen = against.some((one) => one.outcome === "cannot-tell" && one.reason === undefined);
  if (outcome !== "cannot-tell" || !isOpen) return undefined;
  return "a longer --budget, or less other load on this machine, narrows the intervals";
}

/** Returns a sentence for each rival. */
export function grounds(judgement: Judgement, question: Question, before?: Judgement): string[] {
  const { chosen, outcome, against, reason } = judgement;
  if (reason !== undefined)
    return [`${chosen} ${outcome === "other-wins" ? "is ruled out" : "was not compared"}: ${reason}.`];
  if (against.length === 0) return ["The record has no other option that was compared."];
  return against.map((one) => {
    const then = before?.against.find(({ rival }) => rival === one.rival);
    return `${groundOf(one, chosen, question)}${movedSince(one, then)}.`;
  });
}

function groundOf(one: Against, chosen: string, question: Question): string {
  const { rival, rivalIsSimpler, comparison, outcome, reason } = one;
  if (reason !== undefined)
    return outcome === "holds" ? `${rival} is ruled out: ${reason}` : `${rival} was not compared: ${reason}`;
  const [slow, fast] = rivalIsSimpler ? [rival, chosen] : [chosen, rival];
  if (comparison.interval === null)
    return `${slow} and ${fast} were measured together in ${count(comparison.common, "round")}, and an order needs 6`;
  const full = withDefaults(question);
  const takes = `${slow} takes ${timesAs(comparison, METRICS[full.optimize].more, 2, fast)}`;
  const subject = rivalIsSimpler ? `${rival} is simpler: ${takes}` : takes;
  return `${subject}${ofRequest(one, question)}, ${claimOf(one, shareOf(full))}`;
}

/** States whether the simpler option is slower by the margin. */
function claimOf({ outcome, rivalIsSimpler }: Against, share: string): string {
  if (outcome === "cannot-tell") return `and whether it is slower by more than the ${share} that matter is not shown`;
  const isSlower = (outcome === "holds") === rivalIsSimpler;
  return `which is ${isSlower ? "" : "not "}slower by more than the ${share} that matter`;
}

/** Adds the ratio of whole requests if a request has work besides the exchange. */
function ofRequest({ request }: Against, question: Question): string {
  const { assumedWorkNs } = withDefaults(question);
  if (assumedWorkNs === 0 || !request?.bounds) return "";
  const range = request.bounds.map((end) => end.toFixed(2)).join(" to ");
  return `, and a request with ${duration(assumedWorkNs)} of work ${request.ratio.toFixed(2)} times (${range})`;
}

/** States the ratio of the record if its interval does not overlap that of this run. */
function movedSince({ comparison: now }: Against, then: Against | undefined): string {
  const [one, other] = [now.interval, then?.comparison.interval ?? null];
  if (one === null || other === null || overlap(one, other)) return "";
  const range = other.map((end) => end.toFixed(2)).join(" to ");
  return ` (in the record it was ${then?.comparison.ratio.toFixed(2)} times, ${range})`;
}

const overlap = (one: Interval, other: Interval): boolean => one[0] <= other[1] && other[0] <= one[1];
