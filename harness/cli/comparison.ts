import { REGISTRY } from "../../transports/registry.ts";
import type { Arm, Cell } from "../coordinator/arm.ts";
import { type CheckTarget, predictChecksMs } from "../coordinator/check-plan.ts";
import { guessTrialMs } from "../coordinator/plan.ts";
import { asPartOf } from "../coordinator/progress.ts";
import { type MeasureRequest, type MeasureResult, measure } from "../coordinator/run-measurements.ts";
import { measureServerCosts } from "../coordinator/server-costs.ts";
import { inSession, type Session } from "../coordinator/session.ts";
import { LEAST_FOR_INTERVAL, type StopRule } from "../coordinator/stop-rule.ts";
import { pickAtHighestRate } from "../pick/at-lower-rate.ts";
import { withGrounds } from "../pick/grounds.ts";
import { note } from "../process/note.ts";
import type {
  Pick as Answer,
  CandidateStanding,
  CheckResult,
  Measurement,
  Placement,
  Report,
} from "../results/model.ts";
import type { RunPhases } from "../results/phases.ts";
import { type Earlier, withChanges } from "./against.ts";
import { chooseArms, defaultPlacements } from "./arms.ts";
import type { AskedQuestion } from "./asked-question.ts";
import { checkAll, checkTargets } from "./check.ts";
import { afterChecks, type Selection } from "./choose-candidates.ts";
import { withCodecs } from "./codecs.ts";
import { nothingLeft, requestOf } from "./measure.ts";
import type { MeasureOptions } from "./options.ts";
import { publishPartial } from "./output.ts";
import { cellsFor, modesOf, pickSizes, placementFor, questionFor } from "./pick-question.ts";
import { withRecorded } from "./recorded.ts";
import { finishReport, type RunStart } from "./run.ts";
import { announcePlan, FINISH_MS, stopRuleOf } from "./run-duration.ts";
import { costlyArms, costsMs } from "./server-costs.ts";
import type { Candidate } from "./transports.ts";
import { warnBeforeRun } from "./warn-before-run.ts";
import { asksForMore, lackOfP99 } from "./workload.ts";

/** Budget of a plain compare, ms. The command takes at most 50 s for a handful of ids and 70 s for a full shortlist. */
const SHORT_MS = 48_000;
const LONG_MS = 68_000;
const FEW_IDS = 6;
const MANY_IDS = 16;
const MS_PER_ID = 7000;
const CHECKS_MS_PER_ID = 1200;
const LEAST_TRIAL_MS = 400;
const QUICK_FACTOR = 0.6;
const THOROUGH_FACTOR = 8;

/** Comparison that was asked for. */
export interface Asked {
  readonly options: MeasureOptions;
  readonly run: RunStart;
  readonly chosen: Selection;
  readonly question: AskedQuestion;
  /** Report that this run is compared with. */
  readonly earlier?: Earlier | undefined;
  /** Name of the only benchmark to measure; absent: all that the question needs. */
  readonly only?: string;
}

/** Parts of a comparison, decided before anything runs. */
interface Comparison extends Asked {
  readonly cells: readonly Cell[];
  readonly placements: readonly Placement[];
  readonly arms: readonly Arm[];
  /** Rows of what cannot be measured. */
  readonly missing: readonly Measurement[];
  readonly targets: readonly CheckTarget[];
  /** Time of the whole command by which rounds and windows are planned, ms. */
  readonly budgetMs: number;
  /** Time of the whole command that is announced, ms. */
  readonly expectedMs: number;
}

interface Outcome {
  readonly checks: readonly CheckResult[];
  readonly measured: MeasureResult;
  readonly standings: readonly CandidateStanding[];
  readonly phases: RunPhases;
}

/**
 * Checks and measures the candidates, and picks one.
 *
 * @param show prints a report that was interrupted
 * @throws UsageError for too small a budget, MachineError where nothing can run, IncompleteError where nothing is left
 */
export async function compare(asked: Asked, show: (report: Report) => void): Promise<Report> {
  const comparison = planComparison(asked);
  const { options, run, chosen, question, missing } = comparison;
  const { candidates, refused, standings: before } = chosen;
  await warnBeforeRun(candidates, run, { measures: true });
  const seconds = Math.ceil(comparison.expectedMs / 1000);
  note(`comparing ${whatIsCompared(candidates, question)}: about ${seconds} s; seed ${run.seed}`);
  const records = candidates.map(({ record }) => record);
  const soFar: SoFar = { checked: () => [], measured: () => ({ measurements: [] }) };
  const { checks, measured, standings, phases, found, costs } = await inSession(
    async (session) => {
      const outcome = await checkAndMeasure(session, comparison, soFar);
      const found = pickOf(comparison, outcome);
      return { ...outcome, found, costs: await serverCosts(session, comparison, found) };
    },
    () => {
      const found = finishReport(run, records, soFar.checked(), soFar.measured(), false);
      const partial = { ...found, question: question.forReport, candidates: before };
      const report = withChanges(partial, asked.earlier);
      return publishPartial(options, report, () => show(report));
    },
    run.crashes,
    options.bundle,
  );
  const report = {
    ...finishReport(run, records, checks, {
      ...measured,
      measurements: [...measured.measurements, ...missing, ...costs],
      warnings: [...refused, ...measured.warnings],
    }),
    question: question.forReport,
    candidates: standings,
    phases,
  };
  const lack = question.workload.optimize === "p99" ? lackOfP99(report.measurements) : undefined;
  if (lack !== undefined) note(lack);
  return withChanges({ ...report, pick: withGrounds(found, report) }, asked.earlier);
}

function pickOf(
  { options, run, chosen, question, cells, placements, missing }: Comparison,
  outcome: Outcome,
): Answer | null {
  const { checks, measured } = outcome;
  const transports = chosen.candidates.map(({ record }) => record);
  const measurements = [...measured.measurements, ...missing];
  const evidence = { transports, checks, measurements, crashes: run.crashes };
  return pickAtHighestRate(evidence, questionFor(options, question, cells, placements));
}

/** Measures what servers cost besides their messages, for the few mechanisms that the answer is about. */
async function serverCosts(session: Session, comparison: Comparison, found: Answer | null): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const arm of costlyArms(comparison.options, found, comparison.arms))
    rows.push(...(await measureServerCosts(session.supervisor, session.place, arm, comparison.run.seed)));
  return rows;
}

/** Results so far, for a run that is interrupted. */
interface SoFar {
  checked: () => CheckResult[];
  measured: () => MeasureResult | Pick<MeasureResult, "measurements">;
}

function planComparison(asked: Asked): Comparison {
  const { options, chosen, question } = asked;
  const { candidates } = chosen;
  const { codec } = question.workload;
  const isMore = asksForMore(question.workload) || question.fansOut || codec !== null;
  const cells = cellsFor(question).filter(({ benchmark }) => (asked.only ?? benchmark.name) === benchmark.name);
  // One placement is enough for a workload of the user's: there is one answer, and client processes take long to start.
  const placements = options.placement ?? (isMore ? [placementFor(question.workload)] : defaultPlacements());
  const { arms: placed, missing } = chooseArms(candidates, {
    placements,
    modes: options.mode,
    peers: options.peer,
    clients: options.client,
    cells,
    overview: true,
  });
  const arms = withRecorded(codec === null ? placed : withCodecs(placed, [codec], cells), options.replayed);
  if (arms.length + missing.length === 0) throw nothingLeft(chosen, options.peer);
  const targets = targetsOf(asked, arms);
  const furtherMs = predictChecksMs(
    targets,
    question.checks.filter(({ quick }) => quick !== true),
  );
  const isPlain = options.need === undefined && options.profile === undefined;
  // A plain comparison takes the same time whatever it checks. A question of the user's also gets that of its checks.
  const budgetMs = options.budget ?? defaultBudget(options, candidates.length) + (isPlain ? 0 : furtherMs);
  // The time is promised for checks and trials together: the trials get what the checks leave.
  stopRuleOf(options, arms, cells, { budgetMs });
  const trialMs = isMore ? guessTrialMs(cells, "quick") : LEAST_TRIAL_MS;
  const expectedMs = options.budget ?? Math.max(budgetMs, leastMs(candidates.length, arms.length, trialMs) + furtherMs);
  return { ...asked, cells, placements, arms, missing, targets, budgetMs, expectedMs };
}

/** Returns what is checked. The checks that the answer of a profile rests on concern only what it may name. */
function targetsOf({ options, chosen, question }: Asked, arms: readonly Arm[]): readonly CheckTarget[] {
  const modes = modesOf(options);
  const { peer } = question.workload;
  const possible = arms.filter(
    ({ transport, mode, peerLanguage }) =>
      modes.includes(mode) && (peerLanguage === peer || transport.program !== undefined),
  );
  return checkTargets(chosen.candidates, options.peer).map((target) =>
    possible.some(({ transport }) => transport.id === target.transport.id)
      ? target
      : { ...target, spared: question.checksOfPick },
  );
}

async function checkAndMeasure(session: Session, comparison: Comparison, soFar: SoFar): Promise<Outcome> {
  const { options, run, chosen, question, cells, arms, targets, budgetMs, expectedMs } = comparison;
  const { candidates } = chosen;
  const startedMs = performance.now();
  const progress = asPartOf(run.progress, () => expectedMs - performance.now());
  const checks = await checkAll(session, candidates, targets, question.checks, options.peer, progress, (found) => {
    soFar.checked = found;
  });
  const checkedMs = performance.now();
  const records = candidates.map(({ record }) => record);
  const standings = afterChecks(chosen.standings, question.requirements, records, checks);
  const left = arms.filter(({ transport }) => !isExcluded(standings, transport.id));
  // Counts from the start of the process, as a user does.
  const leftMs = budgetMs - FINISH_MS - costsMs(options, arms) - performance.now();
  const stopRule = stopRuleOf(options, left, cells, { budgetMs: leftMs, least: LEAST_FOR_INTERVAL });
  const counted: StopRule = stopRule.budgetMs === undefined ? stopRule : { ...stopRule, budgetMs: leftMs };
  const request = requestFor(comparison, left, counted, soFar);
  const trials = asPartOf(run.progress, (ms) => ms + costsMs(options, arms) + FINISH_MS);
  const measured = await measure(session.supervisor, session.place, request, trials);
  const calibrationMs = measured.about.rounds?.[0]?.startedAtMs ?? 0;
  const phases: RunPhases = {
    checksMs: checkedMs - startedMs,
    calibrationMs,
    roundsMs: performance.now() - checkedMs - calibrationMs,
  };
  return { checks, measured, standings, phases };
}

function requestFor(
  { options, run, question, cells, expectedMs }: Comparison,
  arms: readonly Arm[],
  stopRule: StopRule,
  soFar: SoFar,
): MeasureRequest {
  const { cBaseline, ...request } = requestOf(options, arms, cells, stopRule, run.seed);
  return {
    ...request,
    forP99: question.workload.optimize === "p99",
    sinceMs: performance.now(),
    onBegin: (found) => {
      soFar.measured = found;
    },
    onPlan: announcePlan({
      stopRule,
      arms,
      budgetMs: options.budget,
      announcedMs: expectedMs,
      laterMs: costsMs(options, arms) + FINISH_MS,
    }),
    // Only the sizes that decide. A third size would take time from the trials of every round.
    ...(cBaseline && { cBaseline: cBaseline.filter((size) => pickSizes(question).includes(size)) }),
  };
}

const isExcluded = (standings: readonly CandidateStanding[], id: string): boolean =>
  standings.some(({ transport, status }) => transport === id && status === "excluded");

function whatIsCompared(candidates: readonly Candidate[], { forReport: { needs } }: AskedQuestion): string {
  const { length } = candidates;
  if (needs.length > 0) return `${length} transport${length === 1 ? "" : "s"} for ${needs.join(", ")}`;
  if (candidates.some(({ named, shortlist }) => named || !shortlist))
    return `${length} transport${length === 1 ? "" : "s"}`;
  const others = "with all families that need no broker (others: npm run list, --transport <id…> or all)";
  return `${length} of ${REGISTRY.length} transports, ${others}`;
}

/** Returns the time of checks and six rounds of the shortest trials on a slow machine; many arms exceed the budget. */
function leastMs(ids: number, arms: number, trialMs: number): number {
  return ids * CHECKS_MS_PER_ID + arms * (LEAST_FOR_INTERVAL + 1) * trialMs;
}

function defaultBudget({ quick, thorough }: MeasureOptions, ids: number): number {
  const usual = ids <= FEW_IDS ? SHORT_MS : ids <= MANY_IDS ? LONG_MS : ids * MS_PER_ID;
  return usual * (quick ? QUICK_FACTOR : thorough ? THOROUGH_FACTOR : 1);
}
