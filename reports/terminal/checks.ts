import { oneLine } from "../../harness/results/format.ts";
import type { CheckResult, Report } from "../../harness/results/model.ts";
import {
  type CheckMatrix,
  checkMatrix,
  checkRowName,
  checkSummary,
  countStatus,
  FIGURE_TITLES,
  FIGURES_EXPLAINED,
  failedChecks,
  figuresOf,
  reasonsByText,
  STATUS_MARKS,
} from "../check-groups.ts";
import { CONTAINER_NOTE, CONTAINER_TITLES, containerRows } from "../containers.ts";
import { forTerminal } from "./border.ts";
import {
  type Column,
  paint,
  renderTable,
  type Style,
  type TableRow,
  type TerminalOptions,
  widthLimit,
  wrap,
} from "./table.ts";

const STATUS_STYLES: Readonly<Record<CheckResult["status"], Style>> = {
  passed: "green",
  failed: ["red", "bold"],
  "not-applicable": "dim",
  "not-examined": "dim",
  unavailable: "yellow",
};
const GROUP_OF = 5;
/** Largest number of checks with their titles below the matrix; more would bury it. */
const FEW = 15;
/** Stands for a space at which no line is broken. */
const TIED = "\u2060";

/** Returns failures with reasons, the matrix of mechanisms and checks, reasons for no result. Empty without checks. */
export function checkTables(report: Pick<Report, "checks">, options: TerminalOptions = {}): string {
  const checks = forTerminal(report.checks);
  if (checks.length === 0) return "";
  const matrix = checkMatrix(checks);
  const parts = [failures(checks, options), strips(matrix, options), legend(matrix, options)];
  return [...parts, containers(checks, options), figures(matrix, options), reasons(checks, matrix, options)]
    .filter((part) => part !== "")
    .concat(paint(countStatus(checks, "failed") > 0 ? "red" : "green", `checks: ${checkSummary(report)}`, options))
    .join("\n\n");
}

function failures(checks: readonly CheckResult[], options: TerminalOptions): string {
  const rows = failedChecks(checks).map(
    (check): TableRow => ({
      name: `${STATUS_MARKS.failed} ${checkRowName(check)}`,
      note: `${check.scenario}: ${oneLine(check.reason ?? check.error ?? "no reason recorded")}`,
    }),
  );
  if (rows.length === 0) return "";
  const [, ...body] = renderTable([{ title: "", align: "left" }], rows, options).split("\n");
  return [paint(["red", "bold"], "failed", options), ...body].join("\n");
}

/** Writes one line per mechanism and one mark per check; the numbers above lead to the names in the legend. */
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

/** Puts number labels over the first mark of each group of five. */
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
  const key = "✓ passed   ✗ failed   – not applicable   ? unavailable   (blank: not examined)";
  const names = matrix.checks.length <= FEW ? titles(matrix) : groups(matrix);
  const lines = names.flatMap((name) =>
    wrap(name, widthLimit(options) - 4).map((text, part) => (part === 0 ? "" : "    ") + text.replaceAll(TIED, " ")),
  );
  return paint("dim", [key, ...lines].join("\n"), options);
}

function titles({ checks }: CheckMatrix): string[] {
  return checks.map(({ id, title }, index) => `${index + 1}. ${id}: ${oneLine(title)}`);
}

/** Lists many checks by their names alone. Checks of a conformance group follow the name of the group. */
function groups({ checks }: CheckMatrix): string[] {
  const numbered = checks.map(({ id }, index) => ({ id, number: index + 1 }));
  const prefixOf = (id: string): string => /^conformance\/[^/]+/.exec(id)?.[0] ?? "scenarios";
  return [...Map.groupBy(numbered, ({ id }) => prefixOf(id))].map(([prefix, members]) => {
    const names = members.map(
      ({ id, number }) => `${number}${TIED}${id.startsWith(prefix) ? id.slice(prefix.length + 1) : id}`,
    );
    return `${prefix}: ${names.join(", ")}`;
  });
}

/** Writes what each mechanism was really sent and what it received, since a check scales its sizes to the mechanism. */
function figures({ rows }: CheckMatrix, options: TerminalOptions): string {
  const found = rows.map(({ name, results }) => ({ name, cells: figuresOf(results) }));
  const shown = found.filter(({ cells }) => cells.length > 0);
  if (shown.length === 0) return "";
  const columns = FIGURE_TITLES.map((title) => ({ title, align: "right" }) as const);
  const table = renderTable(
    [{ title: "figures", align: "left" }, ...columns],
    shown.map(({ name, cells }) => ({ cells: [name, ...cells] })),
    options,
  );
  const explained = wrap(`(${FIGURES_EXPLAINED})`, widthLimit(options)).map((text) => paint("dim", text, options));
  return [table, ...explained].join("\n");
}

/** Writes what two containers have to share so that each mechanism works between them. */
function containers(checks: readonly CheckResult[], options: TerminalOptions): string {
  const rows = containerRows(checks).map((cells) => ({ cells }));
  if (rows.length === 0) return "";
  const [name, ...others] = CONTAINER_TITLES;
  const columns = others.map((title, index) => ({
    ...{ title, align: "left" },
    ...(index === others.length - 1 ? { shrink: "wrap" } : {}),
  })) as readonly Column[];
  const note = wrap(CONTAINER_NOTE, widthLimit(options)).map((text) => paint("dim", text, options));
  return [renderTable([{ title: name, align: "left" }, ...columns], rows, options), ...note].join("\n");
}

/** Lists each reason with the numbers of its checks. */
function reasons(checks: readonly CheckResult[], matrix: CheckMatrix, options: TerminalOptions): string {
  const numbers = new Map(matrix.checks.map(({ id }, index) => [id, index + 1]));
  const parts: string[] = [];
  for (const status of ["unavailable", "not-applicable", "not-examined"] as const) {
    const found = reasonsByText(checks, status);
    if (found.length === 0) continue;
    parts.push(paint("bold", status.replace("-", " "), options));
    for (const { reason, checks: about, transports } of found) {
      const which = about.length === matrix.checks.length ? "all" : ranges(about.map((id) => numbers.get(id) ?? 0));
      const text = `- [${which}] ${oneLine(reason)} (${transports.join(", ")})`;
      parts.push(...wrap(text, widthLimit(options) - 2).map((line, index) => (index === 0 ? line : `  ${line}`)));
    }
  }
  return parts.join("\n");
}

/** Joins numbers into ranges: `1, 3–5`. */
function ranges(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}
