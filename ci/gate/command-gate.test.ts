import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { silent } from "../../harness/coordinator/progress.ts";
import { RUN_VARIABLE } from "../../harness/process/orphans.ts";
import { createPlace, removePlace } from "../../harness/process/place.ts";
import { eventually } from "../../harness/testing/sandbox.ts";
import { nameOf } from "./cells.ts";
import { runCommandGate } from "./command-gate.ts";
import { runCommand } from "./command-run.ts";
import { gateIn } from "./load-gate.ts";
import { reanalysed } from "./reanalysis.ts";
import { exitCodeOf, type GateRow } from "./result.ts";
import { storedGateFixture } from "./testing/stored-gate.ts";
import { DEFAULT_RULE } from "./verdict.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "command-gate-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

const line = (name: string, value: number, lower = true): string => JSON.stringify({ name, value, lower });

/** Gates `command` between two folders that have these files. What it stores gives the same rows again. */
async function gate(
  base: string,
  head: string,
  command = "cat out",
  obstacle?: () => string,
): Promise<readonly GateRow[]> {
  const side = (name: string, text: string): { cwd: string; env: NodeJS.ProcessEnv } => {
    const cwd = join(directory, name);
    mkdirSync(cwd);
    writeFileSync(join(cwd, "out"), text);
    return { cwd, env: process.env };
  };
  const sides = { base: side("base", base), head: side("head", head) };
  const signal = new AbortController().signal;
  const limits = { pairs: 10, budgetMs: 20_000, rule: DEFAULT_RULE, limitsOf: () => DEFAULT_RULE };
  const how = { command, limitMs: 20_000, ...limits, seed: 1, signal };
  const found = await runCommandGate({ sides, ...how, ...(obstacle === undefined ? {} : { obstacle }) }, silent);
  const stored = JSON.parse(JSON.stringify({ ...storedGateFixture(), ...found, budgets: [] }));
  expect(reanalysed(gateIn(stored, "gate.json", ""))).toMatchObject({ rows: stored.rows, differences: [] });
  return found.rows;
}

const codeOf = (rows: readonly GateRow[]): number => exitCodeOf({ rows, budgets: [], strict: false });

const outcomes = (rows: readonly GateRow[]): (readonly [string, string])[] =>
  rows.map(({ cell, outcome }) => [nameOf(cell), outcome]);

it("judges each value by its direction, and lists those of one side", async () => {
  const base = [line("time", 100), line("same", 5), line("rate", 100, false), line("old", 1)];
  const head = [line("time", 130), line("same", 5), line("rate", 70, false), line("fresh", 1)];
  const rows = await gate(base.join("\n"), head.join("\n"));
  expect(outcomes(rows).toSorted()).toEqual([
    ["fresh", "new"],
    ["old", "gone"],
    ["rate", "regression"],
    ["same", "not-slower"],
    ["time", "regression"],
  ]);
  expect(rows.find(({ cell }) => nameOf(cell) === "rate")).toMatchObject({ base: 100, head: 70 });
  expect(codeOf(rows)).toBe(20);
});

it("passes a higher rate and a lower time", async () => {
  const rows = await gate(`${line("t", 5)}\n${line("rate", 5, false)}`, `${line("t", 4)}\n${line("rate", 9, false)}`);
  expect(rows.map(({ outcome }) => outcome)).toEqual(["not-slower", "not-slower"]);
});

it("is broken where only the head fails, and incomplete where the base does", async () => {
  const failing = "cat out; echo no such queue >&2; exit $(grep -c bad out)";
  const broken = await gate("5", "5 bad\n5", failing);
  expect(broken).toMatchObject([
    { outcome: "broken", reason: expect.stringMatching(/^head: .*code 1: no such queue$/) },
  ]);
  expect(codeOf(broken)).toBe(20);
  rmSync(directory, { recursive: true });
  mkdirSync(directory);
  const missing = await gate("bad", "5", failing);
  expect(missing).toMatchObject([{ outcome: "missing", reason: expect.stringMatching(/^base: .*: no such queue$/) }]);
  expect(codeOf(missing)).toBe(22);
});

it("never passes without a value in common, or with one whose unit differs", async () => {
  expect(codeOf(await gate(line("a", 1), line("b", 1)))).toBe(22);
  rmSync(directory, { recursive: true });
  mkdirSync(directory);
  const rows = await gate('{"name":"a","value":1,"unit":"ms"}', '{"name":"a","value":1,"unit":"us"}');
  expect(rows).toMatchObject([{ outcome: "missing", reason: expect.stringContaining("print the same in both") }]);
});

it("stops where the sides cannot be compared", async () => {
  const rows = await gate("5", "5", "echo >> runs; cat out", () => "base: it loaded a file of the head");
  expect(rows).toMatchObject([{ outcome: "missing", reason: "base: it loaded a file of the head" }]);
  expect(readFileSync(join(directory, "head/runs"), "utf8")).toBe("\n");
});

const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
};

it.skipIf(process.platform !== "linux")(
  "leaves no process of a run, be it at its limit, its end or a signal",
  async () => {
    // A run that lives: what belongs to a dead one may be ended by any other test that sweeps.
    const place = await createPlace();
    vi.stubEnv(RUN_VARIABLE, place.prefix);
    const abort = new AbortController();
    const run = (command: string, limitMs: number): ReturnType<typeof runCommand> =>
      runCommand({ command, cwd: directory, env: process.env, limitMs, signal: abort.signal });
    const started = (): number => Number(readFileSync(join(directory, "pid"), "utf8"));
    // Long enough for a shell to start on a busy machine.
    const hung = await run("sleep 300 & echo $! > pid; wait", 2000);
    expect(hung).toEqual({ reason: expect.stringContaining("did not end within 2 s (--cmd-seconds") });
    expect(await eventually(() => isGone(started()), 5000)).toBeGreaterThanOrEqual(0);
    expect(await run("sleep 300 & echo $! > pid; echo 5", 20_000)).toMatchObject({ values: expect.any(Map) });
    expect(await eventually(() => isGone(started()), 5000)).toBeGreaterThanOrEqual(0);
    rmSync(join(directory, "pid"));
    const interrupted = run("sleep 300 & echo $! > new; mv new pid; wait", 20_000);
    expect(await eventually(() => existsSync(join(directory, "pid")), 10_000)).toBeGreaterThanOrEqual(0);
    abort.abort();
    expect(await interrupted).toEqual({ reason: expect.stringContaining("interrupted") });
    expect(await eventually(() => isGone(started()), 5000)).toBeGreaterThanOrEqual(0);
    const resolved = vi.fn();
    void run("echo > begun; echo 5", 20_000).then(resolved);
    const isBegun = (): boolean => existsSync(join(directory, "begun")) || resolved.mock.calls.length > 0;
    expect(await eventually(isBegun, 200)).toBe(-1);
    await removePlace(place);
  },
);
