import type { Pick } from "../results/model.ts";
import { compareRounds } from "../results/ranking.ts";
import { type Candidate, candidatesOf, type Evidence, type FullQuestion, isOtherLanguage } from "./candidates.ts";
import { METRICS } from "./metric.ts";
import { costOf, figuresText, overSizes, shownName, timesAs } from "./words.ts";

type OtherServer = NonNullable<Pick["otherServers"]>[number];

/**
 * Returns results with a server in another language than the question's, compared with the chosen candidate. Such a
 * server waits in another way, in a thread that blocks, so it is no candidate.
 */
export function otherServers(evidence: Evidence, question: FullQuestion, chosen: Candidate): OtherServer[] {
  const languages = new Set(evidence.measurements.map(({ peer }) => peer.language));
  const others = [...languages].filter((language) => isOtherLanguage(language, question));
  return others.flatMap((language) =>
    candidatesOf(evidence, { ...question, peer: language }, question.modes)
      .filter(({ rows }) => rows.every(({ peer }) => peer.language === language))
      .map((candidate) => describe(candidate, language, question, chosen)),
  );
}

function describe(candidate: Candidate, language: string, question: FullQuestion, chosen: Candidate): OtherServer {
  const { name: transport, mode, rows } = candidate;
  const { show, more } = METRICS[question.optimize];
  const found = compareRounds(candidate.rounds, chosen.rounds);
  const { ratio, interval } = found;
  const times =
    interval === null
      ? "too few rounds to compare"
      : `${timesAs(found, more, 2, shownName(chosen.name))}${overSizes(question)}`;
  const isTie = interval !== null && interval[0] <= 1 && interval[1] >= 1;
  const told = isTie ? ", not distinguishable in this run" : "";
  const cost = costOf(candidate);
  const price = cost === undefined ? "" : `, and uses ${cost}`;
  const sentence = `${transport} (server in ${language}) takes ${figuresText(rows, show)}: ${times}${told}${price}.`;
  return { transport, mode, language, sentence, ...(interval === null ? {} : { ratio, interval }) };
}
