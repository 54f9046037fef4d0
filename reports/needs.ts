import type { Report } from "../harness/results/model.ts";

/** Writes one line for each need that ruled out transports before measuring, the one that ruled out most first. */
export function ruledOutByNeeds({ candidates = [], transports }: Pick<Report, "candidates" | "transports">): string[] {
  const out = candidates.flatMap((each) =>
    each.status === "excluded" && !transports.some(({ id }) => id === each.transport) ? [each] : [],
  );
  return [...Map.groupBy(out, ({ need }) => need)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([need, left]) => `ruled out by ${need}: ${left.map(({ transport }) => transport).join(", ")}`);
}
