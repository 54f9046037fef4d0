import type { MeasuredRow, Measurement, Report } from "../../results/model.ts";
import { roundTrips } from "./cells.ts";

/** Trials of each cell: the fewest with an interval. */
export const REFERENCE_TRIALS = 6;
const MESSAGES = 16_000;
/** Fewest messages: slow mechanisms get a half of {@link MESSAGES}, a quarter, and so on. */
const LEAST_MESSAGES = 125;
/** Longest time of all windows of the reference, ms; starting its processes comes on top. */
const MOST_WINDOWS_MS = 200_000;
/** Longest window that is tried first, halved until all windows fit. */
const LONGEST_WINDOW_MS = 8000;
const SHORTEST_WINDOW_MS = 100;

/** Arguments of one `measure`: mechanisms that wait alike, carry the same sizes and get as many messages. */
export interface ReferenceRun {
  readonly transports: readonly string[];
  readonly mode: Measurement["mode"];
  readonly payloads: readonly number[];
  readonly messages: number;
}

interface Arm {
  readonly transport: string;
  readonly mode: Measurement["mode"];
  readonly payloads: readonly number[];
  /** p50 of its cells. */
  readonly p50sMs: readonly number[];
}

/** Plans the runs of all round trips on one CPU of a plain `compare`, with {@link MESSAGES} or fewer. */
export function planReference({ measurements }: Report): ReferenceRun[] {
  const rows = roundTrips(measurements, "same-cpu").filter(({ peer }) => peer.language === "node");
  const arms = [...Map.groupBy(rows, ({ transport, mode }) => `${transport} ${mode}`).values()].map(armOf);
  let windowMs = LONGEST_WINDOW_MS;
  while (windowMs > SHORTEST_WINDOW_MS && windowsMs(arms, windowMs) > MOST_WINDOWS_MS) windowMs /= 2;
  const alike = Map.groupBy(arms, (arm) => JSON.stringify([arm.mode, arm.payloads, messagesOf(arm, windowMs)]));
  return [...alike.values()].map((group) => {
    const [first] = group as [Arm, ...Arm[]];
    const transports = group.map(({ transport }) => transport);
    const { mode, payloads } = first;
    return { transports, mode, payloads, messages: messagesOf(first, windowMs) };
  });
}

function armOf(rows: readonly MeasuredRow[]): Arm {
  const [{ transport, mode }] = rows as [MeasuredRow, ...MeasuredRow[]];
  const payloads = rows.map(({ payloadBytes }) => payloadBytes);
  return { transport, mode, payloads, p50sMs: rows.map(({ latencyNs }) => (latencyNs?.p50 ?? 0) / 1e6) };
}

/** Returns the number of messages with which no window of the arm takes longer than `windowMs`. */
function messagesOf({ p50sMs }: Arm, windowMs: number): number {
  let messages = MESSAGES;
  while (messages / 2 >= LEAST_MESSAGES && messages * Math.max(...p50sMs) > windowMs) messages /= 2;
  return messages;
}

function windowsMs(arms: readonly Arm[], windowMs: number): number {
  const one = (arm: Arm): number => arm.p50sMs.reduce((sum, p50Ms) => sum + messagesOf(arm, windowMs) * p50Ms, 0);
  return REFERENCE_TRIALS * arms.reduce((sum, arm) => sum + one(arm), 0);
}
