import { REPEATED, shellWord, wordsOf } from "../results/command-line.ts";
import type { Report } from "../results/model.ts";

/** Flags that are left out, since they name outputs, a seed or an earlier report; true for those with a value. */
const LEFT_OUT: ReadonlyMap<string, boolean> = new Map([
  ["--out", true],
  ["--seed", true],
  ["--against", true],
  ["--force", false],
  ["--json", false],
]);

/** Writes the script that repeats a run. Only people start it, after reading it; ipcmark never does. */
export function reproduceScript(report: Report, machine: string): string {
  const { environment, startedAt, seed } = report;
  const command = repeated(report.commandLine);
  const version = /^\d+\.\d+\.\d+[\w.-]*$/.test(environment.ipcmark) ? environment.ipcmark : "latest";
  const node = environment.node.replace(/[^\d.]/g, "");
  const head = [
    "#!/bin/sh",
    "# Repeats a run of ipcmark. Read it before you start it: it installs a package and measures.",
    `# The run: ${comment(startedAt)}, ipcmark ${version}, ${comment(machine)}`,
  ];
  if (command === undefined) return [...head, `# It cannot be repeated: ${comment(report.commandLine)}`, ""].join("\n");
  return [
    ...head,
    "# In a clone: IPCMARK='node harness/cli/main.ts' sh reproduce.sh",
    "set -eu",
    `[ "$(node --version)" = "v${node}" ] || echo "the run had Node ${node}; here it is $(node --version)" >&2`,
    `if [ -z "$\{IPCMARK:-}" ]; then`,
    "  folder=$(mktemp -d)",
    `  npm install --prefix "$folder" ipcmark@${version}`,
    '  IPCMARK="$folder/node_modules/.bin/ipcmark"',
    "fi",
    `$IPCMARK ${command.map(shellWord).join(" ")} --seed ${Number(seed)} --out ipcmark-reproduced`,
    "",
  ].join("\n");
}

/** Returns the arguments of `ipcmark` without the flags in `LEFT_OUT`; undefined if the line is ambiguous. */
function repeated(commandLine: string): string[] | undefined {
  const [command = "", ...rest] = wordsOf(commandLine) ?? [];
  if (!REPEATED.includes(command)) return undefined;
  const kept: string[] = [];
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] as string;
    const hasValue = LEFT_OUT.get(word.replace(/=.*$/s, ""));
    if (hasValue === undefined) kept.push(word);
    else if (hasValue && !word.includes("=")) at++;
  }
  return [command, ...kept];
}

/** Returns foreign text as one line for a comment, without control characters. */
const comment = (text: string): string => text.replace(/\p{C}+/gu, " ").slice(0, 300);
