import { basename, dirname } from "node:path";
import { Command } from "commander";
import { junit } from "../../reports/junit.ts";
import { checkTables, partialNote } from "../../reports/terminal/index.ts";
import type { Check } from "../../scenarios/check.ts";
import { PROGRAM } from "../../transports/contract/capabilities.ts";
import { type CheckTarget, planChecks, plannedChecks, predictMs } from "../coordinator/check-plan.ts";
import type { Progress } from "../coordinator/progress.ts";
import { runChecks } from "../coordinator/run-checks.ts";
import { inSession, type Session } from "../coordinator/session.ts";
import { CHECKS, EVERY_CHECK } from "../driver/checks/catalog.ts";
import { note } from "../process/note.ts";
import { EXIT, UsageError } from "../results/exit-codes.ts";
import { count } from "../results/format.ts";
import type { CheckResult, Report } from "../results/model.ts";
import { ensureWritable, store } from "../results/store.ts";
import { type SharedOptions, withShared } from "./options.ts";
import { printTables, publish, publishPartial, REPORT_FILES, terminal } from "./output.ts";
import { languageObstacle, languageReason, noteAbsent, programFor, whyAbsent } from "./peers.ts";
import { finishReport, startRun } from "./run.ts";
import { unknownName } from "./suggest.ts";
import { type Candidate, type Chosen, resolveTransports } from "./transports.ts";
import { each } from "./values.ts";
import { warnBeforeRun } from "./warn-before-run.ts";

interface CheckOptions extends SharedOptions {
  readonly scenario?: readonly string[];
  readonly junit?: string;
}

export function checkCommand(): Command {
  return withShared(new Command("check"))
    .description("run the conformance cases and scenarios, which show the promises that each mechanism keeps")
    .option(
      "--scenario <id...>",
      "run only these; a prefix such as conformance/exchange selects all below it (container/… runs only if named)",
      each(String),
    )
    .option("--junit <file>", "also write the results as JUnit XML, for CI")
    .action(async (options: CheckOptions) => {
      const checks = chooseChecks(options.scenario);
      ensureWritable(options.out, REPORT_FILES);
      if (options.junit !== undefined) ensureWritable(dirname(options.junit), [basename(options.junit)], "--junit");
      const run = startRun(options.seed);
      const chosen = await resolveTransports(options.transport);
      const { candidates, refused } = chosen;
      await warnBeforeRun(candidates, run, { measures: false });
      const targets = checkTargets(candidates, options.peer);
      note(announcement(targets, checks));
      const records = candidates.map(({ record }) => record);
      let soFar = (): CheckResult[] => [];
      const show = (report: Report): void => {
        if (report.complete === false) printTables(`${partialNote(report, terminal())}\n`);
        printTables(checkTables(report, terminal()));
      };
      const results = await inSession(
        (session) =>
          checkAll(session, candidates, targets, checks, options.peer, run.progress, (found) => {
            soFar = found;
          }),
        () => {
          const report = finishReport(run, records, soFar(), { measurements: [], warnings: refused }, false);
          return publishPartial(options, report, () => show(report));
        },
        run.crashes,
        options.bundle,
      );
      const report = finishReport(run, records, results, { measurements: [], warnings: refused });
      if (options.junit !== undefined) store(dirname(options.junit), basename(options.junit), junit(report));
      process.exitCode = exitCode(results, chosen, options.peer);
      await publish(options, report, () => show(report));
    });
}

/** Returns checks by id or by prefix; all where none are named. @throws UsageError for an unknown one */
export function chooseChecks(names: readonly string[] | undefined): readonly Check[] {
  if (names === undefined) return CHECKS;
  for (const name of names) {
    if (!EVERY_CHECK.some(({ id }) => matches(id, name))) {
      throw new UsageError(
        unknownName(
          "scenario",
          name,
          EVERY_CHECK.map(({ id }) => id),
        ),
      );
    }
  }
  return EVERY_CHECK.filter(({ id }) => names.some((name) => matches(id, name)));
}

function matches(id: string, name: string): boolean {
  return id === name || id.startsWith(`${name}/`);
}

/** Checks the targets, which are available. Transports and languages that are not get a row with the reason. */
export async function checkAll(
  session: Session,
  candidates: readonly Candidate[],
  targets: readonly CheckTarget[],
  checks: readonly Check[],
  peers: readonly string[] | undefined,
  progress: Progress,
  onBegin: (soFar: () => CheckResult[]) => void,
): Promise<CheckResult[]> {
  const results = await runChecks(session.supervisor, session.place, targets, checks, progress, onBegin);
  const absent = candidates.flatMap(({ record, transport }) => {
    if (!record.available)
      return checks.map((check) => absentRow(check, record.id, "node", "unavailable", record.reason));
    return (peers ?? []).flatMap((language) => {
      const found = languageObstacle(transport, language);
      if (found === undefined) return [];
      return checks.map((check) => absentRow(check, record.id, language, found.status, found.reason));
    });
  });
  return [...results, ...absent];
}

/** Returns each available transport with each server language asked for. A language without a server is left out. */
export function checkTargets(candidates: readonly Candidate[], peers: readonly string[] | undefined): CheckTarget[] {
  return candidates
    .filter(({ record }) => record.available)
    .flatMap(({ transport, reference }) =>
      (transport.program === undefined ? (peers ?? ["node"]) : [PROGRAM])
        .filter((language) => languageReason(transport, language) === undefined)
        .map((peerLanguage) => ({
          transport,
          reference,
          peerLanguage,
          peerProgram: programFor(transport, peerLanguage),
        })),
    );
}

/** Returns the line before a run: what runs, without transports and checks that cannot, and about how long. */
export function announcement(targets: readonly CheckTarget[], checks: readonly Check[]): string {
  const plan = planChecks(targets, checks);
  const transports = new Set(targets.map(({ transport }) => transport.id)).size;
  const all = `${count(plannedChecks(plan), "check")}${targets.length > 1 ? " in all" : ""}`;
  return `${count(transports, "transport")}, ${all}: about ${inWords(predictMs(plan))}`;
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds <= 180 ? `${seconds} s` : `${(seconds / 60).toFixed(1)} min`;
}

/** Returns the result of a check that no driver ran. */
export function absentRow(
  { id, title }: Check,
  transport: string,
  peer: string,
  status: "unavailable" | "not-applicable",
  reason: string,
): CheckResult {
  const kind = id.startsWith("conformance/") ? "conformance" : "scenario";
  return { scenario: id, title, kind, transport, peer, status, reason, notes: {}, durationMs: 0 };
}

function exitCode(results: readonly CheckResult[], chosen: Chosen, peers: readonly string[] | undefined): number {
  const isIncomplete = noteAbsent(chosen, peers);
  const sentences = notExamined(results, chosen.candidates, peers);
  for (const sentence of endedEarly(results)) note(sentence);
  if (!isIncomplete && sentences.length === 0 && !results.some(isDecided)) {
    sentences.push(`nothing was examined: ${results[0]?.reason ?? "no check was run"}`);
  }
  for (const sentence of sentences) note(sentence);
  if (results.some(({ status }) => status === "failed")) return EXIT.checkFailed;
  return isIncomplete || sentences.length > 0 ? EXIT.incomplete : EXIT.ok;
}

function isDecided({ status }: CheckResult): boolean {
  return status === "passed" || status === "failed";
}

/** Returns a sentence on each transport whose other checks did not run, since the first ones had only waited. */
export function endedEarly(results: readonly CheckResult[]): string[] {
  const left = results.filter(({ status }) => status === "not-examined");
  return [...Map.groupBy(left, ({ transport }) => transport)].map(([id, own]) => {
    return `${id}: ${count(own.length, "check")} ${own.length === 1 ? "was" : "were"} not examined: ${own[0]?.reason}`;
  });
}

/** Returns sentences on mechanisms that were named and can run here, but had no check that applies and could run. */
function notExamined(
  results: readonly CheckResult[],
  candidates: readonly Candidate[],
  peers: readonly string[] | undefined,
): string[] {
  const named = candidates.filter((candidate) => candidate.named && whyAbsent(candidate, peers) === undefined);
  return named.flatMap(({ record: { id } }) => {
    const own = results.filter(({ transport }) => transport === id);
    const first = own.find(({ status }) => status === "unavailable");
    if (first === undefined || own.some(isDecided)) return [];
    return [`${id} was asked for by name and is not available here: ${first.reason}`];
  });
}
