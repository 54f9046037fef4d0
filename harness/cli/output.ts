import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { STEP_BYTES } from "../../reports/sections-within.ts";
import { warningLines } from "../../reports/terminal/index.ts";
import { isNoted, note } from "../process/note.ts";
import { visibleLines } from "../results/format.ts";
import type { Report, Warning } from "../results/model.ts";
import { reasonOf, store } from "../results/store.ts";
import type { SharedOptions } from "./options.ts";

/** Files that a run leaves in its directory. */
export const REPORT_FILES = ["report.json", "report.html"] as const;

/** Ends a run: writes report.json and report.html, prints the result, and names the files on stderr. */
export async function publish(
  { out: directory, json: asJson }: Pick<SharedOptions, "out" | "json">,
  report: Report,
  show: () => void,
  mostWarnings?: number,
): Promise<void> {
  // Stored before anything is printed: a reader that stops early (`| head`) still finds the report.
  const json = store(directory, REPORT_FILES[0], `${JSON.stringify(report)}\n`);
  // Loaded only when there is something to render, because loading its libraries takes longer than a short command.
  const { renderHtml } = await import("../../reports/html/render.ts");
  const html = store(directory, REPORT_FILES[1], await renderHtml(report));
  if (asJson) printJson(report);
  else show();
  printWarnings(report.warnings, asJson, mostWarnings);
  if (process.env["GITHUB_STEP_SUMMARY"]) {
    const { renderMarkdown } = await import("../../reports/markdown.ts");
    appendStepSummary(renderMarkdown(report, STEP_BYTES));
  }
  note(`\nwritten: ${json}, ${html}`);
}

/** Appends markdown to the step summary of a CI job, if there is one. A failure is a warning and no more. */
export function appendStepSummary(markdown: string): void {
  const file = process.env["GITHUB_STEP_SUMMARY"];
  if (!file) return;
  try {
    appendFileSync(file, `${markdown}\n`);
  } catch (error) {
    note(`warning: the step summary "${file}" was not written: ${reasonOf(error)}; GITHUB_STEP_SUMMARY names the file`);
  }
}

/** Ends an interrupted run like {@link publish}, but without the page: it takes longer than a user waits. */
export function publishPartial(
  { out: directory, json: asJson }: Pick<SharedOptions, "out" | "json">,
  report: Report,
  show: () => void,
): () => void {
  const json = store(directory, REPORT_FILES[0], `${JSON.stringify(report)}\n`);
  // The page of an earlier run would be mistaken for that of this one.
  rmSync(join(directory, REPORT_FILES[1]), { force: true });
  return () => {
    if (asJson) printJson(report);
    else show();
    printWarnings(report.warnings, asJson);
    note(`\nwritten: ${json} (partial)`);
  };
}

/** Prints, after the result, the warnings that were not printed before; on stderr if stdout has only JSON. */
export function printWarnings(warnings: readonly Warning[], asJson: boolean | undefined, most?: number): void {
  const stream = asJson ? process.stderr : process.stdout;
  stream.write(warningText(warnings, stream, most));
}

function warningText(warnings: readonly Warning[], stream: NodeJS.WriteStream, most?: number): string {
  const fresh = warnings.map(({ text }) => text).filter((text) => !isNoted(text));
  const text = warningLines(fresh, { ...terminal(), stream }, most);
  return text === "" ? "" : `\n${text}\n`;
}

/** Largest number of lines that a run prints after its progress. */
export const MOST_LINES = 30;
/** Lines that name the example and the files. */
const CLOSING_LINES = 3;

/** Returns the number of lines for an answer, which is what the warnings, the example and the files leave. */
export function linesOfAnswer(warnings: readonly Warning[], mostWarnings: number): number {
  const lines = warningText(warnings, process.stdout, mostWarnings).split("\n").length - 1;
  return MOST_LINES - CLOSING_LINES - lines;
}

export function print(text: string): void {
  printTables(visibleLines(text));
}

/**
 * Prints text of `reports/terminal`. It may contain colours. All other control characters in it are escaped already.
 */
export function printTables(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Prints JSON with all control characters as escapes, which leave the value the same. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, null, 2).replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
  process.stdout.write(`${text}\n`);
}

/** Largest width that a log shows without wrapping. */
const LOG_COLUMNS = 100;

/** Returns the width of the terminal; without one, that of `COLUMNS` or of a log. */
export function terminal(): { columns: number } {
  return { columns: process.stdout.columns ?? (Number(process.env["COLUMNS"]) || LOG_COLUMNS) };
}
