import type { Claim } from "../../scenarios/claim.ts";
import { predictChecksMs } from "../coordinator/check-plan.ts";
import { asPartOf } from "../coordinator/progress.ts";
import { runChecks } from "../coordinator/run-checks.ts";
import { type MeasureResult, measure } from "../coordinator/run-measurements.ts";
import { inSession } from "../coordinator/session.ts";
import { judgeClaims } from "../pick/claims.ts";
import { note } from "../process/note.ts";
import { EXIT } from "../results/exit-codes.ts";
import { count } from "../results/format.ts";
import type { CheckResult, Report } from "../results/model.ts";
import { defaultPlacements } from "./arms.ts";
import { type ClaimPlan, planClaims } from "./claim-plan.ts";
import { requestOf } from "./measure.ts";
import type { MeasureOptions } from "./options.ts";
import { publishPartial } from "./output.ts";
import { placementOf } from "./pick-question.ts";
import { finishReport, type RunStart } from "./run.ts";
import { announcePlan, FINISH_MS, stopRuleOf } from "./run-duration.ts";
import { warnBeforeRun } from "./warn-before-run.ts";

/** Smallest number of rounds. The interval of a ratio then contains all of them but the lowest and the highest. */
const LEAST_ROUNDS = 9;
/** Time of a run besides its arms, and for each arm: the calibration and the rounds. */
const BASE_MS = 6000;
const MS_PER_ARM = 4200;
const QUICK_FACTOR = 0.7;
const THOROUGH_FACTOR = 8;

/**
 * Measures and checks what these claims need. The report has no pick: its cells are those of the claims, and not those
 * of one question.
 *
 * @param show prints a report that was interrupted
 * @throws UsageError for too small a budget, MachineError where nothing can run
 */
export async function testClaims(
  options: MeasureOptions,
  run: RunStart,
  claims: readonly Claim[],
  show: (report: Report) => void,
): Promise<Report> {
  const plan = await planClaims(claims, placementOf(defaultPlacements()));
  const { candidates, arms, cells, missing, targets, checks, unchecked } = plan;
  const budgetMs = budgetOf(options, plan);
  stopRuleOf(options, arms, cells, { budgetMs });
  await warnBeforeRun(candidates, run, { measures: true });
  const what = `${count(arms.length, "arm")}, ${count(cells.length, "kind")} of cells`;
  note(`testing ${count(claims.length, "claim")} (${what}): about ${Math.ceil(budgetMs / 1000)} s; seed ${run.seed}`);
  const records = candidates.map(({ record }) => record);
  let checked = (): CheckResult[] => [];
  let soFar: () => MeasureResult | Pick<MeasureResult, "measurements"> = () => ({ measurements: [] });
  const reportOf = (measured: Parameters<typeof finishReport>[3], complete: boolean): Report => ({
    ...finishReport(run, records, [...checked(), ...unchecked], measured, complete),
    claims: claims.map(({ id }) => id),
  });
  const measured = await inSession(
    async ({ supervisor, place }) => {
      const progress = asPartOf(run.progress, () => budgetMs - performance.now());
      await runChecks(supervisor, place, targets, checks, progress, (found) => {
        checked = found;
      });
      const leftMs = budgetMs - FINISH_MS - performance.now();
      const stopRule = stopRuleOf(options, arms, cells, { budgetMs: leftMs, least: LEAST_ROUNDS });
      const counted = stopRule.budgetMs === undefined ? stopRule : { ...stopRule, budgetMs: leftMs };
      const { cBaseline: _, ...request } = requestOf(options, arms, cells, counted, run.seed);
      const onPlan = announcePlan({
        ...{ stopRule, arms, budgetMs: options.budget },
        ...{ announcedMs: budgetMs, laterMs: FINISH_MS },
      });
      const onBegin = (found: () => MeasureResult): unknown => (soFar = found);
      return measure(supervisor, place, { ...request, sinceMs: performance.now(), onPlan, onBegin }, run.progress);
    },
    () => {
      const report = reportOf(soFar(), false);
      return publishPartial(options, report, () => show(report));
    },
    run.crashes,
    options.bundle,
  );
  return reportOf({ ...measured, measurements: [...measured.measurements, ...missing] }, true);
}

/** Returns the time of the whole command, ms. */
function budgetOf({ budget, quick, thorough }: MeasureOptions, { arms, targets, checks }: ClaimPlan): number {
  const factor = quick ? QUICK_FACTOR : thorough ? THOROUGH_FACTOR : 1;
  return budget ?? BASE_MS + predictChecksMs(targets, checks) + factor * MS_PER_ARM * arms.length;
}

/** Returns the exit code of a complete run: 22 where a claim lacks a measurement that was tried. */
export function claimsExitCode(report: Report): number {
  return judgeClaims(report).some(({ status }) => status === "not-examined") ? EXIT.incomplete : EXIT.ok;
}
