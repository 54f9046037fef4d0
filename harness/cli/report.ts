import { Command } from "commander";
import { checkTables, codecTables, compareTables, partialNote, pickParagraph } from "../../reports/terminal/index.ts";
import { note } from "../process/note.ts";
import { loadReport } from "../results/load-report.ts";
import { ensureWritable, store } from "../results/store.ts";
import { printTables, printWarnings, terminal } from "./output.ts";

export function reportCommand(): Command {
  return new Command("report")
    .description("print the tables of a stored report again, and write its HTML page")
    .argument("[file]", "the report.json to read", "ipcmark-out/report.json")
    .option("--out <dir>", "folder for report.html", "ipcmark-out")
    .action(async (file: string, { out }: { out: string }) => {
      const report = loadReport(file);
      ensureWritable(out, ["report.html"]);
      const { renderHtml } = await import("../../reports/html/render.ts");
      const html = store(out, "report.html", await renderHtml(report));
      if (report.complete === false) printTables(`${partialNote(report, terminal())}\n`);
      if (report.measurements.length > 0) printTables(compareTables(report, terminal()));
      if (report.codecs !== undefined) printTables(`\n${codecTables(report, terminal())}`);
      if (report.checks.length > 0) printTables(`\n${checkTables(report, terminal())}`);
      if (report.pick !== null) printTables(`\n${pickParagraph(report, terminal())}`);
      printWarnings(report.warnings, false);
      note(`\nwritten: ${html}`);
    });
}
