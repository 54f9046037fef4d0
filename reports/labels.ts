import { bytes, duration, mixText, recordedText } from "../harness/results/format.ts";
import type { CellFields, Environment, Measurement, Placement, Report } from "../harness/results/model.ts";
import { PROGRAM, type WaitMode } from "../transports/contract/capabilities.ts";

export const MODE_LABELS: Readonly<Record<WaitMode, string>> = {
  event: "event loop",
  blocking: "blocking",
  polling: "polling",
};

/** Class of a row: a server in another language blocks in a thread although its client does not. */
export type WaitClass = WaitMode | "blocking-server";
/** Classes in the order of every table. Numbers are compared within one class, never between two. */
export const WAIT_CLASSES: readonly WaitClass[] = ["event", "blocking-server", "blocking", "polling"];

export const CLASS_LABELS: Readonly<Record<WaitClass, string>> = {
  ...MODE_LABELS,
  "blocking-server": "blocking server",
};

/** Begin of the line of a server in another language, beside an answer. */
export const OTHER_SERVER: string = CLASS_LABELS["blocking-server"];

export function classOf(mode: WaitMode, language: string | undefined): WaitClass {
  return mode === "event" && language !== undefined && !isUnnamed(language) ? "blocking-server" : mode;
}

export const CLASS_MEANINGS: Readonly<Record<WaitClass, string>> = {
  event: "the process stays responsive: messages arrive through Node's event loop",
  "blocking-server": "the client has an event loop; the server, in another language, sleeps in the kernel",
  blocking: "the thread sleeps in the kernel until a message arrives and can do nothing else",
  polling: "the thread spins until a message arrives and uses a whole CPU, also while idle",
};

/** Returns the ids of the baselines, which cross no process boundary and are no choice. */
export function baselineIds({ transports }: Pick<Report, "transports">): ReadonlySet<string> {
  return new Set(transports.filter(({ baseline }) => baseline).map(({ id }) => id));
}

/** Placements in the order of the report. */
export const PLACEMENT_ORDER: readonly Placement[] = ["two-cpus", "same-cpu", "unpinned"];

export const PLACEMENT_LABELS: Readonly<Record<Placement, string>> = {
  "same-cpu": "same CPU",
  "two-cpus": "two CPUs",
  unpinned: "unpinned",
};

/** Meanings of the marks of a ranking. */
export const TIE_NOTE = "tie: not distinguishable from the best, since the interval of the ratio contains 1.";
export const UNKNOWN_NOTE =
  "?: measured together with the first row in fewer than 6 rounds, so this run cannot order the two; " +
  "give a larger --trials or a longer --budget.";

/** Describes an interrupted run: `interrupted after 12 s`; undefined unless the report is marked incomplete. */
export function interruption({
  complete,
  durationMs,
}: Partial<Pick<Report, "complete" | "durationMs">>): string | undefined {
  return complete === false ? `interrupted after ${Math.round((durationMs ?? 0) / 1000)} s` : undefined;
}

/** Qualifies the intervals of a --quick run, for the head of every table with intervals. Empty for any other run. */
export function quickNote({ duration }: Partial<Pick<Report, "duration">>): string {
  if (duration?.effort !== "quick") return "";
  return "--quick: short windows; only 74 % of such intervals contained the true value";
}

export function noPickReason(report: Partial<Pick<Report, "complete" | "durationMs" | "candidates">>): string {
  const found = interruption(report);
  if (found !== undefined) return `the run was ${found}`;
  const { candidates = [] } = report;
  const isRefuted =
    candidates.some(({ status }) => status === "excluded") && !candidates.some(({ status }) => status === "in");
  return isRefuted ? "no candidate meets all needs" : "no candidate was measured validly for the workload";
}

/** Formats a placement with its CPUs, where recorded: `two CPUs (driver on 0, peer on 1)`. */
export function placementTitle(placement: Placement, environment: Environment): string {
  const cpus = environment.placements?.[placement];
  const label = PLACEMENT_LABELS[placement] ?? placement;
  return cpus ? `${label} (driver on ${cpus.driver}, peer on ${cpus.peer})` : label;
}

/** Names a cell's variant besides transport, mode, placement and size: `16 in flight batched`; empty if plain. */
export function variantOf(cell: CellFields): string {
  const parts: string[] = [];
  if ((cell.inFlight ?? 1) !== 1) parts.push(`${cell.inFlight} in flight${cell.batched ? " batched" : ""}`);
  if ((cell.clients ?? 1) !== 1) parts.push(`${cell.clients} clients`);
  if (cell.ratePerSecond !== null && cell.ratePerSecond !== undefined)
    parts.push(`${cell.ratePerSecond}/s${cell.arrivals === "poisson" ? " poisson" : ""}`);
  if (cell.corpus !== undefined) parts.push(cell.corpus);
  else if (cell.codec && cell.codec !== "raw" && cell.codec !== "none") parts.push(`codec ${cell.codec}`);
  if (cell.workMicros) parts.push(`${duration(cell.workMicros * 1000)} of work`);
  if (cell.recorded !== undefined) parts.unshift(recordedText(cell.recorded));
  // The mix has commas of its own.
  return cell.mix === undefined ? parts.join(", ") : [mixText(cell.mix), ...parts].join("; ");
}

/** Formats a size: `4 KiB`; empty for a mix and for recorded messages, which `variantOf` names. */
export function sizeText({
  payloadBytes,
  mix,
  recorded,
}: Pick<Measurement, "payloadBytes" | "mix" | "recorded">): string {
  return mix === undefined && recorded === undefined ? bytes(payloadBytes) : "";
}

/** Names a row by its transport, a peer in another language, and the codec of converted values. */
export function rowName(
  cell: Pick<Measurement, "transport" | "peer" | "corpus"> & { readonly codec?: string },
): string {
  const language = cell.peer?.language;
  const name = language === undefined || isUnnamed(language) ? cell.transport : `${cell.transport} (${language})`;
  return cell.corpus === undefined ? name : `${name} · ${cell.codec}`;
}

/** Describes a peer in another language: `(python): its server is written in python, version 3.11.7.`. */
export function peerNote({ peer }: Pick<Measurement, "peer">): string | undefined {
  if (peer === undefined || isUnnamed(peer.language) || peer.version === "") return undefined;
  return `(${peer.language}): its server is written in ${peer.language}, version ${peer.version}.`;
}

/** True for a server whose language is not shown: ours on Node, and a program of the user's, where it is unknown. */
export function isUnnamed(language: string): boolean {
  return ["node", "javascript", "typescript", PROGRAM, ""].includes(language);
}
