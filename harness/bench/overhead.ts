/**
 * What the harness costs: `npm run bench:overhead [rounds]`.
 *
 * One interleaved run, every process pinned to one CPU:
 * - `unix`, 64 B: p50 of the whole contract path (correlation, verification) as a ratio to a `node:net` echo written by hand
 *   with the same framing and the same checks. Wanted: at most 1.10.
 * - `loopback`, 64 B: p50 in µs, the floor under every number. Wanted: at most 0.8 µs.
 *
 * Each round runs all arms in coin-flipped order; the ratio is the median over rounds of the ratio within a round.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { inSession, type Session } from "../cli/session.ts";
import { placeArm } from "../coordinator/arm.ts";
import { runArm } from "../coordinator/trial.ts";
import { loadTransport } from "../process/load-transport.ts";
import type { CellPlan } from "../process/messages.ts";
import { median } from "../results/quantiles.ts";

const RAW = fileURLToPath(new URL("./raw-unix-echo.ts", import.meta.url));
const ROUNDS = Number(process.argv[2] ?? 11);
const MESSAGES = 8000;
const WARMUP = 4000;
const PAYLOAD_BYTES = 64;
const CPU = "0";
const LIMITS = { unix: 1.1, loopbackNs: 800 } as const;

interface Round {
  readonly raw: number;
  readonly unix: number;
  readonly loopback: number;
}

async function ours(session: Session, id: string): Promise<number> {
  const reference = { id, module: null };
  const transport = await loadTransport(reference);
  const base = {
    transport,
    reference,
    version: "",
    mode: "event",
    placement: "same-cpu",
    peerLanguage: "node",
  } as const;
  const placed = placeArm(base);
  if ("reason" in placed) throw new Error(placed.reason);
  const cell: CellPlan = {
    key: "round-trip",
    model: "ping-pong",
    payloadBytes: PAYLOAD_BYTES,
    inFlight: 1,
    clients: 1,
    ratePerSecond: null,
    arrivals: "fixed",
    batched: false,
    seed: 1,
    messages: MESSAGES,
    warmupMessages: WARMUP,
    warmupMs: 0,
  };
  const run = await runArm(session.brood, session.place, placed.arm, { kind: "measure" }, [cell], 10_000);
  const outcome = run.cells[0]?.outcome;
  if (outcome?.status !== "valid" || outcome.figures.latencyNs === null)
    throw new Error(`${id}: ${run.failure ?? "invalid"}`);
  return outcome.figures.latencyNs.p50;
}

function start(args: readonly string[]): ChildProcess {
  return spawn("taskset", ["-c", CPU, process.execPath, "--disable-warning=ExperimentalWarning", RAW, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error("no stdout");
    createInterface(child.stdout).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`the hand-written echo ended with ${code}`)));
  });
}

async function byHand(directory: string, round: number): Promise<number> {
  const path = join(directory, `raw-${round}`);
  const server = start(["server", path]);
  try {
    await firstLine(server);
    const client = start(["client", path, String(MESSAGES), String(PAYLOAD_BYTES), String(WARMUP)]);
    return (JSON.parse(await firstLine(client)) as { p50: number }).p50;
  } finally {
    server.kill("SIGKILL");
  }
}

async function runRound(session: Session, directory: string, round: number): Promise<Round> {
  const oursFirst = Math.random() < 0.5;
  const before = oursFirst ? await ours(session, "unix") : undefined;
  const raw = await byHand(directory, round);
  const unix = before ?? (await ours(session, "unix"));
  return { raw, unix, loopback: await ours(session, "loopback") };
}

const rounds = await inSession(async (session) => {
  const directory = join(session.place.directory, "raw");
  mkdirSync(directory, { mode: 0o700 });
  const done: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) done.push(await runRound(session, directory, round));
  return done;
});

const ratios = rounds.map(({ unix, raw }) => unix / raw).sort((a, b) => a - b);
const ratio = median(ratios);
const loopbackNs = median(rounds.map(({ loopback }) => loopback));
const micros = (ns: number): string => `${(ns / 1000).toFixed(2)} µs`;
const verdict = (held: boolean): string => (held ? "holds" : "MISSED");
process.stdout.write(
  [
    `${ROUNDS} rounds of ${MESSAGES} round trips, ${PAYLOAD_BYTES} B, all processes on CPU ${CPU}`,
    `unix     p50 ${micros(median(rounds.map(({ unix }) => unix)))}, by hand ${micros(median(rounds.map(({ raw }) => raw)))}`,
    `         ratio ${ratio.toFixed(3)} (${ratios[0]?.toFixed(3)} to ${ratios.at(-1)?.toFixed(3)}), wanted <= ${LIMITS.unix}: ${verdict(ratio <= LIMITS.unix)}`,
    `loopback p50 ${micros(loopbackNs)}, wanted <= ${micros(LIMITS.loopbackNs)}: ${verdict(loopbackNs <= LIMITS.loopbackNs)}`,
    "",
  ].join("\n"),
);
process.exitCode = ratio <= LIMITS.unix && loopbackNs <= LIMITS.loopbackNs ? 0 : 1;
