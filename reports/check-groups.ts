import { ABSENT, bytes } from "../harness/results/format.ts";
import type { CheckResult, Report } from "../harness/results/model.ts";
import { isUnnamed } from "./labels.ts";

/** One character per status: readable without colour. */
export const STATUS_MARKS: Readonly<Record<CheckResult["status"], string>> = {
  passed: "✓",
  failed: "✗",
  "not-applicable": "–",
  "not-examined": " ",
  unavailable: "?",
};

export interface CheckMatrix {
  readonly checks: readonly { readonly id: string; readonly title: string; readonly kind: CheckResult["kind"] }[];
  readonly rows: readonly { readonly name: string; readonly results: ReadonlyMap<string, CheckResult> }[];
}

/** Sorts mechanisms and checks with most failures first; the rest keeps the order of the run. */
export function checkMatrix(results: readonly CheckResult[]): CheckMatrix {
  const checks = [...Map.groupBy(results, (result) => result.scenario).values()];
  const rows = [...Map.groupBy(results, checkRowName).entries()];
  return {
    checks: checks
      .toSorted((a, b) => kindOrder(a) - kindOrder(b) || failures(b) - failures(a))
      .map(([first]) => first as CheckResult)
      .map(({ scenario, title, kind }) => ({ id: scenario, title, kind })),
    rows: rows
      .toSorted(([, a], [, b]) => failures(b) - failures(a))
      .map(([name, own]) => ({ name, results: new Map(own.map((result) => [result.scenario, result])) })),
  };
}

export function checkRowName(result: Pick<CheckResult, "transport" | "peer">): string {
  return !result.peer || isUnnamed(result.peer) ? result.transport : `${result.transport} (${result.peer})`;
}

/** Returns the failed checks mechanism by mechanism, which older reports hold in the order in which they ended. */
export function failedChecks(results: readonly CheckResult[]): CheckResult[] {
  const failed = results.filter(({ status }) => status === "failed");
  return [...Map.groupBy(failed, checkRowName).values()].flat();
}

export function countStatus(results: Iterable<CheckResult>, status: CheckResult["status"]): number {
  let total = 0;
  for (const result of results) if (result.status === status) total += 1;
  return total;
}

/** Groups reasons for no result, each once with its mechanisms; most frequent first. */
export function reasonsByText(
  results: readonly CheckResult[],
  status: Exclude<CheckResult["status"], "passed" | "failed">,
): { readonly reason: string; readonly checks: readonly string[]; readonly transports: readonly string[] }[] {
  const groups = Map.groupBy(
    results.filter((result) => result.status === status),
    (result) => result.reason ?? "no reason recorded",
  );
  return [...groups]
    .map(([reason, group]) => ({
      reason,
      checks: [...new Set(group.map((result) => result.scenario))],
      transports: [...new Set(group.map(checkRowName))],
    }))
    .toSorted((a, b) => b.transports.length - a.transports.length || a.reason.localeCompare(b.reason));
}

/** Counts results per status, leaving out what did not occur: `41 passed, 1 failed, 6 not applicable`. */
export function checkSummary(report: Pick<Report, "checks">): string {
  const statuses = ["passed", "failed", "not-applicable", "not-examined", "unavailable"] as const;
  return statuses
    .map((status) => ({ status, total: countStatus(report.checks, status) }))
    .filter(({ total, status }) => total > 0 || status === "failed")
    .map(({ total, status }) => `${total} ${status.replace("-", " ")}`)
    .join(", ");
}

function failures(results: readonly CheckResult[]): number {
  return countStatus(results, "failed");
}

function kindOrder(results: readonly CheckResult[]): number {
  return results[0]?.kind === "conformance" ? 1 : 0;
}

/** Columns for figures that checks took on the way and that are useful to a reader. */
const FIGURES: readonly {
  readonly title: string;
  /** Checks that may have taken the figure. The first one with a value counts. */
  readonly scenarios: readonly string[];
  readonly note: string;
  readonly format: (value: number) => string;
}[] = [
  { title: "requests", scenarios: ["sequential-requests"], note: "requests", format: String },
  { title: "one-way", scenarios: ["one-way-order"], note: "messages", format: String },
  { title: "largest", scenarios: ["large-messages"], note: "largestBytes", format: bytes },
  {
    title: "threads",
    scenarios: ["concurrent-clients/64", "concurrent-clients/8"],
    note: "threadsAdded",
    format: String,
  },
  { title: "idle CPU", scenarios: ["idle-cpu"], note: "serverIdlePercent", format: (percent) => `${percent} %` },
  { title: "loss seen", scenarios: ["peer-loss"], note: "noticedAfterMs", format: (ms) => `${ms} ms` },
];
export const FIGURES_EXPLAINED =
  "requests = number of requests sent one after the other; one-way = number of one-way messages sent; " +
  "largest = largest message; threads = threads that a server adds for 64 clients, or for 8 if it cannot serve 64; " +
  "idle CPU = CPU that an idle server uses; loss seen = time until a client notices that its server was killed";

/** Returns a cell per figure, `–` where it was not taken; empty where no check of this mechanism took one. */
export function figuresOf(results: ReadonlyMap<string, Pick<CheckResult, "notes">>): readonly string[] {
  const cells = FIGURES.map(({ scenarios, note, format }) => {
    const value = scenarios.map((id) => results.get(id)?.notes?.[note]).find((found) => found !== undefined);
    return typeof value === "number" ? format(value) : ABSENT;
  });
  return cells.every((cell) => cell === ABSENT) ? [] : cells;
}

export const FIGURE_TITLES: readonly string[] = FIGURES.map(({ title }) => title);
