import { compareSimplicity } from "../../scenarios/simplicity.ts";
import { type Candidate, candidatesOf, type FullQuestion, type Out, withDefaults } from "../pick/candidates.ts";
import { choose } from "../pick/choose.ts";
import { type Materiality, materiality } from "../pick/materiality.ts";
import { marginOf, type Question } from "../pick/pick.ts";
import type { Report } from "../results/model.ts";
import { type Comparison, compareRounds, rankByRounds } from "../results/ranking.ts";

export type Outcome = "holds" | "other-wins" | "cannot-tell";

/** Result of the chosen option against one rival. */
export interface Against {
  readonly rival: string;
  readonly outcome: Outcome;
  /** True if the rival is simpler: it then wins unless it is slower by the margin. If not, the chosen option does. */
  readonly rivalIsSimpler: boolean;
  /** Cost of the rival relative to the chosen option if the rival is simpler; otherwise the reverse ratio. */
  readonly comparison: Comparison;
  /** The same for the time of a request; absent if no round is common. */
  readonly request?: Materiality;
  /** Reason why the two could not be compared here. */
  readonly reason?: string;
}

export interface Judgement {
  readonly chosen: string;
  readonly outcome: Outcome;
  readonly against: readonly Against[];
  /** Option that wins instead of the chosen one; absent if none does. */
  readonly winner?: string;
  /** Reason why the chosen option itself is ruled out or was not measured. */
  readonly reason?: string;
}

/** Returns the name of a candidate as an option: its id, and its way of waiting if the question allows several. */
export function optionOf({ name, mode }: Pick<Candidate, "name" | "mode">, { modes }: Pick<Question, "modes">): string {
  return modes.length > 1 ? `${name} (${mode})` : name;
}

/** Returns the options that a run has compared for a question, by name, the best first. */
export function optionsOf(report: Report, question: Question, out?: Out): Map<string, Candidate> {
  const full = withDefaults(question);
  const ranked = rankByRounds(candidatesOf(report, full, full.modes, out));
  return new Map(ranked.map(({ row }) => [optionOf(row, question), row]));
}

/** Largest number of rivals: more options would leave each comparison fewer rounds. */
const MOST_RIVALS = 2;

/**
 * Returns the rivals of a chosen option: the fastest of the others, and the one that the rule of the pick would choose
 * without it. If there are only two others, both are rivals.
 */
export function rivalsOf(options: ReadonlyMap<string, Candidate>, chosen: string, question: Question): string[] {
  const full = withDefaults(question);
  const others = [...options].filter(([name]) => name !== chosen).map(([, candidate]) => candidate);
  const choice = choose(rankByRounds(others), marginOf(full));
  if (choice === undefined) return [];
  const found = others.length <= MOST_RIVALS ? choice.all : [choice.chosen, choice.fastest];
  return [...new Set(found.map(({ candidate }) => optionOf(candidate, question)))];
}

/**
 * Judges a chosen option against its rivals by the rows of one run. Both answers need a proof: METHODOLOGY, "The
 * recheck of a decision".
 */
export function judge(report: Report, question: Question, chosen: string, rivals: readonly string[]): Judgement {
  const out: Out = { ruledOut: [], notExamined: [] };
  const options = optionsOf(report, question, out);
  const own = options.get(chosen);
  if (own === undefined) {
    const isRuledOut = out.ruledOut.some(({ transport }) => transport === idOf(chosen));
    const [winner] = rivals.filter((rival) => options.has(rival));
    const reason = absence(chosen, out, report);
    if (!isRuledOut || winner === undefined) return { chosen, outcome: "cannot-tell", against: [], reason };
    return { chosen, outcome: "other-wins", against: [], winner, reason };
  }
  const against = rivals.map((rival): Against => {
    const other = options.get(rival);
    if (other !== undefined) return compareWith(own, other, rival, withDefaults(question));
    const isRuledOut = out.ruledOut.some(({ transport }) => transport === idOf(rival));
    const comparison = { ratio: Number.NaN, interval: null, common: 0 };
    const outcome = isRuledOut ? "holds" : "cannot-tell";
    return { rival, outcome, rivalIsSimpler: false, comparison, reason: absence(rival, out, report) };
  });
  const winner = winnerOf(against, options, question);
  const isUnclear = against.some(({ outcome }) => outcome === "cannot-tell");
  const outcome = winner !== undefined ? "other-wins" : isUnclear ? "cannot-tell" : "holds";
  return { chosen, outcome, against, ...(winner === undefined ? {} : { winner }) };
}

const idOf = (option: string): string => option.replace(/ \(\w+\)$/, "");

function absence(option: string, { ruledOut, notExamined }: Out, { candidates = [] }: Report): string {
  const found = [...ruledOut, ...notExamined].find(({ transport }) => transport === idOf(option));
  const standing = candidates.find(({ transport }) => transport === idOf(option));
  if (standing?.status === "excluded") return `it does not meet the need ${standing.need}: ${standing.reason}`;
  return found?.reason ?? "it was not measured";
}

/** Returns the rival that the rule of the pick would choose among those that win; undefined if none wins. */
function winnerOf(
  against: readonly Against[],
  options: ReadonlyMap<string, Candidate>,
  question: Question,
): string | undefined {
  const winners = against.flatMap(({ rival, outcome }) => {
    const candidate = options.get(rival);
    return outcome === "other-wins" && candidate !== undefined ? [candidate] : [];
  });
  const choice = choose(rankByRounds(winners), marginOf(withDefaults(question)));
  return choice === undefined ? undefined : optionOf(choice.chosen.candidate, question);
}

function compareWith(own: Candidate, other: Candidate, rival: string, question: FullQuestion): Against {
  const rivalIsSimpler = compareSimplicity(other.capabilities, own.capabilities).order < 0;
  const [slow, fast] = rivalIsSimpler ? [other, own] : [own, other];
  const comparison = compareRounds(slow.rounds, fast.rounds);
  const request = materiality(slow.costs, fast.costs, marginOf(question));
  const base = { rival, rivalIsSimpler, comparison, ...(request === undefined ? {} : { request }) };
  if (comparison.interval === null || !request?.bounds) return { ...base, outcome: "cannot-tell" };
  const isSlower = comparison.interval[0] > 1 && request.matters === "yes";
  const isNear = request.bounds[1] < 1 + question.matters;
  if (!isSlower && !isNear) return { ...base, outcome: "cannot-tell" };
  return { ...base, outcome: isSlower === rivalIsSimpler ? "holds" : "other-wins" };
}
