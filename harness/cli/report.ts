import { Command, Option } from "commander";
import { gateIn, isGate } from "../../ci/gate/load-gate.ts";
import { storedGate } from "../../ci/gate/page.ts";
import type { GateResult } from "../../ci/gate/result.ts";
import { summaryOf } from "../../ci/gate/summary.ts";
import { budgetLine, tableOf } from "../../ci/gate/words.ts";
import {
  againstText,
  checkTables,
  claimsText,
  codecTables,
  compareTables,
  pairsTables,
  partialNote,
  pickParagraph,
} from "../../reports/terminal/index.ts";
import { note } from "../process/note.ts";
import { UsageError } from "../results/exit-codes.ts";
import { loadJson, reportIn } from "../results/load-report.ts";
import { isBundle, openBundle, showScript } from "./bundle.ts";
import { chooseClaims, claimsOption } from "./claims-option.ts";
import { print, printTables, printWarnings, terminal } from "./output.ts";
import { writeRecord } from "./report-adr.ts";
import { type Format, formatOption, type Renderers, renderersOf, storeForms } from "./report-formats.ts";

const EXPECTED = "name a report.json of compare, measure or check, a gate.json of gate, or a bundle.tgz of bundle";

interface Flags {
  readonly out: string;
  readonly claims?: readonly string[];
  readonly adr?: string;
  readonly format?: readonly Format[];
}

export function reportCommand(): Command {
  return (
    new Command("report")
      .description("print the tables of a stored report or gate again, and write it as a page, markdown, CSV or JSON")
      .argument("[file]", "the report.json, gate.json or bundle.tgz to read", "ipcmark-out/report.json")
      .addOption(claimsOption("judge published claims by this report, even if the run was not made with --claims"))
      .addOption(formatOption())
      .option("--out <dir>", "folder for report.html and the other forms, or gate.html", "ipcmark-out")
      .option("--adr <file>", "write the pick of a compare as a decision record (MADR), with its evidence beside it")
      // As for compare; here all tables are printed anyway.
      .addOption(new Option("--tables").hideHelp())
      .action(async (file: string, { out, claims, adr, format = ["html"] }: Flags, command: Command) => {
        const opened = isBundle(file) ? await openBundle(file) : undefined;
        const value = opened === undefined ? loadJson(file, EXPECTED) : opened.report;
        if (isGate(value) && adr !== undefined)
          throw new UsageError(`--adr: "${file}" is a gate.json; name a report.json of compare`);
        if (isGate(value)) return reportGate(gateIn(value, file, EXPECTED), format, { out, from: [file] });
        const stored = reportIn(value, file, EXPECTED);
        const ignored = ["format", "claims"].find((flag) => command.getOptionValueSource(flag) === "cli");
        if (adr !== undefined && ignored !== undefined)
          throw new UsageError(`--adr writes a decision record alone; leave out --${ignored}, or run report twice`);
        if (adr !== undefined) return writeRecord(stored, file, adr);
        const report = claims === undefined ? stored : { ...stored, claims: chooseClaims(claims).map(({ id }) => id) };
        const paths = await storeForms(renderersOf(report), format, { out, name: "report", from: [file] });
        if (report.complete === false) printTables(`${partialNote(report, terminal())}\n`);
        if (report.measurements.length > 0) printTables(compareTables(report, terminal()));
        const pairs = pairsTables(report, terminal());
        if (pairs !== "") printTables(`\n${pairs}`);
        if (report.codecs !== undefined) printTables(`\n${codecTables(report, terminal())}`);
        if (report.checks.length > 0) printTables(`\n${checkTables(report, terminal())}`);
        if (report.claims !== undefined) printTables(`\n${claimsText(report, terminal())}`);
        if (report.pick !== null) printTables(`\n${pickParagraph(report, terminal())}`);
        if (report.against !== undefined) printTables(`\n${againstText(report.against, terminal())}`);
        printWarnings(report.warnings, false);
        if (opened !== undefined) showScript(opened.script);
        note(`\nwritten: ${paths.join(", ")}`);
      })
  );
}

/** Prints the rows of a stored gate, computed again from its pairs, and writes it in the forms asked for. */
async function reportGate(
  result: GateResult,
  formats: readonly Format[],
  where: { readonly out: string; readonly from: readonly string[] },
): Promise<void> {
  const { page, found } = storedGate(result);
  const renderers: Renderers = {
    html: async () => (await import("../../reports/html/gate.ts")).renderGate(page),
    markdown: () => summaryOf({ ...result, ...found }, page.sentence),
    json: () => `${JSON.stringify(result)}\n`,
  };
  const paths = await storeForms(renderers, formats, { ...where, name: "gate" });
  if (found.rows.length > 0) print([tableOf(found.rows), ...found.budgets.map(budgetLine)].join("\n"));
  printWarnings(result.warnings, false);
  for (const notice of page.notices) note(notice);
  note(`${page.sentence}\nwritten: ${paths.join(", ")}`);
}
