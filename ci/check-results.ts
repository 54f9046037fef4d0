import { oneLine } from "../harness/results/format.ts";
import type { CheckResult, Report } from "../harness/results/model.ts";
import { checkMatrix, FIGURE_TITLES, FIGURES_EXPLAINED, figuresOf, STATUS_MARKS } from "../reports/check-groups.ts";
import { CONTAINER_TITLES, containerRows } from "../reports/containers.ts";

/** Sections of documents that are written from what was recorded. */
type Section = "results" | "containers" | "sample";

const beginOf = (section: Section): string => `<!-- ${section}: begin -->`;
const endOf = (section: Section): string => `<!-- ${section}: end -->`;
const GROUP_OF = 5;

/** Recorded results of a `check` of every mechanism: small enough to be kept beside the documents that show them. */
export interface RecordedChecks {
  /** Sentence with the date, the versions and the machine. */
  readonly taken: string;
  readonly durationMs: number;
  /** Ids of the scenarios, in the order of the marks. */
  readonly scenarios: readonly string[];
  readonly mechanisms: Readonly<Record<string, RecordedMechanism>>;
  readonly reasons: readonly RecordedReason[];
}

interface RecordedMechanism {
  /** Marks, one of `STATUS_MARKS` per scenario. */
  readonly marks: string;
  readonly conformance: { readonly passed: number; readonly failed: number };
  readonly figures: readonly string[];
}

/** Reason why scenarios did not pass, and conformance cases failed. */
interface RecordedReason {
  readonly status: Exclude<CheckResult["status"], "passed">;
  readonly reason: string;
  /** Ids of checks by mechanism. */
  readonly where: Readonly<Record<string, readonly string[]>>;
}

export function recordChecks(report: Report): RecordedChecks {
  const { checks, durationMs } = report;
  const own = checks.filter(({ kind }) => kind === "scenario");
  const scenarios = [...new Set(own.map(({ scenario }) => scenario))];
  const place = (name: string): number => report.transports.findIndex(({ id }) => id === name.replace(/ \(.*/, ""));
  const rows = checkMatrix(checks).rows.toSorted((a, b) => place(a.name) - place(b.name));
  return {
    taken: takenOf(report),
    durationMs,
    scenarios,
    mechanisms: Object.fromEntries(rows.map(({ name, results }) => [name, recordMechanism(results, scenarios)])),
    reasons: recordReasons(checks.filter(({ kind, status }) => kind === "scenario" || status === "failed")),
  };
}

/**
 * Returns the kept results with those of a later run in the place of the same mechanisms. The sentence about the run
 * stays that of the kept one, unless the later run examined every mechanism.
 *
 * @param ids all mechanisms, in their order
 */
export function mergeChecks(kept: RecordedChecks, later: RecordedChecks, ids: readonly string[]): RecordedChecks {
  if (ids.every((id) => id in later.mechanisms)) return later;
  const mechanisms = { ...kept.mechanisms, ...later.mechanisms };
  const known = ids.flatMap((id) => (mechanisms[id] === undefined ? [] : [[id, mechanisms[id]] as const]));
  const others = kept.reasons.map(({ where, ...reason }) => ({
    ...reason,
    where: Object.fromEntries(Object.entries(where).filter(([id]) => !(id in later.mechanisms) && ids.includes(id))),
  }));
  const grouped = Map.groupBy([...others, ...later.reasons], ({ status, reason }) => `${status} ${reason}`);
  const reasons = [...grouped.values()].map(([first, ...more]) => ({
    ...(first as RecordedReason),
    where: Object.assign({}, first?.where, ...more.map(({ where }) => where)),
  }));
  return {
    ...kept,
    mechanisms: Object.fromEntries(known),
    reasons: reasons.filter(({ where }) => Object.keys(where).length > 0),
  };
}

function takenOf({ environment, startedAt }: Report): string {
  const { ipcmark, node, platform, kernel, cpuModel, cpus } = environment;
  // A vendor adds a suffix to the version of the kernel, which names no feature of it.
  const version = /^\d+\.\d+/.exec(kernel)?.[0] ?? kernel;
  const machine = `${platform} ${version}, ${cpus} CPUs (${cpuModel})`;
  return `${startedAt.slice(0, 10)}, ipcmark ${ipcmark}, Node ${node}, ${machine}`;
}

function recordMechanism(results: ReadonlyMap<string, CheckResult>, scenarios: readonly string[]): RecordedMechanism {
  const mark = (id: string): string => STATUS_MARKS[results.get(id)?.status ?? "unavailable"];
  const count = (status: CheckResult["status"]): number =>
    [...results.values()].filter((result) => result.kind === "conformance" && result.status === status).length;
  return {
    marks: scenarios.map(mark).join(""),
    conformance: { passed: count("passed"), failed: count("failed") },
    figures: figuresOf(results),
  };
}

function recordReasons(checks: readonly CheckResult[]): RecordedReason[] {
  const found: RecordedReason[] = [];
  for (const status of ["failed", "unavailable", "not-examined", "not-applicable"] as const) {
    const grouped = Map.groupBy(
      checks.filter((check) => check.status === status),
      ({ reason }) => oneLine(reason ?? "no reason recorded"),
    );
    for (const [reason, members] of grouped) {
      const where = Map.groupBy(members, ({ transport }) => transport);
      const ids = [...where].map(([transport, own]) => [transport, own.map(({ scenario }) => scenario)]);
      found.push({ status, reason, where: Object.fromEntries(ids) });
    }
  }
  return found;
}

/** Writes one row per mechanism: what it passed, what it cannot do and why, and what was measured on the way. */
export function checkSummaryTable(recorded: RecordedChecks): string {
  const { mechanisms, scenarios, reasons, taken, durationMs } = recorded;
  const count = (text: string, mark: string): number => text.split(mark).length - 1;
  const cell = (passed: number, failed: number): string =>
    failed === 0 ? `${passed}` : `${passed}, **${failed} failed**`;
  const rows = Object.entries(mechanisms).map(([name, { marks, conformance, figures }]) => [
    `\`${name}\``,
    cell(count(marks, STATUS_MARKS.passed), count(marks, STATUS_MARKS.failed)),
    cell(conformance.passed, conformance.failed),
    ...FIGURE_TITLES.map((_, index) => figures[index] ?? ""),
    reasonNumbers(name, reasons),
  ]);
  return [
    `${taken}; the whole run took ${duration(durationMs)}. ` +
      `The column \`scenarios\` shows how many of the ${scenarios.length} scenarios passed, and \`cases\` how many ` +
      "conformance cases passed. The numbers under `reasons` refer to the list below, " +
      "which gives the reasons why other scenarios did not pass.",
    "",
    ...markdownTable(["mechanism", "scenarios", "cases", ...FIGURE_TITLES, "reasons"], rows),
    "",
    `Figures: ${FIGURES_EXPLAINED}.`,
    "",
    ...reasons.map(
      ({ status, reason }, index) => `${index + 1}. ${status === "not-applicable" ? "" : `${status}: `}${reason}`,
    ),
  ].join("\n");
}

function reasonNumbers(name: string, reasons: readonly RecordedReason[]): string {
  return reasons.flatMap(({ where }, index) => (name in where ? [String(index + 1)] : [])).join(", ");
}

/** Writes a mark for every mechanism and scenario, numbered as in the list below it; then the reasons. */
export function checkMatrixText({ mechanisms, scenarios, reasons, taken }: RecordedChecks): string {
  const width = Math.max(...Object.keys(mechanisms).map((name) => name.length));
  const grouped = (parts: readonly string[]): string =>
    parts.map((part, index) => (index > 0 && index % GROUP_OF === 0 ? ` ${part}` : part)).join("");
  const header = scenarios.map((_, index) => (index % GROUP_OF === 0 ? String(index + 1).padEnd(GROUP_OF + 1) : ""));
  const about = ({ where }: RecordedReason): string =>
    [...Map.groupBy(Object.entries(where), ([, ids]) => ids.map((id) => `\`${id}\``).join(", "))]
      .map(([ids, members]) => `${members.map(([name]) => `\`${name}\``).join(", ")}: ${ids}`)
      .join("; ");
  return [
    `${taken}. ${STATUS_MARKS.passed} passed, ${STATUS_MARKS.failed} failed, ` +
      `${STATUS_MARKS["not-applicable"]} not applicable, ${STATUS_MARKS.unavailable} unavailable there.`,
    "",
    "```",
    `${" ".repeat(width)}  ${header.join("")}`.trimEnd(),
    ...Object.entries(mechanisms).map(([name, { marks }]) => `${name.padEnd(width)}  ${grouped([...marks])}`),
    "```",
    "",
    scenarios.map((id, index) => `${index + 1} \`${id}\``).join(", "),
    "",
    ...reasons.map((reason) => {
      const status = reason.status === "not-applicable" ? "" : `**${reason.status}**: `;
      const where = reason.status === "unavailable" ? Object.keys(reason.where).join(", ") : about(reason);
      return `- ${status}${reason.reason} (${where})`;
    }),
  ].join("\n");
}

/** Recorded rows of the table of containers. */
export interface RecordedContainers {
  /** Sentence with the date, the versions and the machine. */
  readonly taken: string;
  readonly rows: readonly (readonly string[])[];
}

/** Writes what two containers have to share, a row per mechanism. */
export function containerTable({ taken, rows }: RecordedContainers): string {
  const cells = rows.map(([name, ...others]) => [`\`${name}\``, ...others.map((text) => text.replaceAll("|", "\\|"))]);
  return [`${taken}.`, "", ...markdownTable(CONTAINER_TITLES, cells)].join("\n");
}

export function recordContainers(report: Report): RecordedContainers {
  return { taken: takenOf(report), rows: containerRows(report.checks) };
}

function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(titles), line(titles.map((_, index) => (index === 0 ? "---" : "--:"))), ...rows.map(line)];
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Replaces a section of a document. @throws Error when it has none */
export function withResults(document: string, text: string, section: Section = "results"): string {
  const [begin, end] = [beginOf(section), endOf(section)];
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the document has no section between ${begin} and ${end}`);
  return `${document.slice(0, from + begin.length)}\n${text}\n${document.slice(to)}`;
}

/** Returns the present text of that section. */
export function resultsIn(document: string, section: Section = "results"): string {
  const begin = beginOf(section);
  return document.slice(document.indexOf(begin) + begin.length, document.indexOf(endOf(section))).trim();
}
