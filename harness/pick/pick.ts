import { ofNodeClients } from "../results/languages.ts";
import type { Pick } from "../results/model.ts";
import { rankByRounds } from "../results/ranking.ts";
import { candidatesOf, type Evidence, type FullQuestion, type Out, type Question, withDefaults } from "./candidates.ts";
import { type Choice, choose, type Judged, toldFrom } from "./choose.ts";
import { flipsOf } from "./flips.ts";
import type { Margin } from "./materiality.ts";
import { otherServers } from "./other-servers.ts";
import { alternatives, notExaminedIn, reasonsFor } from "./reasons.ts";
import { cannotTellWords, sentenceOf } from "./words.ts";

export type { Evidence, Question } from "./candidates.ts";

/**
 * Answers a question: of the candidates of one placement that passed every check, the simplest for which the run does
 * not show that a faster one would matter.
 *
 * The cost of a candidate in a round is the geometric mean of its metric over the sizes. Order and ties come from the
 * ratios of costs within the same rounds (`results/ranking.ts`), as in the tables. `materiality.ts` tests whether a
 * difference matters for a request; `scenarios/simplicity.ts` has the order of simplicity. Where one candidate has
 * fewer than 6 rounds in common with the best, the run cannot tell which is fastest, and the pick states no order.
 */
export function pick(whole: Evidence, asked: Question): Pick | null {
  const evidence = ofNodeClients(whole);
  const question = withDefaults(asked);
  const out: Out = { ruledOut: [], notExamined: [] };
  const ranked = rankByRounds(candidatesOf(evidence, question, question.modes, out));
  const { matters, assumedWorkNs, measuredWorkNs } = question;
  const choice = choose(ranked, marginOf(question));
  if (choice === undefined) return null;
  const verdict = verdictOn(choice);
  const told = verdict !== "cannot-tell";
  const { chosen, fastest, all } = told ? choice : { ...choice, chosen: choice.fastest };
  const { name, mode } = chosen.candidate;
  const { flips, sentences } = told ? flipsOf(evidence, question, chosen) : { flips: [], sentences: [] };
  const words = told ? sentenceOf(choice, question) : cannotTellWords(choice, question);
  const { mix, recorded } = chosen.candidate.rows[0] ?? {};
  const near = all.filter((one) => one !== chosen);
  return {
    transport: name,
    mode,
    placement: question.placement,
    verdict,
    sentence: [words, ...sentences].join(" ") + notExaminedIn(evidence, question, out),
    reasons: told ? reasonsFor(choice, evidence, question) : [],
    fastest: told ? fastest.candidate.name : null,
    runnerUp: told ? (near[0]?.candidate.name ?? null) : null,
    ties: near
      .filter((one) => ["tied", "unknown"].includes(toldFrom(one, chosen)))
      .map(({ candidate }) => candidate.name),
    immaterial: told ? immaterialTo(choice) : [],
    ...out,
    alternatives: told ? alternatives(evidence, question, chosen.candidate) : [],
    otherServers: told ? otherServers(evidence, question, chosen.candidate) : [],
    flips,
    workload: {
      payloads: question.payloads,
      modes: question.modes,
      placement: question.placement,
      benchmark: question.benchmark,
      peer: question.peer,
      ...(mix === undefined ? {} : { mix }),
      ...(recorded === undefined ? {} : { recorded: { name: recorded.name, count: recorded.count } }),
      ...(question.codec === undefined ? {} : { codec: question.codec }),
      ...(question.clients === undefined ? {} : { clients: question.clients }),
      ...(question.ratePerSecond === undefined ? {} : { ratePerSecond: question.ratePerSecond }),
      ...(question.neededClients === undefined ? {} : { neededClients: question.neededClients }),
      optimize: question.optimize,
      matters,
      assumedWorkNs,
      measuredWorkNs,
    },
    ranking: all.map(({ candidate, comparison: { ratio, interval }, materiality: found }) => ({
      transport: candidate.name,
      mode: candidate.mode,
      ratio,
      interval,
      ...(found === undefined || !told ? {} : { request: found }),
    })),
  };
}

/** Returns the question that a pick answers. */
export function questionOfPick({ workload }: Pick): Question {
  const { benchmark = "round-trip", peer = "node", mix: _mix, recorded: _recorded, ...rest } = workload;
  return { ...rest, benchmark, peer };
}

/** Returns the smallest difference that is worth a decision. */
export function marginOf(question: FullQuestion): Margin {
  const { matters: share, assumedWorkNs, measuredWorkNs } = question;
  return { share, assumedWorkNs, measuredWorkNs, queued: queuedIn(question) };
}

/**
 * Returns the number of requests whose work each request waits for: with clients that wait for their replies, a server
 * always has a request of each, and it works on one at a time.
 */
function queuedIn({ clients = 1, ratePerSecond, optimize }: FullQuestion): number {
  const isTime = optimize === "p50" || optimize === "p99";
  return isTime && ratePerSecond === null ? clients : 1;
}

function verdictOn({ chosen, fastest, all }: Choice): NonNullable<Pick["verdict"]> {
  const others = all.slice(1);
  if (others.length === 0) return "alone";
  if (others.some(({ standing }) => standing === "unknown")) return "cannot-tell";
  if (chosen !== fastest && chosen.standing === "behind") return "immaterial";
  return others.some(({ standing }) => standing === "tied") ? "tie" : "ahead";
}

/** Returns candidates that are told apart from the chosen one although the difference is not shown to matter. */
function immaterialTo({ chosen, all }: Choice): string[] {
  const isNear = (one: Judged): boolean => one.materiality === undefined || one.materiality.matters !== "yes";
  return all
    .filter((one) => one !== chosen && isNear(one) && ["best", "behind"].includes(toldFrom(one, chosen)))
    .map(({ candidate }) => candidate.name);
}
