import type { Measurement, Pick, Report } from "../results/model.ts";
import { pickAtHighestRate } from "./at-lower-rate.ts";
import { withGrounds } from "./grounds.ts";
import { type Question, questionOfPick } from "./pick.ts";

/** Parts of a report from which its pick was made. */
export type Answered = globalThis.Pick<
  Report,
  "transports" | "checks" | "measurements" | "crashes" | "question" | "candidates" | "pick"
>;

/**
 * Answers the question of a stored pick again, among some of the measured rows: by the same rule, from the stored
 * rounds. Transports that were never measured stay, since they are still not examined.
 *
 * @returns null where none of these rows can be picked, and for a report without a pick
 */
export function pickAmong(report: Answered, isShown: (row: Measurement) => boolean): Pick | null {
  const { checks, crashes = [], question, candidates } = report;
  // An old report may lack it.
  if (!report.pick) return null;
  const measurements = report.measurements.filter(isShown);
  const shown = new Set(measurements.map(({ transport }) => transport));
  const hidden = new Set(report.measurements.flatMap(({ transport }) => (shown.has(transport) ? [] : [transport])));
  const transports = report.transports.filter(({ id }) => !hidden.has(id));
  const found = pickAtHighestRate({ transports, checks, measurements, crashes }, askedIn(report, report.pick));
  if (question === undefined || candidates === undefined) return found;
  return withGrounds(found, { checks, transports, question, candidates });
}

/** Returns the question with the rate that was asked for; a pick has the highest rate at which it compares. */
function askedIn({ question: asked }: Answered, pick: Pick): Question {
  const question = questionOfPick(pick);
  const ratePerSecond = question.ratePerSecond === undefined ? undefined : asked?.workload.ratePerSecond;
  return typeof ratePerSecond === "number" ? { ...question, ratePerSecond } : question;
}
