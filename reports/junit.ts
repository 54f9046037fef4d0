import type { CheckResult, Report } from "../harness/results/model.ts";
import { checkRowName } from "./check-groups.ts";
import { xmlText } from "./xml.ts";

/** Result of one case; one that passed may have a message too. */
export interface JunitCase {
  readonly name: string;
  readonly durationMs?: number;
  readonly outcome: "passed" | "failure" | "error" | "skipped";
  readonly message?: string;
  /** Kind of a failure or error, where there are several. */
  readonly type?: string;
  /** Full text, where the message is only the beginning. */
  readonly text?: string;
}

export interface JunitSuite {
  readonly name: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly durationMs: number;
  readonly cases: readonly JunitCase[];
}

/** Returns the checks of a report, one suite per mechanism. Checks without a result are skipped with their reason. */
export function junit({ checks, startedAt, durationMs }: Pick<Report, "checks" | "startedAt" | "durationMs">): string {
  const suites = [...Map.groupBy(checks, checkRowName)].map(([name, results]) => ({
    name,
    durationMs: results.reduce((sum, result) => sum + result.durationMs, 0),
    cases: results.map(caseOf),
  }));
  return junitXml("ipcmark check", durationMs, suites, startedAt);
}

function caseOf({ scenario: name, status, reason = "", error = reason, durationMs }: CheckResult): JunitCase {
  switch (status) {
    case "passed":
      return { name, durationMs, outcome: "passed" };
    case "failed":
      return { name, durationMs, outcome: "failure", message: reason, text: error };
    case "not-applicable":
    case "not-examined":
    case "unavailable":
      return { name, durationMs, outcome: "skipped", message: `${status.replace("-", " ")}: ${reason}` };
  }
}

/** Writes JUnit XML, as CI systems read it. */
export function junitXml(name: string, durationMs: number, suites: readonly JunitSuite[], startedAt?: string): string {
  const began = startedAt === undefined ? "" : ` timestamp="${attribute(startedAt)}"`;
  const all = suites.flatMap(({ cases }) => cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${attribute(name)}" ${counts(all)} time="${seconds(durationMs)}"${began}>`,
    ...suites.flatMap(suiteLines),
    "</testsuites>",
    "",
  ].join("\n");
}

function suiteLines({ name, properties = {}, durationMs, cases }: JunitSuite): string[] {
  const facts = Object.entries(properties).map(
    ([key, value]) => `<property name="${attribute(key)}" value="${attribute(value)}"/>`,
  );
  return [
    `  <testsuite name="${attribute(name)}" ${counts(cases)} time="${seconds(durationMs)}">`,
    ...(facts.length === 0 ? [] : [`    <properties>${facts.join("")}</properties>`]),
    ...cases.map((one) => `    ${caseElement(name, one)}`),
    "  </testsuite>",
  ];
}

function caseElement(suite: string, { name, durationMs, outcome, message, type, text }: JunitCase): string {
  const time = durationMs === undefined ? "" : ` time="${seconds(durationMs)}"`;
  const open = `<testcase name="${attribute(name)}" classname="${attribute(suite)}"${time}`;
  if (outcome === "passed")
    return message === undefined ? `${open}/>` : `${open}><system-out>${xmlText(message)}</system-out></testcase>`;
  const kind = type === undefined ? "" : ` type="${attribute(type)}"`;
  const told = `<${outcome}${kind} message="${attribute(message ?? "")}"`;
  return `${open}>${told}${text === undefined ? "/>" : `>${xmlText(text)}</${outcome}>`}</testcase>`;
}

function counts(cases: readonly JunitCase[]): string {
  const count = (outcome: JunitCase["outcome"]): number => cases.filter((one) => one.outcome === outcome).length;
  const failed = `failures="${count("failure")}" errors="${count("error")}"`;
  return `tests="${cases.length}" ${failed} skipped="${count("skipped")}"`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** Escapes line ends too: an XML reader turns those of an attribute into spaces. */
function attribute(value: string): string {
  return xmlText(value).replace(/"/g, "&quot;").replace(/\n/g, "&#10;");
}
