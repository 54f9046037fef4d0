import { oneLine } from "../harness/results/format.ts";
import type { Report } from "../harness/results/model.ts";
import { checkMatrix, STATUS_MARKS } from "./check-groups.ts";

const BEGIN = "<!-- results: begin -->";
const END = "<!-- results: end -->";

/**
 * The results of `check` as Markdown: one row per scenario, one column per mechanism, and behind it every reason why a scenario
 * did not apply or failed. Conformance cases are summed up in one row.
 */
export function checkResultsTable({ checks, environment, startedAt }: Report): string {
  const { rows } = checkMatrix(checks);
  const mechanisms = rows.toSorted((a, b) => a.name.localeCompare(b.name));
  const scenarios = [...new Set(checks.filter(({ kind }) => kind === "scenario").map(({ scenario }) => scenario))];
  const mark = (results: (typeof rows)[number]["results"], id: string): string => {
    const status = results.get(id)?.status;
    return status === undefined ? "" : STATUS_MARKS[status];
  };
  const conformance = mechanisms.map(({ results }) => {
    const own = [...results.values()].filter(
      ({ kind, status }) => kind === "conformance" && status !== "not-applicable",
    );
    const passed = own.filter(({ status }) => status === "passed").length;
    return own.length === 0 ? "" : `${passed}/${own.length}`;
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const where = `Node ${environment.node}, ${environment.platform} ${environment.kernel}, ${environment.cpus} CPUs`;
  return [
    `${startedAt.slice(0, 10)}, ${where}. ${STATUS_MARKS.passed} passed, ${STATUS_MARKS.failed} failed, ${STATUS_MARKS["not-applicable"]} not applicable, ${STATUS_MARKS.unavailable} unavailable there.`,
    "",
    line(["scenario", ...mechanisms.map(({ name }) => `\`${name}\``)]),
    line(["---", ...mechanisms.map(() => ":-:")]),
    ...scenarios.map((id) => line([`\`${id}\``, ...mechanisms.map(({ results }) => mark(results, id))])),
    line(["conformance cases", ...conformance]),
    "",
    ...reasons(checks),
  ].join("\n");
}

/** Each reason once, with where it holds. */
function reasons(checks: Report["checks"]): string[] {
  const lines: string[] = [];
  for (const [status, title] of [
    ["failed", "Failed"],
    ["not-applicable", "Not applicable"],
  ] as const) {
    const found = checks.filter(
      (check) => check.status === status && (check.kind === "scenario" || status === "failed"),
    );
    if (found.length === 0) continue;
    lines.push(`${title}:`, "");
    const group = ({ reason, scenario }: Report["checks"][number]): string =>
      status === "failed" ? `\`${scenario}\`: ${oneLine(reason ?? "")}` : oneLine(reason ?? "");
    for (const [reason, members] of Map.groupBy(found, group)) {
      const ids = [...new Set(members.map(({ transport }) => `\`${transport}\``))];
      const about = [...new Set(members.map(({ scenario }) => `\`${scenario}\``))];
      lines.push(`- ${reason} (${ids.join(", ")}${status === "failed" ? "" : `: ${about.join(", ")}`})`);
    }
    lines.push("");
  }
  return lines;
}

/** The document with its section of results replaced. @throws Error when it has none */
export function withCheckResults(document: string, report: Report): string {
  const from = document.indexOf(BEGIN);
  const to = document.indexOf(END);
  if (from < 0 || to < from) throw new Error(`the document has no section between ${BEGIN} and ${END}`);
  return `${document.slice(0, from + BEGIN.length)}\n${checkResultsTable(report)}\n${document.slice(to)}`;
}
