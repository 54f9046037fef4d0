import type { WaitMode } from "../../transports/contract/capabilities.ts";
import { duration } from "../results/format.ts";
import type { Pick } from "../results/model.ts";
import { compareRounds, rankByRounds } from "../results/ranking.ts";
import { type Candidate, candidatesOf, type Evidence, type FullQuestion, type Out } from "./candidates.ts";
import type { Choice } from "./choose.ts";
import { METRICS } from "./metric.ts";
import { costOf, figuresText, nameOf, overSizes, shareOf, shownName, timesAs } from "./words.ts";

/** Returns reasons for the chosen one, besides the sentence. */
export function reasonsFor({ chosen, fastest, all }: Choice, evidence: Evidence, question: FullQuestion): string[] {
  const { checks, transports } = evidence;
  const { name } = chosen.candidate;
  const own = checks.filter((check) => check.transport === name);
  const passed = own.filter(({ status }) => status === "passed").length;
  const reasons: string[] = [];
  if (question.assumedWorkNs)
    reasons.push(
      `a difference matters if it is more than ${shareOf(question)} of the time of a request with ` +
        `${duration(question.assumedWorkNs)} of work (--matters, --work)`,
    );
  const slowest = all.at(-1);
  // "1.0 times as long" is no reason.
  if (
    slowest !== undefined &&
    slowest.standing === "behind" &&
    slowest !== chosen &&
    slowest.comparison.ratio >= 1.05
  ) {
    const isFastest = chosen === fastest && all.slice(1).every(({ standing }) => standing === "behind");
    const of = `${isFastest ? "fastest of" : "of"} ${all.length} candidates${isFastest ? ";" : ""}`;
    const to = compareRounds(slowest.candidate.rounds, chosen.candidate.rounds);
    const { more } = METRICS[question.optimize];
    const asName = shownName(chosen.candidate.name);
    reasons.push(`${of} the slowest, ${nameOf(slowest)}, takes ${timesAs(to, more, 1, asName)}${overSizes(question)}`);
  }
  for (const { scenario, reason, status } of own)
    if (status === "unavailable") reasons.push(`not examined here: ${scenario}: ${reason}`);
  if (passed > 0) reasons.push(`passed all ${passed} checks that apply to it`);
  const record = transports.find(({ id }) => id === name);
  if (record !== undefined) {
    const { delivery, ordering, peerLoss, languages, platforms } = record.capabilities;
    const order = ordering === "fifo" ? "in order" : "unordered";
    reasons.push(`${delivery} delivery, ${order}, peer loss noticed: ${peerLoss}`);
    const spoken = languages.length > 0 ? `, ${languages.join(", ")}` : "";
    reasons.push(`runs on ${platforms.join(", ")}; spoken by: node${spoken}`);
  }
  const cost = costOf(chosen.candidate);
  if (cost !== undefined) reasons.push(`costs ${cost}, both processes together`);
  return reasons;
}

/** Names what was not examined in the waiting classes asked for, so that it does not read as worse. */
export function notExaminedIn({ transports }: Evidence, { modes }: FullQuestion, { notExamined }: Out): string {
  const wanted = notExamined.filter(({ transport }) =>
    transports.find(({ id }) => id === transport)?.capabilities.modes.some((mode) => modes.includes(mode)),
  );
  if (wanted.length === 0) return "";
  return ` Not examined here: ${[...new Set(wanted.map(({ transport }) => transport))].join(", ")}.`;
}

/** Returns the best of each other waiting class, with the cost of its speed, where it is faster for sure. */
export function alternatives(evidence: Evidence, question: FullQuestion, chosen: Candidate): Pick["alternatives"] {
  const others: WaitMode[] = (["event", "blocking", "polling"] as const).filter(
    (mode) => !question.modes.includes(mode),
  );
  const { less, show } = METRICS[question.optimize];
  return others.flatMap((mode) => {
    const [first] = rankByRounds(candidatesOf(evidence, question, [mode]));
    if (first === undefined) return [];
    const { name, rows } = first.row;
    const { ratio, interval } = compareRounds(first.row.rounds, chosen.rounds);
    if (interval === null || interval[1] >= 1) return [];
    const range = `${(1 / interval[1]).toFixed(1)} to ${(1 / interval[0]).toFixed(1)}`;
    const factor = (1 / ratio).toFixed(1);
    const times = `${factor} times (${range}) ${less} as ${shownName(chosen.name)}${overSizes(question)}`;
    const cost = costOf(first.row);
    const figures = figuresText(rows, show);
    const price = cost === undefined ? "" : `, and uses ${cost}`;
    const sentence = `${CLASS_WORDS[mode]}: ${name} takes ${figures}: ${times}${price}.`;
    return [{ transport: name, mode, sentence, ratio, interval }];
  });
}

const CLASS_WORDS: Readonly<Record<WaitMode, string>> = {
  event: "In an event loop",
  blocking: "If a thread may block",
  polling: "If each end may use a whole CPU",
};
