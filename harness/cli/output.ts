import type { Report } from "../results/model.ts";
import { store } from "../results/store.ts";

/** Writes report.json and report.html, and says so on stderr. */
export async function storeReport(directory: string, report: Report): Promise<void> {
  const json = store(directory, "report.json", `${JSON.stringify(report)}\n`);
  // Loaded when there is something to render: chart and histogram libraries take longer to load than a short command runs.
  const { renderHtml } = await import("../../reports/html/render.ts");
  const html = store(directory, "report.html", await renderHtml(report));
  note(`\nwritten: ${json}, ${html}`);
}

/** Prose goes to stderr, so that stdout holds results alone. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** The width there is; without a terminal, what a log shows without wrapping. */
export function terminal(): { columns: number } {
  return { columns: process.stdout.columns ?? 100 };
}
