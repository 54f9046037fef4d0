import { oneLine } from "../../harness/results/format.ts";
import type { CheckResult, Report } from "../../harness/results/model.ts";
import {
  type CheckMatrix,
  checkMatrix,
  checkRowName,
  checkSummary,
  countStatus,
  reasonsByText,
  STATUS_MARKS,
} from "../check-groups.ts";
import { paint, renderTable, type Style, type TableRow, type TerminalOptions, widthLimit, wrap } from "./table.ts";

const STATUS_STYLES: Readonly<Record<CheckResult["status"], Style>> = {
  passed: "green",
  failed: ["red", "bold"],
  "not-applicable": "dim",
  unavailable: "yellow",
};
const GROUP_OF = 5;

/** Failures with their reasons, then mechanisms x checks, then why checks did not apply. Empty where no check ran. */
export function checkTables(report: Pick<Report, "checks">, options: TerminalOptions = {}): string {
  const { checks } = report;
  if (checks.length === 0) return "";
  const matrix = checkMatrix(checks);
  return [failures(checks, options), strips(matrix, options), legend(matrix, options), reasons(checks, options)]
    .filter((part) => part !== "")
    .concat(paint(countStatus(checks, "failed") > 0 ? "red" : "green", `checks: ${checkSummary(report)}`, options))
    .join("\n\n");
}

function failures(checks: readonly CheckResult[], options: TerminalOptions): string {
  const rows: TableRow[] = checks
    .filter((check) => check.status === "failed")
    .map((check) => ({
      name: `${STATUS_MARKS.failed} ${checkRowName(check)}`,
      note: `${check.scenario}: ${oneLine(check.reason ?? check.error ?? "no reason recorded")}`,
    }));
  if (rows.length === 0) return "";
  const [, ...body] = renderTable([{ title: "", align: "left" }], rows, options).split("\n");
  return [paint(["red", "bold"], "failed", options), ...body].join("\n");
}

/** One line per mechanism, one mark per check, numbered above so that a mark leads to its name in the legend. */
function strips(matrix: CheckMatrix, options: TerminalOptions): string {
  const nameWidth = Math.max(...matrix.rows.map((row) => row.name.length));
  const groupsPerBand = Math.floor((widthLimit(options) - nameWidth - 2) / (GROUP_OF + 1));
  const perBand = Math.max(1, groupsPerBand) * GROUP_OF;
  const bands: string[] = [];
  for (let from = 0; from < matrix.checks.length; from += perBand) {
    const shown = matrix.checks.slice(from, from + perBand);
    const numbers = spaced(shown.map((_, index) => ((from + index + 1) % GROUP_OF === 1 ? `${from + index + 1}` : "")));
    const lines = matrix.rows.map((row) => {
      const marks = shown.map(({ id }) => {
        const status = row.results.get(id)?.status;
        return status === undefined ? " " : paint(STATUS_STYLES[status], STATUS_MARKS[status], options);
      });
      return `${row.name.padEnd(nameWidth)}  ${grouped(marks)}`.trimEnd();
    });
    bands.push([paint("dim", `${" ".repeat(nameWidth)}  ${numbers}`, options), ...lines].join("\n"));
  }
  return bands.join("\n\n");
}

/** Number labels stand over the first mark of each group of five. */
function spaced(labels: readonly string[]): string {
  const groups: string[] = [];
  for (let from = 0; from < labels.length; from += GROUP_OF) groups.push((labels[from] ?? "").padEnd(GROUP_OF));
  return groups.join(" ").trimEnd();
}

function grouped(marks: readonly string[]): string {
  const groups: string[] = [];
  for (let from = 0; from < marks.length; from += GROUP_OF) groups.push(marks.slice(from, from + GROUP_OF).join(""));
  return groups.join(" ");
}

function legend(matrix: CheckMatrix, options: TerminalOptions): string {
  const key = "✓ passed   ✗ failed   – not applicable   ? unavailable   (blank: not run)";
  const lines = matrix.checks.flatMap((check, index) =>
    wrap(`${index + 1}. ${check.id}: ${oneLine(check.title)}`, widthLimit(options) - 4).map((text, part) =>
      part === 0 ? text : `    ${text}`,
    ),
  );
  return paint("dim", [key, ...lines].join("\n"), options);
}

function reasons(checks: readonly CheckResult[], options: TerminalOptions): string {
  const parts: string[] = [];
  for (const status of ["unavailable", "not-applicable"] as const) {
    const groups = reasonsByText(checks, status);
    if (groups.length === 0) continue;
    parts.push(paint("bold", status.replace("-", " "), options));
    for (const group of groups) {
      const text = `- ${oneLine(group.reason)} (${group.transports.join(", ")})`;
      parts.push(...wrap(text, widthLimit(options) - 2).map((line, index) => (index === 0 ? line : `  ${line}`)));
    }
  }
  return parts.join("\n");
}
