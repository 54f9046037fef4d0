import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, expect, it } from "vitest";

/** Stands in for ipcmark: a gate writes one line of history, and the drift keeps what it was given. */
const IPCMARK = `#!/bin/sh
case "$*" in
  *--history*) echo "{\\"commit\\":\\"$(git log -1 --format=%s)\\"}" >> runs.jsonl ;;
  *--drift*) cp history.jsonl judged.jsonl ;;
esac
`;
const folder = mkdtempSync(join(tmpdir(), "ipcmark-notes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readme = readFileSync(new URL("README.md", import.meta.url), "utf8");
const [recording = "", judging = ""] =
  /```sh\n(ipcmark gate --base HEAD~1 --history [^`]+)```/.exec(readme)?.[1]?.split("# later, elsewhere") ?? [];
const identity = ["AUTHOR", "COMMITTER"].flatMap((who) => [
  [`GIT_${who}_NAME`, "a"],
  [`GIT_${who}_EMAIL`, "a@b"],
]);
const env = {
  ...process.env,
  ...Object.fromEntries(identity),
  PATH: [folder, process.env["PATH"]].join(delimiter),
};

/** Runs commands in a fresh clone, as each run of CI has one. @returns the clone */
function inClone(commands: string): string {
  const clone = mkdtempSync(join(folder, "clone-"));
  execFileSync("git", ["clone", "--quiet", "--branch", "main", join(folder, "origin"), clone], { stdio: "pipe" });
  execFileSync("bash", ["-eo", "pipefail", "-c", commands], { cwd: clone, env, stdio: "pipe" });
  return clone;
}

it.skipIf(process.platform === "win32")("git notes carry the history from one fresh clone to the next", () => {
  writeFileSync(join(folder, "ipcmark"), IPCMARK);
  chmodSync(join(folder, "ipcmark"), 0o755);
  const commit = (name: string): string =>
    `git commit --quiet --allow-empty -m ${name}\ngit push --quiet origin HEAD:main\n`;
  const begin = [
    "git init --quiet --bare -b main origin",
    "git init --quiet -b main first",
    "cd first",
    "git remote add origin ../origin\n",
  ].join("\n");
  execFileSync("bash", ["-ec", begin + commit("one")], { cwd: folder, env });
  inClone(recording);
  for (const name of ["two", "three"]) inClone(commit(name) + recording);
  const judged = readFileSync(join(inClone(judging), "judged.jsonl"), "utf8");
  expect(judged).toBe('{"commit":"one"}\n{"commit":"two"}\n{"commit":"three"}\n');
});
