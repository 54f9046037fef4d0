import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { benchOptions, countOf, refuse } from "../options.ts";

/**
 * Starts processes that load all transports and make V8 optimize every hot call of the binding (see start.ts).
 * Options: `--starts 1000 --binding koffi|ffi-rs --node <program>`. A start is a finding when a signal or an error ends
 * it, or it takes longer than 20 s.
 */
const SIDE_BY_SIDE = 2;
const LIMIT_MS = 20_000;
const SHOWN_FINDINGS = 20;
/** Unit of /proc on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const PROGRESS_EVERY = 50;
const CHILD = join(import.meta.dirname, "start.ts");
/** Flags for V8 to optimize after a tenth of the usual calls, so that a start mostly loads the transports. */
const EARLY = ["--invocation-count-for-maglev=100", "--invocation-count-for-turbofan=300"];
const FLAGS = ["--expose-gc", "--allow-natives-syntax", ...EARLY];

const values = benchOptions({
  starts: { type: "string", default: "1000" },
  binding: { type: "string" },
  node: { type: "string", default: process.execPath },
});
const starts = countOf("starts", values.starts);
if (!["koffi", "ffi-rs", undefined].includes(values.binding)) {
  refuse(`--binding ${values.binding} is no binding to the C library: koffi or ffi-rs`);
}
const { IPCMARK_FFI: _, ...environment } = process.env;
const env = values.binding === undefined ? environment : { ...environment, IPCMARK_FFI: values.binding };

/** Line that a start prints at its end. */
interface Outcome {
  readonly node: string;
  readonly binding: string;
  readonly callers: number;
  readonly optimized: number;
  readonly elapsedMs: number;
}

/** Starts a process. @returns the outcome, or a sentence with its failure */
async function start(): Promise<Outcome | string> {
  const startMs = performance.now();
  const child = spawn(values.node, [...FLAGS, CHILD], { env, stdio: ["ignore", "pipe", "pipe"] });
  let [text, errors] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (text += chunk));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk));
  let late: string | undefined;
  const timer = setTimeout(() => {
    late = `not through after ${LIMIT_MS / 1000} s${cpuTimeOf(child.pid)}`;
    child.kill("SIGKILL");
  }, LIMIT_MS);
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    const first = errors.trim().split("\n", 6).join(" | ").slice(0, 300);
    if (late !== undefined) return late;
    if (signal !== null) return `ended by ${signal}: ${first}`;
    if (code !== 0) return `ended with code ${code}: ${first}`;
    return { ...(JSON.parse(text) as Omit<Outcome, "elapsedMs">), elapsedMs: performance.now() - startMs };
  } catch (error) {
    return refuse(`--node ${values.node} does not start: ${(error as Error).message}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Returns the CPU time of a process: a loop has used its time, a process that others kept waiting has not. */
function cpuTimeOf(pid: number | undefined): string {
  try {
    const [user, system] = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ").slice(11, 13) ?? [];
    return ` (${((Number(user) + Number(system)) / TICKS_PER_SECOND).toFixed(1)} s of CPU)`;
  } catch {
    return "";
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const outcomes: Outcome[] = [];
const findings: string[] = [];
let begun = 0;

async function lane(): Promise<void> {
  while (begun < starts) {
    const number = ++begun;
    const outcome = await start();
    if (typeof outcome === "string") {
      findings.push(outcome);
      if (findings.length <= SHOWN_FINDINGS) print(`start ${number}: ${outcome}`);
    } else {
      outcomes.push(outcome);
    }
    if (number % PROGRESS_EVERY === 0) print(`${number} of ${starts} begun, ${findings.length} findings`);
  }
}

await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
const bindings = [...new Set(outcomes.map(({ node, binding }) => `${binding} on Node ${node}`))].join(", ");
const callers = outcomes[0]?.callers ?? 0;
const all = outcomes.filter(({ optimized }) => optimized === callers).length;
const fewest = Math.min(callers, ...outcomes.map(({ optimized }) => optimized));
const slowestMs = Math.round(Math.max(0, ...outcomes.map(({ elapsedMs }) => elapsedMs)));
print(
  `${starts} starts (${bindings || "none was through"}): ${findings.length} findings; ` +
    `${all} of ${outcomes.length} saw all ` +
    `${callers} callers optimized (at least ${fewest}); the slowest took ${slowestMs} ms`,
);
process.exitCode = findings.length === 0 ? 0 : 1;
