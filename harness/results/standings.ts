import type { CandidateStanding, Report } from "./model.ts";

type Excluded = Extract<CandidateStanding, { status: "excluded" }>;

/**
 * Divides the transports that needs excluded: those with a record were examined by this run, and a check refuted
 * them; the others were out before anything ran.
 */
export function excludedIn({ candidates = [], transports }: Pick<Report, "candidates" | "transports">): {
  readonly byChecks: readonly Excluded[];
  readonly byRecords: readonly Excluded[];
} {
  const excluded = candidates.filter((each) => each.status === "excluded");
  const hasRecord = ({ transport }: Excluded): boolean => transports.some(({ id }) => id === transport);
  return { byChecks: excluded.filter(hasRecord), byRecords: excluded.filter((each) => !hasRecord(each)) };
}

/** Returns a transport that needs excluded as one that is ruled out. */
export function ruledOut({ transport, need, reason }: Excluded): { transport: string; reason: string } {
  return { transport, reason: `need ${need}: ${reason}` };
}
