import { bytes, count, duration, durationSpan, mixText, recordedText, sizeName } from "../results/format.ts";
import type { MeasuredRow, Placement } from "../results/model.ts";
import type { Candidate, FullQuestion } from "./candidates.ts";
import type { Choice, Judged } from "./choose.ts";
import type { Materiality } from "./materiality.ts";
import { METRICS } from "./metric.ts";

/** Returns the platform of this process; in a page, that of the run, which its script sets. */
function platformHere(): string {
  return (globalThis as { readonly process?: { readonly platform: string } }).process?.platform ?? "";
}

/** Returns an id. A portable one is followed by the mechanism that it means on this platform: `local-socket (unix)`. */
export function shownName(id: string, platform: string = platformHere()): string {
  return id === "local-socket" ? `local-socket (${platform === "win32" ? "named-pipe" : "unix"})` : id;
}

const PLACEMENT_WORDS: Readonly<Record<Placement, string>> = {
  "same-cpu": "both ends on one CPU",
  "two-cpus": "the ends on two CPUs",
  unpinned: "the ends wherever the scheduler puts them",
};

/** Begins the sentence: `Use unix for 64 B and 4 KiB requests with …: its median round trip is 40 µs (64 B) and …`. */
function use({ candidate }: Judged, question: FullQuestion): string {
  const { noun, show } = METRICS[question.optimize];
  const figures = figuresText(candidate.rows, show);
  return `Use ${shownName(candidate.name)} ${purpose(question, candidate)}: its ${noun} is ${figures}`;
}

/** Joins the figures of all sizes, each with its size where there are several: `40 µs (64 B) and 47 µs (4 KiB)`. */
export function figuresText(rows: readonly MeasuredRow[], show: (row: MeasuredRow) => string): string {
  const several = rows.length > 1;
  return rows.map((row) => (several ? `${show(row)} (${sizeName(row)})` : show(row))).join(" and ");
}

/** Writes the purpose: `for 64 B and 4 KiB requests with the ends on two CPUs`, with clients, rate and work. */
function purpose(question: FullQuestion, { rows: [row] }: Candidate): string {
  const sizes = row?.mix === undefined ? `${sizesOf(question)} requests` : `${mixText(row.mix)} requests`;
  const requests = row?.recorded === undefined ? sizes : recordedText(row.recorded);
  const codec = question.codec === undefined ? [] : [`in ${question.codec}`];
  const server = question.peer === "node" ? [] : [`a server in ${question.peer} and`];
  const load = row === undefined ? [] : loadOf(row, question);
  const where = PLACEMENT_WORDS[question.placement];
  if (question.benchmark === "fan-out")
    return ["for", sizesOf(question), "messages", ...load, "with", ...server, where].join(" ");
  return ["for", requests, ...codec, ...load, "with", ...server, where].join(" ");
}

/** Writes work, clients and pace of the requests: those of the workload, and fewer clients than are needed. */
function loadOf({ clients, ratePerSecond, workMicros }: MeasuredRow, question: FullQuestion): string[] {
  const { benchmark, neededClients: needed = 1 } = question;
  const isWorkload = benchmark === "workload";
  const to = benchmark === "fan-out" ? "subscriber" : "client";
  const number = needed > clients ? `${clients} of the ${count(needed, "client")} needed` : count(clients, to);
  return [
    ...(isWorkload && workMicros ? [`with ${duration(workMicros * 1000)} of work each`] : []),
    ...(isWorkload || needed > clients || benchmark === "fan-out"
      ? [`${benchmark === "fan-out" ? "to" : "from"} ${number}`]
      : []),
    ...(isWorkload && ratePerSecond !== null ? [`at ${ratePerSecond} a second`] : []),
  ];
}

function sizesOf({ payloads }: FullQuestion): string {
  return payloads.map(bytes).join(" and ");
}

/** Formats a ratio with its 95 % interval: `2.00 times as long (1.95 to 2.05)`, or `2.00 times as long as unix (…)`. */
export function timesAs(found: Judged["comparison"], more: string, digits: number, other?: string): string {
  const range = found.interval?.map((end) => end.toFixed(2)).join(" to ");
  const as = other === undefined ? "" : ` as ${other}`;
  return `${found.ratio.toFixed(digits)} times ${more}${as}${range === undefined ? "" : ` (${range})`}`;
}

/** Writes the sentence of a choice between candidates that have an order. */
export function sentenceOf(choice: Choice, question: FullQuestion): string {
  const { chosen, fastest, all } = choice;
  if (all.length === 1) return `${use(chosen, question)}; nothing else could be compared.`;
  return chosen === fastest ? fastestWords(choice, question) : simplerWords(choice, question);
}

/** Writes the sentence for the fastest where nothing simpler is near it. */
function fastestWords({ fastest, all }: Choice, question: FullQuestion): string {
  const tied = all.filter(({ standing }) => standing === "tied").map(nameOf);
  if (tied.length > 0) return `${use(fastest, question)}, not distinguishable from ${tied.join(", ")} in this run.`;
  const next = all[1] as Judged;
  const { more } = METRICS[question.optimize];
  const takes = `takes ${timesAs(next.comparison, more, 2)}`;
  const flip = workFlip(next, fastest, question);
  return `${use(fastest, question)}, and ${nameOf(next)}, the next fastest, ${takes}.${flip}`;
}

/** Writes the sentence for a simpler candidate: it ties with the fastest, or its difference is not shown to matter. */
function simplerWords({ chosen, fastest, simplerBy }: Choice, question: FullQuestion): string {
  const found = chosen.materiality;
  const words = (one: Judged): string => `${nameOf(one)} ${simplerBy?.words(one.candidate.capabilities)}`;
  const simpler = simplerBy === undefined ? "" : ` It is simpler: ${words(chosen)}, ${words(fastest)}.`;
  if (chosen.standing === "tied" || found === undefined)
    return `${use(chosen, question)}, not distinguishable from ${nameOf(fastest)}, the fastest, in this run.${simpler}`;
  const about = atWhatWork(found, fastest, question);
  const saves = `${nameOf(fastest)} saves ${duration(found.savedNs)} a request. ${about}`;
  return `${use(chosen, question)}. ${saves}.${simpler}`;
}

function atWhatWork(found: Materiality, fastest: Judged, question: FullQuestion): string {
  const request = `${shareOf(question)} of the time of a request`;
  const [low, high] = found.breakEvenBounds ?? [0, 0];
  const only =
    low > 0
      ? `This is more than ${request} only if a request does less than ${workRange(found, fastest, question)}`
      : `This is less than ${request}${high > 0 ? ` with more than ${workRange(found, fastest, question)}` : ""}`;
  return found.matters === "no"
    ? only
    : `${only}. This run cannot tell whether it is more than ${shareOf(question)} for ${workWords(question)}`;
}

/** Names a request with its work: `a request with 1 ms of work`. */
function workWords({ assumedWorkNs, measuredWorkNs }: FullQuestion): string {
  const workNs = assumedWorkNs + measuredWorkNs;
  return workNs === 0 ? "a request without work" : `a request with ${duration(workNs)} of work`;
}

/** States where the answer flips with work in the request: to the simplest of those that are only slower without it. */
function workFlip({ materiality: found }: Judged, fastest: Judged, question: FullQuestion): string {
  if (found === undefined || (found.breakEvenBounds?.[1] ?? 0) === 0) return "";
  const work = workRange(found, fastest, question);
  return ` The difference is less than ${shareOf(question)} if a request does more than ${work}.`;
}

/** Factor of the measured request beyond which work counts as extrapolated: METHODOLOGY has the figures. */
const FAR_FACTOR = 5;
/** Largest work that `--work` takes, ns. */
const MOST_WORK_NS = 1e9;

/** Distance of both bounds within which a break-even is written as one number, as a share of it. */
const NARROW_SHARE = 0.15;

/**
 * Writes the break-even with the precision of the run: one number, a range, or its upper end where the lower one is
 * open. Adds how to measure it where it is far from what was measured.
 */
function workRange(found: Materiality, { candidate }: Judged, { measuredWorkNs }: FullQuestion): string {
  const workNs = found.breakEvenWorkNs ?? 0;
  const [low, high] = found.breakEvenBounds ?? [workNs, workNs];
  const isNarrow = workNs - low <= NARROW_SHARE * workNs && high - workNs <= NARROW_SHARE * workNs;
  const range = low === 0 ? duration(high) : isNarrow ? `about ${duration(workNs)}` : durationSpan(low, high);
  const words = `${range} of work`;
  if (workNs - measuredWorkNs <= FAR_FACTOR * candidate.typical || workNs > MOST_WORK_NS) return words;
  const flag = workNs < 1e6 ? `${Math.round(workNs / 1000)}us` : `${Number((workNs / 1e6).toPrecision(2))}ms`;
  return `${words} (computed; --work ${flag} measures it)`;
}

export function shareOf({ matters }: FullQuestion): string {
  return `${Math.round(matters * 1000) / 10} %`;
}

export const nameOf = ({ candidate }: Judged): string => shownName(candidate.name);

/** Writes the sentence where there is no order. It does not name the smallest median either. */
export function cannotTellWords({ fastest, all }: Choice, question: FullQuestion): string {
  const unknown = all.slice(1).filter(({ standing }) => standing === "unknown");
  const common = unknown.map(({ comparison }) => comparison.common);
  const [least, most] = [Math.min(...common), Math.max(...common)];
  const rounds = least === most ? count(most, "round") : `${least} to ${most} rounds`;
  return (
    `This run cannot tell which is fastest ${purpose(question, fastest.candidate)}: ${nameOf(fastest)} and ` +
    `${unknown.map(nameOf).join(", ")} were measured together in ${rounds}, and an order needs 6. ` +
    "Give a larger --trials or a longer --budget."
  );
}

/** Formats the CPU cost at the first size: `12 µs of CPU per round trip of 64 B`. */
export function costOf({ rows: [row] }: Candidate): string | undefined {
  if (row === undefined || row.cpuNsPerMessage === null) return undefined;
  const what = row.benchmark === "fan-out" ? "message" : "round trip";
  return `${duration(row.cpuNsPerMessage)} of CPU per ${what} of ${sizeName(row)}`;
}

/** Returns the words that follow a ratio over several sizes; empty where there is one size. */
export function overSizes({ payloads }: FullQuestion): string {
  return payloads.length > 1 ? ", over these sizes together" : "";
}
