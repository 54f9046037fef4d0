import { Command } from "commander";
import { answer, checkTables, compareTables, partialNote, pickParagraph } from "../../reports/terminal/index.ts";
import { PICK_PAYLOADS } from "../../scenarios/profiles/default-workload.ts";
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import { REGISTRY } from "../../transports/registry.ts";
import type { Cell } from "../coordinator/arm.ts";
import { predictChecksMs } from "../coordinator/check-plan.ts";
import { guessTrialMs } from "../coordinator/plan.ts";
import { asPartOf } from "../coordinator/progress.ts";
import { type MeasureResult, measure } from "../coordinator/run-measurements.ts";
import { inSession } from "../coordinator/session.ts";
import { LEAST_FOR_INTERVAL, type StopRule } from "../coordinator/stop-rule.ts";
import { withGrounds } from "../pick/grounds.ts";
import { type Question as PickQuestion, pick } from "../pick/pick.ts";
import { note } from "../process/note.ts";
import { EXIT } from "../results/exit-codes.ts";
import type { CandidateStanding, CheckResult, Placement, Report } from "../results/model.ts";
import type { RunPhases } from "../results/phases.ts";
import { ensureWritable } from "../results/store.ts";
import { chooseArms, chooseCells, defaultPlacements } from "./arms.ts";
import { warnBeforeRun } from "./before-run.ts";
import { afterChecks, chooseCandidates, type Selection } from "./candidates.ts";
import { checkAll, checkTargets } from "./check.ts";
import { nothingLeft, refuseTooLarge, requestOf } from "./measure.ts";
import { type MeasureOptions, withMeasuring, withQuestion } from "./options.ts";
import { printTables, publish, publishPartial, REPORT_FILES, terminal } from "./output.ts";
import { sizesOf } from "./payloads.ts";
import { noteAbsent } from "./peers.ts";
import { type AskedQuestion, questionOf } from "./question.ts";
import { finishReport, type RunStart, startRun } from "./run.ts";
import { announcePlan, FINISH_MS, stopRuleOf } from "./run-duration.ts";
import type { Candidate } from "./transports.ts";
import { asksForMore, fanOutCells, lackOfP99, workloadCells } from "./workload.ts";

/** Budget of a plain compare, ms: at most 50 s for a handful of ids, 70 s for a full shortlist. */
const SHORT_MS = 48_000;
const LONG_MS = 68_000;
const FEW_IDS = 6;
const MANY_IDS = 16;
const MS_PER_ID = 7000;
const CHECKS_MS_PER_ID = 1200;
const LEAST_TRIAL_MS = 400;
const QUICK_FACTOR = 0.6;
const THOROUGH_FACTOR = 8;
/** Largest number of warnings behind an answer; the report has all of them. */
const MOST_WARNINGS = 3;

export function compareCommand(): Command {
  return withQuestion(withMeasuring(new Command("compare")))
    .description("check and measure the mechanisms side by side, and name a pick with its reasons")
    .option("--tables", "print every table behind the answer")
    .action(async (options: MeasureOptions) => {
      const question = await questionOf(options);
      ensureWritable(options.out, REPORT_FILES);
      const run = startRun(options.seed);
      const { requirements, workload } = question;
      const chosen = await chooseCandidates(options.transport, requirements, workload.peer);
      refuseTooLarge(chosen.candidates, sizesOf(options.payload ?? []));
      const peer = options.peer ?? question.profile.workload.peer;
      const asked = peer === undefined ? options : { ...options, peer: [peer].flat() };
      const isIncomplete = noteAbsent(chosen, asked.peer);
      const report = await compare(asked, run, chosen, question);
      process.exitCode = isIncomplete ? EXIT.incomplete : exitCode(report, chosen.candidates);
      await publish(
        options,
        report,
        () => printReport(report, options.tables),
        options.tables ? undefined : MOST_WARNINGS,
      );
    });
}

/** Exit code of a comparison that came to its end. */
export function exitCode(
  { measurements, pick }: { readonly measurements: Report["measurements"]; readonly pick: Report["pick"] },
  candidates: readonly Candidate[],
): number {
  const isNamed = (id: string): boolean => candidates.some(({ named, record }) => named && record.id === id);
  const unavailable = measurements.filter(({ status }) => status === "unavailable");
  if (unavailable.some(({ transport }) => isNamed(transport))) return EXIT.incomplete;
  if (pick !== null) return pick.verdict === "cannot-tell" ? EXIT.inconclusive : EXIT.ok;
  return unavailable.length > 0 ? EXIT.incomplete : EXIT.noPick;
}

async function compare(
  options: MeasureOptions,
  run: RunStart,
  chosen: Selection,
  question: AskedQuestion,
): Promise<Report> {
  const { candidates, refused } = chosen;
  const { workload } = question;
  const isMore = asksForMore(workload) || question.fansOut;
  const cells = cellsFor(question);
  // What was asked for has one answer, and client processes take their time to start.
  const placements = options.placement ?? (isMore ? [placementOf(defaultPlacements())] : defaultPlacements());
  const { arms, missing } = chooseArms(candidates, {
    placements,
    modes: options.mode,
    peers: options.peer,
    cells,
    overview: true,
  });
  if (arms.length + missing.length === 0) throw nothingLeft(chosen, options.peer);
  const furtherMs = predictChecksMs(
    checkTargets(candidates, options.peer),
    question.checks.filter(({ quick }) => quick !== true),
  );
  const isPlain = options.need === undefined && options.profile === undefined;
  // A plain comparison keeps its time whatever it checks; a question of one's own gets what its checks take.
  const budgetMs = options.budget ?? defaultBudget(options, candidates.length) + (isPlain ? 0 : furtherMs);
  // The same promise whichever part takes the time: what the checks used is no longer there for the trials.
  stopRuleOf(options, arms, cells, { budgetMs });
  await warnBeforeRun(candidates, run, { measures: true });
  const trialMs = isMore ? guessTrialMs(cells, "quick") : LEAST_TRIAL_MS;
  const expectedMs = options.budget ?? Math.max(budgetMs, leastMs(candidates.length, arms.length, trialMs) + furtherMs);
  note(`comparing ${whatIsCompared(candidates, question)}: about ${Math.ceil(expectedMs / 1000)} s; seed ${run.seed}`);
  const records = candidates.map(({ record }) => record);
  const checked: CheckResult[] = [];
  let soFar: (() => MeasureResult) | undefined;
  const asked = { question: question.forReport, candidates: chosen.standings };
  const storePartial = (): (() => void) => {
    const report = { ...finishReport(run, records, checked, soFar?.() ?? { measurements: [] }, false), ...asked };
    return publishPartial(options, report, () => printReport(report, options.tables));
  };
  const { checks, measured, phases, standings } = await inSession(
    async (session) => {
      const startedMs = performance.now();
      const onResult = (result: CheckResult): unknown => checked.push(result);
      const progress = asPartOf(run.progress, () => expectedMs - performance.now());
      const checks = await checkAll(session, candidates, question.checks, options.peer, progress, onResult);
      const checkedMs = performance.now();
      const standings = afterChecks(chosen.standings, question.requirements, records, checks);
      const left = arms.filter(({ transport }) => !isExcluded(standings, transport.id));
      // From the start of the process on, as a user counts.
      const leftMs = budgetMs - FINISH_MS - performance.now();
      const stopRule = stopRuleOf(options, left, cells, { budgetMs: leftMs, least: LEAST_FOR_INTERVAL });
      const counted: StopRule = stopRule.budgetMs === undefined ? stopRule : { ...stopRule, budgetMs: leftMs };
      const all = requestOf(options, left, cells, counted, run.seed);
      // The sizes that decide: a third one would cost every round time that its trials need.
      const request = {
        ...all,
        forP99: workload.optimize === "p99",
        sinceMs: performance.now(),
        onBegin: (found: () => MeasureResult) => {
          soFar = found;
        },
        onPlan: announcePlan({
          stopRule: counted,
          arms: left,
          budgetMs: options.budget,
          announcedMs: expectedMs,
          laterMs: FINISH_MS,
        }),
        ...(all.cBaseline && { cBaseline: all.cBaseline.filter((size) => pickSizes(question).includes(size)) }),
      };
      const trials = asPartOf(run.progress, (ms) => ms + FINISH_MS);
      const measured = await measure(session.supervisor, session.place, request, trials);
      const measuredMs = performance.now();
      const calibrationMs = measured.about.rounds?.[0]?.startedAtMs ?? 0;
      const phases: RunPhases = {
        checksMs: checkedMs - startedMs,
        calibrationMs,
        roundsMs: measuredMs - checkedMs - calibrationMs,
      };
      return { checks, measured, phases, standings };
    },
    storePartial,
    run.crashes,
    options.bundle,
  );
  const report = finishReport(run, records, checks, {
    ...measured,
    measurements: [...measured.measurements, ...missing],
    warnings: [...refused, ...measured.warnings],
  });
  const lack = question.workload.optimize === "p99" ? lackOfP99(report.measurements) : undefined;
  if (lack !== undefined) note(lack);
  const found = pick(report, questionFor(options, question, cells, placements));
  const answered = { ...report, ...asked, candidates: standings, phases };
  return { ...answered, pick: withGrounds(found, answered) };
}

const isExcluded = (standings: readonly CandidateStanding[], id: string): boolean =>
  standings.some(({ transport, status }) => transport === id && status === "excluded");

function whatIsCompared(candidates: readonly Candidate[], { forReport: { needs } }: AskedQuestion): string {
  const { length } = candidates;
  if (needs.length > 0) return `${length} transport${length === 1 ? "" : "s"} for ${needs.join(", ")}`;
  if (candidates.some(({ named, shortlist }) => named || !shortlist))
    return `${length} transport${length === 1 ? "" : "s"}`;
  return `one transport of each family, ${length} of ${REGISTRY.length} (npm run list; --transport <id…> or all)`;
}

/** Returns the time of checks and six rounds of the shortest trials on a slow machine; many arms exceed the budget. */
function leastMs(ids: number, arms: number, trialMs: number): number {
  return ids * CHECKS_MS_PER_ID + arms * (LEAST_FOR_INTERVAL + 1) * trialMs;
}

function defaultBudget({ quick, thorough }: MeasureOptions, ids: number): number {
  const usual = ids <= FEW_IDS ? SHORT_MS : ids <= MANY_IDS ? LONG_MS : ids * MS_PER_ID;
  return usual * (quick ? QUICK_FACTOR : thorough ? THOROUGH_FACTOR : 1);
}

/** Returns the sizes of the profile, or of those typed the ones of the default workload, or else all typed ones. */
function pickSizes({ workload, profile }: AskedQuestion): readonly number[] {
  const payloads = sizesOf(workload.payloads);
  if (workload.payloads === profile.workload.payloads) return payloads;
  const usual = payloads.filter((payload) => PICK_PAYLOADS.includes(payload));
  return usual.length > 0 ? usual : payloads;
}

/** Returns the question of the pick: the requests that were asked for, or the sizes of the default workload. */
function questionFor(
  options: MeasureOptions,
  question: AskedQuestion,
  cells: readonly Cell[],
  placements: readonly Placement[],
): PickQuestion {
  const modes: readonly WaitMode[] = options.mode ?? ["event"];
  const { peer, workMicros } = question.workload;
  const optimize = question.fansOut ? "throughput" : question.workload.optimize;
  const { typicalWorkMicros = 0 } = question.profile;
  const { matters } = options;
  const common = {
    modes,
    placement: placementOf(placements),
    peer,
    optimize,
    ...(matters === undefined ? {} : { matters }),
    // What is measured needs no assumption, and a saturated server shows what it can do and not what a request takes.
    ...(workMicros > 0 || optimize === "throughput" ? {} : { assumedWorkNs: 1000 * typicalWorkMicros }),
  };
  if (question.fansOut) return { ...common, payloads: pickSizes(question), benchmark: "fan-out" };
  if (!asksForMore(question.workload)) return { ...common, payloads: pickSizes(question), benchmark: "round-trip" };
  const payloads = cells.map(({ payloadBytes }) => payloadBytes);
  return { ...common, payloads, benchmark: "workload", measuredWorkNs: 1000 * workMicros };
}

function cellsFor(question: AskedQuestion): readonly Cell[] {
  const { workload, fansOut } = question;
  if (asksForMore(workload)) return workloadCells(workload);
  // Subscribers take their time to start: the sizes of the answer alone.
  return fansOut ? fanOutCells(pickSizes(question)) : chooseCells(undefined, sizesOf(workload.payloads));
}

/** Returns the placement that the pick is made for. */
function placementOf(placements: readonly Placement[]): Placement {
  return placements.includes("two-cpus") ? "two-cpus" : (placements[0] ?? "unpinned");
}

function printReport(report: Report, tables = false): void {
  if (report.complete === false) printTables(`${partialNote(report, terminal())}\n`);
  if (!tables) return printTables(answer(report, terminal()));
  printTables(compareTables(report, terminal()));
  if (report.checks.some(({ status }) => status === "failed")) printTables(`\n${checkTables(report, terminal())}`);
  printTables(`\n${pickParagraph(report, terminal())}`);
}
