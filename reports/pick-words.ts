import { isAtLoad } from "../harness/pick/candidates.ts";
import { METRICS, type Metric } from "../harness/pick/metric.ts";
import { shownName } from "../harness/pick/words.ts";
import { bytes, cDoubt, count, mixText, ratio, ratioRange, recordedText } from "../harness/results/format.ts";
import type { Measurement, Pick, Rechecked, Report } from "../harness/results/model.ts";
import { geometricMean } from "../harness/results/ranking.ts";
import { PROGRAM } from "../transports/contract/capabilities.ts";

type Ranked = Pick["ranking"][number];
type Measured = { readonly measurements: Report["measurements"] };

/**
 * Standing of a candidate beside the pick. `tie`: not told from it. `immaterial`: told from it, and the difference does
 * not matter. `may-matter`: told from it, and the run does not show whether the difference matters. `unknown`: measured
 * in too few rounds.
 */
export type PickStanding = "pick" | "tie" | "immaterial" | "may-matter" | "behind" | "unknown";

/** Returns the standing of a row of the pick's ranking. */
export function pickStanding(pick: Pick, row: Ranked): PickStanding {
  const { verdict, ties, immaterial = [], ranking } = pick;
  const [fastest] = ranking;
  if (verdict === "cannot-tell") {
    if (row === fastest || !row.interval) return "unknown";
    return ties.includes(row.transport) ? "tie" : "behind";
  }
  const own = rowOf(pick);
  if (row === own) return "pick";
  if (ties.includes(row.transport)) return "tie";
  if (!immaterial.includes(row.transport)) return "behind";
  // The fastest has no test of its own: the test of the pick compares the two.
  const { request } = row === fastest ? (own ?? row) : row;
  return request?.matters === "unclear" ? "may-matter" : "immaterial";
}

function rowOf({ transport, mode, ranking }: Pick): Ranked | undefined {
  return ranking.find((row) => row.transport === transport && row.mode === mode);
}

/** Certainty of a pick: a sign, a word, and the interval or the rivals that it rests on. */
export interface Certainty {
  readonly sign: "✓" | "=" | "~" | "?" | "✗" | "1";
  readonly word: string;
  /** Rest of the sentence; empty where the word is all. */
  readonly text: string;
}

/** States how sure a pick is; undefined for an older report that does not have it. */
export function certaintyOf(pick: Pick): Certainty | undefined {
  const { verdict, ranking } = pick;
  const [fastest, next] = ranking;
  const own = rowOf(pick);
  const takes = (row: Ranked | undefined): string => (row === undefined ? "" : `${times(row)} ${metricOf(pick).more}`);
  if (verdict === "alone") return { sign: "1", word: "The only candidate", text: "nothing else could be compared" };
  if (verdict === "cannot-tell")
    return { sign: "?", word: "This run cannot tell", text: "too few rounds in common for an order" };
  if (verdict === "ahead")
    return { sign: "✓", word: "Told apart", text: `${next?.transport}, the next, takes ${takes(next)}` };
  if (verdict === "immaterial") {
    const matters = own?.request?.matters === "no";
    const word = matters ? "Slower, which does not matter" : "Slower, not shown to matter";
    return { sign: "~", word, text: `it takes ${takes(own)} as ${fastest?.transport}` };
  }
  if (pick.ties.length === 0) return undefined;
  return { sign: "=", word: "Tie", text: tieText(pick, own) };
}

/** Largest number of rivals in a tie that are named. */
const MOST_NAMED = 3;

function tieText({ ties, ranking }: Pick, own: Ranked | undefined): string {
  if (ties.length > MOST_NAMED) return `not told from ${ties.length} others`;
  const [fastest] = ranking;
  const [only = ""] = ties;
  // The interval is that of the ratio to the fastest, so it is shown where the tie is with the fastest.
  const row = own === fastest ? ranking.find(({ transport }) => transport === only) : own;
  const isOfBoth = ties.length === 1 && (own === fastest || only === fastest?.transport);
  return `not told from ${ties.join(", ")}${isOfBoth && row?.interval ? `, ratio ${times(row)}` : ""}`;
}

/** Formats a ratio with its interval: `1.19× (0.938–1.63)`; without it where there is none. */
export function times({ ratio: value, interval }: Ranked): string {
  return interval ? `${ratio(value)} (${ratioRange(interval)})` : ratio(value);
}

/** Formats the head of an answer: what to use, and for which requests. */
export function pickTitle(pick: Pick, platform: string): string {
  const what = requestsText(pick.workload);
  if (pick.verdict === "cannot-tell") return `No answer for ${what}`;
  const use = `Use ${shownName(pick.transport, platform)}`;
  return what === "" ? use : `${use} for ${what}`;
}

/** Formats the head of a recheck: what became of the decision, and never what to use. */
export function recheckTitle({ chosen, outcome, winner, conditions }: Rechecked): string {
  const result =
    outcome === "holds"
      ? `the decision for ${chosen} still holds`
      : outcome === "cannot-tell"
        ? `this run cannot tell whether the decision for ${chosen} still holds`
        : `another option wins${winner === undefined ? "" : `: ${winner}`}`;
  if (conditions.length > 0) return `Conditions changed; measured here, ${result}`;
  return result.charAt(0).toUpperCase() + result.slice(1);
}

const OUTCOME_SIGNS = { holds: "✓", "other-wins": "✗", "cannot-tell": "?" } as const;

/** States that a page is that of a recheck, and what was compared again. */
export function recheckCertainty({ chosen, outcome, against = [] }: Rechecked): Certainty {
  const rivals = against.map(({ rival }) => rival);
  const beside = rivals.length === 0 ? "" : ` beside ${rivals.join(" and ")}`;
  return {
    sign: OUTCOME_SIGNS[outcome],
    word: "Recheck",
    text: `of a decision: ${chosen} was measured again${beside}`,
  };
}

/**
 * Standing of an option beside the decided one. `loses`: it does not win against the decision. `open`: this run cannot
 * tell whether it does. `unjudged`: the record has no result against it.
 */
export type RecheckStanding = "decided" | "wins" | "loses" | "open" | "unjudged";

const AGAINST = { holds: "loses", "other-wins": "wins", "cannot-tell": "open" } as const;

/** Returns the standing of a row of the ranking of a recheck. */
export function recheckStanding(
  { chosen, against = [], winner }: Rechecked,
  pick: Pick,
  { transport, mode }: { readonly transport: string; readonly mode: Ranked["mode"] },
): RecheckStanding {
  const option = pick.workload.modes.length > 1 ? `${transport} (${mode})` : transport;
  if (option === chosen) return "decided";
  if (option === winner) return "wins";
  const found = against.find(({ rival }) => rival === option);
  return found === undefined ? "unjudged" : AGAINST[found.outcome];
}

/** Largest number of sizes that are listed one by one. */
const MOST_SIZES = 3;

/** Names the requests of a workload: `64 B and 4 KiB requests in json`; empty in a report without their sizes. */
export function requestsText({ payloads, mix, recorded, codec, benchmark }: Pick["workload"]): string {
  if (payloads.length === 0) return "";
  const list = payloads.map(bytes);
  const sizes = list.length > MOST_SIZES ? `${list[0]} to ${list.at(-1)}` : list.join(" and ");
  const noun = benchmark === "fan-out" ? "messages" : "requests";
  const what = recorded ? recordedText(recorded) : `${mix ? mixText(mix) : sizes} ${noun}`;
  return codec === undefined ? what : `${what} in ${codec}`;
}

/** Names the load of a workload: ` from 8 clients at 5000 a second`; empty where the benchmark has one of its own. */
export function loadText({ clients, ratePerSecond, benchmark = "round-trip" }: Pick["workload"]): string {
  if (clients === undefined) return benchmark === "round-trip" ? " from 1 client, one after the other" : "";
  const load = benchmark === "fan-out" ? ` to ${count(clients, "subscriber")}` : ` from ${count(clients, "client")}`;
  return load + (typeof ratePerSecond === "number" ? ` at ${ratePerSecond} a second` : ", each waiting for its reply");
}

/** True for a row that the pick rests on: its benchmark, placement, load and server. */
export function isOfPick({ workload, placement }: Pick, cell: Measurement): boolean {
  const { benchmark = "round-trip", peer } = workload;
  // A program of the user's is the one server that its transport has.
  const isItsServer = peer === undefined || [peer, PROGRAM].includes(cell.peer.language);
  return cell.benchmark === benchmark && cell.placement === placement && isItsServer && isAtLoad(cell, workload);
}

export const metricOf = ({ workload }: Pick): Metric => METRICS[workload.optimize ?? "p50"];

/**
 * Returns the place of plain C on the scale of the ranking: the ratio of a row divided by its multiple of C (geometric
 * mean over the sizes). Undefined where a size has none that is believed, and for other metrics than p50.
 */
export function plainC({ measurements }: Measured, pick: Pick, row: Ranked): number | undefined {
  if (metricOf(pick) !== METRICS.p50) return undefined;
  const { payloads } = pick.workload;
  const multiples = payloads.flatMap((size) =>
    measurements.flatMap((cell) => {
      if (cell.status !== "measured" || cell.transport !== row.transport || cell.mode !== row.mode) return [];
      const { cBaseline, payloadBytes } = cell;
      const isBelieved = cBaseline !== undefined && cDoubt(cBaseline) === undefined;
      return isBelieved && payloadBytes === size && isOfPick(pick, cell) ? [cBaseline.ratio] : [];
    }),
  );
  if (multiples.length === 0 || multiples.length !== payloads.length) return undefined;
  return row.ratio / geometricMean(multiples);
}
