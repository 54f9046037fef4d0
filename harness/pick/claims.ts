import { type ClaimFinding, judge } from "../../scenarios/claim.ts";
import { CLAIMS } from "../../scenarios/claims/index.ts";
import type { Report } from "../results/model.ts";
import { runEvidenceOf } from "../results/run-evidence.ts";

export type { ClaimFinding, ClaimPart, ClaimStatus, PartFinding } from "../../scenarios/claim.ts";
export { SAME_FACTOR } from "../../scenarios/claim.ts";

/**
 * Judges claims by what a report contains. Nothing of it is stored: whoever has the report can repeat it.
 *
 * @param ids claims to judge; default: those that the run was asked for. Ids of other versions are left out
 */
export function judgeClaims(report: Report, ids: readonly string[] = report.claims ?? []): readonly ClaimFinding[] {
  const evidence = runEvidenceOf(report);
  return CLAIMS.filter(({ id }) => ids.includes(id)).map((claim) => judge(claim, evidence));
}
