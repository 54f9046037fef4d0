/**
 * What the contract costs on top of each library: `node harness/bench/library-overhead.ts [--id <id…>] [--payload <bytes…>]
 * [--rounds <n>] [--limit <ratio>] [--json]`.
 *
 * Both arms echo with the same header and the same checks; theirs is written against the library alone. All processes are
 * pinned to one CPU. Per round each arm has a fresh client against a server that stays up, and the two clients take turns
 * of 25 ms (SIGSTOP, SIGCONT), so that a machine that is slow for a second is slow for both. The figure is the median over
 * rounds of the ratio of the two p50. Exit code 1 when a ratio is above the limit (default 1.10).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ARMS } from "./library-echo/arm.ts";
import type { EchoResult } from "./library-echo/load.ts";

const MAIN = fileURLToPath(new URL("./library-echo/main.ts", import.meta.url));
const CLIENT_LIMIT_MS = 60_000;
const READY_LIMIT_MS = 10_000;
/** Long against the round trips whose other end is stopped in the middle, short against what disturbs a machine. */
const TURN_MS = 25;
/** Round trips a client makes: fewer where each copies much. */
const COUNTS: readonly { readonly upToBytes: number; readonly count: number; readonly warmup: number }[] = [
  { upToBytes: 4096, count: 15_000, warmup: 10_000 },
  { upToBytes: Number.POSITIVE_INFINITY, count: 3000, warmup: 2000 },
];

type Side = "ours" | "theirs";

const { values } = parseArgs({
  options: {
    id: { type: "string", multiple: true, default: Object.keys(ARMS) },
    payload: { type: "string", multiple: true, default: ["64", "65536"] },
    rounds: { type: "string", default: "5" },
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

interface RunningClient {
  readonly child: ChildProcess;
  readonly result: Promise<EchoResult>;
  running(): boolean;
}

function startClient(side: Side, id: string, where: string, payloadBytes: number): RunningClient {
  const plan = COUNTS.find(({ upToBytes }) => payloadBytes <= upToBytes);
  const [command, args] = pinned(["client", side, id, where, `${plan?.count}`, `${payloadBytes}`, `${plan?.warmup}`]);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const limit = setTimeout(() => child.kill("SIGKILL"), CLIENT_LIMIT_MS);
  const result = text(child.stdout).then((line) => {
    clearTimeout(limit);
    if (line === "") throw new Error(`${id} (${side}): the client ended without a result`);
    return JSON.parse(line) as EchoResult;
  });
  return { child, result, running: () => child.exitCode === null && child.signalCode === null };
}

/** The p50 of both arms, measured in turns. */
async function runPair(
  order: readonly Side[],
  id: string,
  where: Record<Side, string>,
  payloadBytes: number,
): Promise<Record<Side, number>> {
  const clients = order.map((side) => startClient(side, id, where[side], payloadBytes));
  for (const { child } of clients) child.kill("SIGSTOP");
  while (clients.some((client) => client.running())) {
    for (const { child, running } of clients) {
      if (!running()) continue;
      child.kill("SIGCONT");
      await delay(TURN_MS);
      child.kill("SIGSTOP");
    }
  }
  const results = await Promise.all(clients.map(({ result }) => result));
  const p50 = { ours: 0, theirs: 0 };
  for (const [at, side] of order.entries()) p50[side] = results[at]?.p50 ?? Number.NaN;
  return p50;
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
    const found = await runPair(order, id, where, payloadBytes);
    for (const side of order) p50[side].push(found[side]);
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
