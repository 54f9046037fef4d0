/**
 * What the contract costs on top of each library: `node harness/bench/library-overhead.ts [--id <id…>] [--payload <bytes…>]
 * [--rounds <n>] [--limit <ratio>] [--json]`.
 *
 * Both arms echo with the same header and the same checks; theirs is written against the library alone. All processes are
 * pinned to one CPU. Per round both arms run once, in an order that alternates, against servers that stay up; the figure is the median over
 * rounds of the ratio of the two p50. Exit code 1 when a ratio is above the limit (default 1.10).
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { ARMS } from "./library-echo/arm.ts";
import type { EchoResult } from "./library-echo/load.ts";

const MAIN = fileURLToPath(new URL("./library-echo/main.ts", import.meta.url));
const CLIENT_LIMIT_MS = 60_000;
const READY_LIMIT_MS = 10_000;
/** Round trips a client makes: fewer where each copies much. */
const COUNTS: readonly { readonly upToBytes: number; readonly count: number; readonly warmup: number }[] = [
  { upToBytes: 4096, count: 6000, warmup: 3000 },
  { upToBytes: Number.POSITIVE_INFINITY, count: 2000, warmup: 1000 },
];

type Side = "ours" | "theirs";
const run = promisify(execFile);

const { values } = parseArgs({
  options: {
    id: { type: "string", multiple: true, default: Object.keys(ARMS) },
    payload: { type: "string", multiple: true, default: ["64", "65536"] },
    rounds: { type: "string", default: "7" },
    limit: { type: "string", default: "1.10" },
    cpu: { type: "string", default: "0" },
    json: { type: "boolean", default: false },
  },
});

interface Row {
  readonly id: string;
  readonly payloadBytes: number;
  /** Median p50 over rounds, µs. */
  readonly oursMicros: number;
  readonly theirsMicros: number;
  readonly ratio: number;
  readonly ratios: readonly number[];
  /** Ratio of the lowest p50 of each arm: what is left of the noise of a busy machine. Shown, not judged. */
  readonly bestRatio: number;
}

function pinned(args: readonly string[]): [string, string[]] {
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN, ...args];
  return ["taskset", ["-c", values.cpu, ...node]];
}

interface RunningServer {
  readonly where: string;
  readonly child: ChildProcess;
}

async function startServer(side: Side, id: string, directory: string): Promise<RunningServer> {
  const child = spawn(...pinned(["server", side, id, directory]), { stdio: ["pipe", "pipe", "inherit"] });
  const where = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${id} (${side}) did not start`)), READY_LIMIT_MS);
    createInterface(child.stdout).once("line", (line) => {
      clearTimeout(timer);
      resolve(line);
    });
    child.once("exit", (code) => reject(new Error(`${id} (${side}) ended with ${code}`)));
  });
  return { where, child };
}

async function runClient(side: Side, id: string, where: string, payloadBytes: number): Promise<EchoResult> {
  const plan = COUNTS.find(({ upToBytes }) => payloadBytes <= upToBytes);
  const [command, args] = pinned(["client", side, id, where, `${plan?.count}`, `${payloadBytes}`, `${plan?.warmup}`]);
  const { stdout } = await run(command, args, { timeout: CLIENT_LIMIT_MS });
  return JSON.parse(stdout) as EchoResult;
}

async function compare(id: string, payloads: readonly number[], rounds: number): Promise<Row[]> {
  const needsServer = (await ARMS[id]?.())?.serve !== undefined;
  const directories = await Promise.all(["o", "t"].map((side) => mkdtemp(join(tmpdir(), `ipcmark-${side}-`))));
  const servers: RunningServer[] = [];
  const where: Record<Side, string> = { ours: "", theirs: "" };
  try {
    for (const [at, side] of (["ours", "theirs"] as const).entries()) {
      if (!needsServer) continue;
      const server = await startServer(side, id, directories[at] as string);
      servers.push(server);
      where[side] = server.where;
    }
    const rows: Row[] = [];
    for (const payloadBytes of payloads) rows.push(await compareAt(id, payloadBytes, rounds, where));
    return rows;
  } finally {
    for (const { child } of servers) child.kill("SIGKILL");
    for (const directory of directories) await rm(directory, { recursive: true, force: true });
  }
}

async function compareAt(id: string, payloadBytes: number, rounds: number, where: Record<Side, string>): Promise<Row> {
  const p50: Record<Side, number[]> = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round++) {
    const order: Side[] = round % 2 === 0 ? ["ours", "theirs"] : ["theirs", "ours"];
    for (const side of order) p50[side].push((await runClient(side, id, where[side], payloadBytes)).p50);
  }
  const ratios = p50.ours.map((ours, round) => ours / (p50.theirs[round] as number));
  return {
    id,
    payloadBytes,
    oursMicros: median(p50.ours) / 1000,
    theirsMicros: median(p50.theirs) / 1000,
    ratio: median(ratios),
    ratios,
    bestRatio: Math.min(...p50.ours) / Math.min(...p50.theirs),
  };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}

const rows: Row[] = [];
const limit = Number(values.limit);
for (const id of values.id) {
  for (const row of await compare(id, values.payload.map(Number), Number(values.rounds))) {
    rows.push(row);
    if (values.json) continue;
    const spread = row.ratios.map((ratio) => ratio.toFixed(2)).join(" ");
    const mark = row.ratio > limit ? "  ABOVE" : "";
    process.stdout.write(
      `${row.id.padEnd(22)} ${String(row.payloadBytes).padStart(6)} B  ours ${row.oursMicros.toFixed(1).padStart(7)} µs  theirs ${row.theirsMicros.toFixed(1).padStart(7)} µs  ratio ${row.ratio.toFixed(3)}  best ${row.bestRatio.toFixed(3)}  [${spread}]${mark}\n`,
    );
  }
}
if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
process.exitCode = rows.some((row) => row.ratio > limit) ? 1 : 0;
