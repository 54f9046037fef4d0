import type { Report } from "../harness/results/model.ts";
import { excludedIn } from "../harness/results/standings.ts";

/** Writes one line for each need that ruled out transports before measuring, the one that ruled out most first. */
export function ruledOutByNeeds(report: Pick<Report, "candidates" | "transports">): string[] {
  return [...Map.groupBy(excludedIn(report).byRecords, ({ need }) => need)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([need, left]) => `ruled out by ${need}: ${left.map(({ transport }) => transport).join(", ")}`);
}
