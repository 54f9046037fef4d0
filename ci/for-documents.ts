import { stripVTControlCharacters } from "node:util";
import { kernelVersion, machineSentence, virtualOrNot } from "../harness/results/machine-sentence.ts";
import type { Report } from "../harness/results/model.ts";
import { answer } from "../reports/terminal/index.ts";

/** Parts that tell one machine from another of its kind. */
const LEFT_OUT = ["fingerprint", "memoryBytes", "allowedCpus", "frequencyMHz", "cgroup"];

/**
 * Returns a report as the repository may keep it: the machine as CPU, system and runtime, without the vendor's part of
 * the version of the kernel, and without paths.
 *
 * @param typed the command without the folder that it wrote to
 * @param leftOut names of fields that the documents do not need
 */
export function forDocuments(report: Report, typed: string, leftOut: readonly string[]): Report {
  const names = [...LEFT_OUT, ...leftOut];
  const light = JSON.parse(JSON.stringify(report, (key, value) => (names.includes(key) ? undefined : value)));
  const kernel = kernelVersion(report.environment.kernel);
  const virtualization = virtualOrNot(report.environment.virtualization);
  return { ...light, commandLine: typed, environment: { ...light.environment, kernel, virtualization } };
}

/** Returns the answer of a run as it is printed, indented as code, below a line with its machine and date. */
export function answerText(report: Report): string {
  const lines = stripVTControlCharacters(answer(report, { columns: 96 })).split("\n");
  const machine = machineSentence(report.environment);
  return `${machine}, ${report.startedAt.slice(0, 10)}:\n\n${lines.map((line) => `    ${line}`.trimEnd()).join("\n")}`;
}
