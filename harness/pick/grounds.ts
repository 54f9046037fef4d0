import { evidenceOf } from "../results/evidence.ts";
import type { CandidateStanding, Pick, Question, Report } from "../results/model.ts";
import { excludedIn, ruledOut } from "../results/standings.ts";

/** Report with its question. */
export interface Answered extends globalThis.Pick<Report, "checks" | "transports"> {
  readonly question: Question;
  readonly candidates: readonly CandidateStanding[];
}

const LISTED = new Intl.ListFormat("en", { type: "conjunction" });

/** Adds the grounds of a pick besides times, and the candidates that checks have excluded by a need. */
export function withGrounds(found: Pick | null, answered: Answered): Pick | null {
  if (found === null) return null;
  const grounds = found.verdict === "cannot-tell" ? [] : groundsOf(answered, found.transport);
  // Transports that needs left out before anything ran are in `candidates` alone.
  const refuted = excludedIn(answered).byChecks.map(ruledOut);
  return { ...found, sentence: [found.sentence, ...grounds].join(" "), ruledOut: [...found.ruledOut, ...refuted] };
}

/** Returns sentences on one transport: checks of the question that it passed, and needs that nothing has examined. */
export function groundsOf({ checks, transports, question, candidates }: Answered, transport: string): string[] {
  const { verdict } = evidenceOf({ checks, transports });
  const withStatus = (...wanted: string[]): string[] =>
    question.checks.filter((check) => wanted.includes(verdict(transport, check).status));
  const standing = candidates.find((each) => each.transport === transport);
  const open = standing?.status === "in" ? standing.open : [];
  const stated = open.flatMap(({ need, kind }) => (kind === "record" ? [need] : []));
  const parts = [
    ["It passed", withStatus("passed")],
    ["This machine could not examine", withStatus("unavailable")],
    ["This run did not examine", withStatus("not-examined")],
    ["No check examines what it declares about", stated],
  ] as const;
  return parts.flatMap(([words, names]) => (names.length === 0 ? [] : [`${words} ${LISTED.format(names)}.`]));
}
