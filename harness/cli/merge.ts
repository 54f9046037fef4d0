import { basename, dirname, resolve } from "node:path";
import { Command } from "commander";
import { answerOf, cautions, type MachineReport, machineLine } from "../../reports/side-by-side.ts";
import { wrappedTable } from "../../reports/terminal/index.ts";
import { note } from "../process/note.ts";
import { UsageError } from "../results/exit-codes.ts";
import { loadReport } from "../results/load-report.ts";
import { printTables } from "./output.ts";
import { type Format, formatOption, type Renderers, storeForms } from "./report-formats.ts";

interface Flags {
  readonly out: string;
  readonly format?: readonly Format[];
}

export function mergeCommand(): Command {
  return new Command("merge")
    .description("put the reports of several machines side by side in one page, without a ranking across them")
    .argument("<files...>", "one report.json for each machine")
    .addOption(formatOption())
    .option("--out <dir>", "folder for machines.html and the other forms", "ipcmark-out")
    .action(async (files: readonly string[], { out, format = ["html"] }: Flags) => {
      const machines = machinesOf(files);
      const paths = await storeForms(renderersOf(machines), format, { out, name: "machines", from: files });
      const rows = machines.map(({ name, report }) => [name, machineLine(report.environment), answerOf(report)]);
      printTables(wrappedTable(["machine", "what it is", "answer"], rows));
      for (const caution of cautions(machines)) note(`warning: ${caution}`);
      note(`\nwritten: ${paths.join(", ")}`);
    });
}

/** Returns all forms of several reports. Each renderer is loaded only where it is asked for. */
function renderersOf(machines: readonly MachineReport[]): Renderers {
  return {
    html: async () => (await import("../../reports/html/machines.ts")).renderMachines(machines),
    markdown: async () => (await import("../../reports/machines-markdown.ts")).renderMachinesMarkdown(machines),
    csv: async () => (await import("../../reports/csv.ts")).renderMachinesCsv(machines),
    json: () => `${JSON.stringify(machines)}\n`,
  };
}

/**
 * Reads the reports of several machines.
 *
 * @throws UsageError for fewer than two files, or one file twice; StoreError for a file that is no report
 */
export function machinesOf(files: readonly string[]): MachineReport[] {
  const paths = files.map((file) => resolve(file));
  const twice = files.find((_, index) => paths.indexOf(paths[index] ?? "") !== index);
  if (twice !== undefined) throw new UsageError(`"${twice}" is named twice; name one report.json for each machine`);
  if (files.length < 2) throw new UsageError("merge needs at least two reports; name one report.json for each machine");
  const names = namesOf(paths);
  return files.map((file, index) => ({ name: names[index] ?? file, report: loadReport(file) }));
}

/** Returns the names of the machines: of the files, or of their folders if files have the same name, as in CI. */
function namesOf(paths: readonly string[]): string[] {
  const own = paths.map((path) => basename(path, ".json"));
  if (new Set(own).size === own.length) return own;
  const folders = paths.map((path) => basename(dirname(path)));
  if (new Set(folders).size === folders.length) return folders;
  return paths.map((_, index) => `machine ${index + 1}`);
}
