import type { CheckResult, Report } from "../harness/results/model.ts";
import { checkRowName, countStatus } from "./check-groups.ts";
import { xmlText } from "./xml.ts";

/**
 * The checks of a report as JUnit XML, one suite per mechanism: what CI systems read. What did not apply or was not there is
 * skipped with its reason, so that nothing is missing without a word.
 */
export function junit({ checks, startedAt, durationMs }: Pick<Report, "checks" | "startedAt" | "durationMs">): string {
  const suites = Map.groupBy(checks, checkRowName);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="ipcmark check" ${counts(checks)} time="${seconds(durationMs)}" timestamp="${attribute(startedAt)}">`,
    ...[...suites].map(([name, results]) => suite(name, results)),
    "</testsuites>",
    "",
  ].join("\n");
}

function suite(name: string, results: readonly CheckResult[]): string {
  const total = results.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const head = `  <testsuite name="${attribute(name)}" ${counts(results)} time="${seconds(total)}">`;
  return [head, ...results.map((result) => testCase(name, result)), "  </testsuite>"].join("\n");
}

function testCase(suiteName: string, { scenario, status, reason, error, durationMs }: CheckResult): string {
  const name = `name="${attribute(scenario)}" classname="${attribute(suiteName)}" time="${seconds(durationMs)}"`;
  const why = attribute(reason ?? "");
  switch (status) {
    case "passed":
      return `    <testcase ${name}/>`;
    case "failed":
      return `    <testcase ${name}><failure message="${why}">${xmlText(error ?? reason ?? "")}</failure></testcase>`;
    case "not-applicable":
    case "unavailable":
      return `    <testcase ${name}><skipped message="${status.replace("-", " ")}: ${why}"/></testcase>`;
  }
}

function counts(results: readonly CheckResult[]): string {
  const skipped = countStatus(results, "not-applicable") + countStatus(results, "unavailable");
  return `tests="${results.length}" failures="${countStatus(results, "failed")}" errors="0" skipped="${skipped}"`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function attribute(value: string): string {
  return xmlText(value)
    .replace(/"/g, "&quot;")
    .replace(/\s*\n\s*/g, " ");
}
