import { type ClaimFinding, judge } from "../../scenarios/claim.ts";
import { CLAIMS } from "../../scenarios/claims/index.ts";
import type { Report } from "../results/model.ts";
import { runEvidenceOf } from "../results/run-evidence.ts";

export type { ClaimFinding, ClaimPart, ClaimStatus, PartFinding } from "../../scenarios/claim.ts";
export { SAME_FACTOR } from "../../scenarios/claim.ts";

/**
 * Judges claims by the contents of a report. The verdicts are not stored, because they follow from the report.
 *
 * @param ids claims to judge; default: those of the run. Ids that this version does not have are left out
 */
export function judgeClaims(report: Report, ids: readonly string[] = report.claims ?? []): readonly ClaimFinding[] {
  const evidence = runEvidenceOf(report);
  return CLAIMS.filter(({ id }) => ids.includes(id)).map((claim) => judge(claim, evidence));
}
