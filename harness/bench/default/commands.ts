import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { nodeCommand } from "../../process/node-command.ts";
import { loadReport } from "../../results/load-report.ts";
import { median } from "../../results/quantiles.ts";
import type { Run } from "./evidence.ts";
import { REFERENCE_TRIALS, type ReferenceRun } from "./reference.ts";

/** Time limit of a command, ms: beside busy loops it takes several times as long as on a machine at rest. */
const COMMAND_LIMIT_MS = 15 * 60_000;
const KEPT_CHARACTERS = 4000;
const START_BENCH = fileURLToPath(new URL("../start.ts", import.meta.url));

/** Ends on the first signal what this process has started, and nothing else. */
const stop = new AbortController();
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(signal, () => {
    process.exitCode = code;
    stop.abort(new Error(`ended by ${signal}`));
  });
}

export function compare(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  return run(["compare", ...args], env);
}

/** Long runs settle by themselves: they show that the options of shorter ones change no time. */
const PLAIN_V8 = { IPCMARK_V8: "default" };

export function measureReference({ transports, mode, payloads, messages }: ReferenceRun): Promise<Run> {
  const where = ["--placement", "same-cpu", "--mode", mode, "--peer", "node", "--benchmark", "round-trip"];
  const howMuch = ["--trials", String(REFERENCE_TRIALS), "--messages", String(messages)];
  const sizes = ["--payload", ...payloads.map(String)];
  return run(["measure", "--transport", ...transports, ...where, ...sizes, ...howMuch, "--no-c-baseline"], PLAIN_V8);
}

/** Runs a command as a user does. @throws Error with its last output, when it stored no complete report */
async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Run> {
  stop.signal.throwIfAborted();
  const out = mkdtempSync(join(tmpdir(), "ipcmark-bench-"));
  try {
    const startedMs = performance.now();
    const said = await end(nodeCommand("cli/main", [], [...args, "--out", out]), env);
    const wallMs = performance.now() - startedMs;
    stop.signal.throwIfAborted();
    const report = reportIn(out);
    if (report === undefined || report.complete === false) throw new Error(`${args[0]} ended early: ${said}`);
    return { report, wallMs };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function reportIn(directory: string): Run["report"] | undefined {
  try {
    return loadReport(join(directory, "report.json"));
  } catch {
    return undefined;
  }
}

/** Waits for its end. @returns the last line it printed on stderr */
function end([file, ...args]: readonly [string, ...string[]], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(file, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
    // A group of its own: Ctrl-C reaches it once, through us, and it removes its own files.
    detached: process.platform !== "win32",
    signal: stop.signal,
    timeout: COMMAND_LIMIT_MS,
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-KEPT_CHARACTERS);
  });
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      if (!stop.signal.aborted) reject(error);
    });
    child.once("close", () => resolve(said.trim().split("\n").at(-1) ?? ""));
  });
}

/**
 * Returns the time in ms that `bench:start` prints for a pair, from the start of its first process to both being
 * prepared: median over mechanisms, first row, which is how a run starts its processes. null: there is no such bench.
 */
export async function measurePair(): Promise<number | null> {
  if (!existsSync(START_BENCH)) return null;
  const limits = { timeout: COMMAND_LIMIT_MS, signal: stop.signal };
  const { stdout } = await promisify(execFile)(process.execPath, [START_BENCH, "--json"], limits);
  const { rows } = JSON.parse(stdout) as { readonly rows: readonly { readonly transports: readonly Pair[] }[] };
  return median((rows[0]?.transports ?? []).map(({ pair }) => pair));
}

interface Pair {
  readonly pair: number;
}
