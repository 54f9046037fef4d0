import { join } from "node:path";
import { Command } from "commander";
import {
  againstText,
  answer,
  checkTables,
  claimsText,
  compareTables,
  pairsTables,
  partialNote,
  pickParagraph,
  recordedTables,
} from "../../reports/terminal/index.ts";
import { CODEC_IDS } from "../../scenarios/benchmark.ts";
import { EXIT, UsageError } from "../results/exit-codes.ts";
import type { Report } from "../results/model.ts";
import { ensureWritable } from "../results/store.ts";
import { earlierReport } from "./against.ts";
import { questionOf } from "./asked-question.ts";
import { chooseCandidates } from "./choose-candidates.ts";
import { claimsExitCode, testClaims } from "./claims.ts";
import { chooseClaims, claimsOption } from "./claims-option.ts";
import { parseCodec } from "./codecs.ts";
import { compare } from "./comparison.ts";
import { exampleLine } from "./example.ts";
import { refuseTooLarge } from "./measure.ts";
import { DEFAULT_OUT, type MeasureOptions, withMeasuring, withQuestion } from "./options.ts";
import { linesOfAnswer, print, printTables, publish, REPORT_FILES, terminal } from "./output.ts";
import { sizesOf } from "./payloads.ts";
import { noteAbsent, peersFor } from "./peers.ts";
import { replayedOf } from "./recorded.ts";
import { startRun } from "./run.ts";
import type { Candidate } from "./transports.ts";
import { each } from "./values.ts";

/** Largest number of warnings behind an answer; the report has all of them. */
const MOST_WARNINGS = 3;

/** Options that choose what is measured: the claims do that themselves. */
const NOT_WITH_CLAIMS = [
  ...["transport", "need", "profile", "optimize", "matters", "payload", "clients", "rate", "work"],
  ...["codec", "placement", "mode", "peer", "client", "against"],
];

export function compareCommand(): Command {
  return withQuestion(withMeasuring(new Command("compare")))
    .description("check and measure the mechanisms side by side, and name a pick with its reasons")
    .option("--tables", "print all tables, not only the table of the answer")
    .option("--against <file|last>", "state what changed since this report; last is the newest one in --out")
    .option("--force", "with --against: compare although the report is of another machine")
    .addOption(
      claimsOption("measure what published claims need, and state which hold here, instead of a pick").conflicts(
        NOT_WITH_CLAIMS,
      ),
    )
    .option(
      "--codec <name>",
      `codec with which both ends convert values of the size --payload: ${CODEC_IDS.join(", ")} (default: no codec)`,
      each(parseCodec),
    )
    .action(async (typed: MeasureOptions) => {
      const options = { ...typed, replayed: replayedOf(typed) };
      if (typed.claims !== undefined && options.replayed !== undefined)
        throw new UsageError("--claims measures what the claims need; leave out the file of --messages");
      if (typed.claims !== undefined) return compareClaims(typed, typed.claims);
      const question = await questionOf(options);
      ensureWritable(options.out, REPORT_FILES);
      const earlier = earlierReport(options);
      const run = startRun(options.seed);
      const { requirements, workload } = question;
      const chosen = await chooseCandidates(options.transport, requirements, workload.peer);
      refuseTooLarge(chosen.candidates, sizesOf(options.payload ?? []));
      const ofProfile = question.profile.workload.peer;
      const peer = peersFor(options, ofProfile === undefined ? undefined : [ofProfile]);
      const asked = peer === undefined ? options : { ...options, peer };
      const isIncomplete = noteAbsent(chosen, peer, options.client);
      const show = (report: Report): void => printReport(report, options);
      const report = await compare({ options: asked, run, chosen, question, earlier }, show);
      process.exitCode = isIncomplete ? EXIT.incomplete : exitCode(report, chosen.candidates);
      await publish(options, report, () => show(report), options.tables ? undefined : MOST_WARNINGS);
    });
}

async function compareClaims(options: MeasureOptions, ids: readonly string[]): Promise<void> {
  ensureWritable(options.out, REPORT_FILES);
  const show = (report: Report): void => {
    if (report.complete === false) printTables(`${partialNote(report, terminal())}\n`);
    printTables(claimsText(report, terminal()));
    if (options.tables) printTables(`\n${compareTables(report, terminal())}`);
  };
  const report = await testClaims(options, startRun(options.seed), chooseClaims(ids), show);
  process.exitCode = claimsExitCode(report);
  await publish(options, report, () => show(report), options.tables ? undefined : MOST_WARNINGS);
}

/** Returns the exit code of a comparison that came to its end. */
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

type Shown = Pick<MeasureOptions, "tables" | "out">;

function printReport(report: Report, shown: Shown): void {
  if (report.complete === false) printTables(`${partialNote(report, terminal())}\n`);
  printAnswer(report, shown);
  if (report.against !== undefined) printTables(`\n${againstText(report.against, terminal())}`);
}

function printAnswer(report: Report, { tables = false, out }: Shown): void {
  const pairs = pairsTables(report, terminal());
  const example = exampleLine(report.pick);
  const recorded = recordedTables(report, terminal(), tables ? undefined : (report.pick?.transport ?? ""));
  if (!tables) {
    const path = out === DEFAULT_OUT ? undefined : join(out, REPORT_FILES[0]);
    printTables(answer(report, terminal(), linesOfAnswer(report.warnings, MOST_WARNINGS), path));
    if (recorded !== "") printTables(`\n${recorded}`);
    if (pairs !== "") printTables(`\n${pairs}`);
    if (example !== undefined) print(example);
    return;
  }
  printTables(compareTables(report, terminal()));
  if (recorded !== "") printTables(`\n${recorded}`);
  if (pairs !== "") printTables(`\n${pairs}`);
  if (report.checks.some(({ status }) => status === "failed")) printTables(`\n${checkTables(report, terminal())}`);
  printTables(`\n${pickParagraph(report, terminal())}`);
  if (example !== undefined) print(example);
}
