/**
 * Prints where the time goes until a pair of processes can be measured, medians, ms: `npm run bench:start`. Parts: an
 * empty program, the driver's program loaded and ended, a peer until it listens, and the pair until the driver is
 * prepared, alone and each of four that start at once. From source and bundle, with stored compiled code and without.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import type { Transport } from "../../transports/contract/transport.ts";
import { openBundle } from "../bundle/bundle.ts";
import { ProcessSupervisor } from "../coordinator/process-supervisor.ts";
import { spawnPeer } from "../driver/peers/peer-process.ts";
import { startProcessPeer } from "../driver/peers/process-peer.ts";
import { allocate } from "../process/journal.ts";
import { loadTransport } from "../process/load-transport.ts";
import type { DriverStart } from "../process/messages.ts";
import { nodeCommand } from "../process/node-command.ts";
import { createPlace, removePlace } from "../process/place.ts";
import { median } from "../results/quantiles.ts";
import { benchOptions, countOf } from "./options.ts";

const TIMEOUT_MS = 20_000;
const AT_ONCE = 4;

const options = benchOptions({
  transport: { type: "string", default: "unix,shm/futex,posix-mq,grpc/stream" },
  repeat: { type: "string", default: "11" },
  json: { type: "boolean", default: false },
});
const ids = options.transport.split(",");
const repeat = countOf("repeat", options.repeat);

/** Program that runs, and state of the code that V8 stores between starts. */
interface Way {
  readonly code: "bundle" | "source";
  readonly compiled: "warm" | "cold";
}

/** Medians, ms, each from the start of the first process. */
interface Parts {
  readonly transport: string;
  /** Time until a peer alone listens; null where only its driver can start one. */
  readonly listening: number | null;
  /** Time until the driver is connected to its peer, and prepared. */
  readonly pair: number;
  /** Same time of several that start at once, divided by their number. */
  readonly atOnce: number;
  /** Time from there to the end of both. */
  readonly end: number;
}

const bundle = await openBundle();
if ("reason" in bundle) process.stderr.write(`no bundle: ${bundle.reason}\n`);
const place = await createPlace();
const compiled = join(place.directory, "compiled");

function directoryOf({ code }: Way): string | undefined {
  return code === "bundle" && !("reason" in bundle) ? bundle.directory : undefined;
}

/** Measures a program without input, from its start to its end. */
async function ended(command: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  const [file = "", ...args] = command;
  await once(spawn(file, args, { stdio: "ignore" }), "exit");
  return performance.now() - startedMs;
}

/** Starts a pair once, as a run does. */
async function pair(transport: Transport, way: Way): Promise<Pick<Parts, "pair" | "end">> {
  const startedMs = performance.now();
  const supervisor = new ProcessSupervisor(
    place,
    [],
    way.code === "bundle" && !("reason" in bundle) ? bundle : undefined,
  );
  const prepared = await supervisor.prepare({
    start: startOf(transport),
    pin: [],
    startsPeer: transport.capabilities.rendezvous === "address",
    timeoutMs: TIMEOUT_MS,
    onResult: () => undefined,
  });
  const pair = performance.now() - startedMs;
  const outcome = await prepared.finish();
  if (outcome.status !== "done") throw new Error(`${transport.id}: ${JSON.stringify(outcome)}`);
  return { pair, end: performance.now() - startedMs - pair };
}

async function pairsAtOnce(transport: Transport, way: Way): Promise<number> {
  const pairs = await Promise.all(Array.from({ length: AT_ONCE }, () => pair(transport, way)));
  return Math.max(...pairs.map(({ pair }) => pair)) / AT_ONCE;
}

function startOf(transport: Transport): DriverStart {
  return {
    type: "start",
    transport: { id: transport.id, module: null },
    mode: modeOf(transport),
    place,
    peerPin: [],
    hold: { pin: [] },
    peerLanguage: "node",
    work: { kind: "calibrate", budgetMs: 1, turns: [[CELL]] },
  };
}

function modeOf({ capabilities }: Transport): WaitMode {
  return capabilities.modes[0] ?? "event";
}

/** Starts a peer alone, once, until it listens. */
async function listening(transport: Transport, way: Way): Promise<number | null> {
  if (transport.capabilities.rendezvous !== "address") return null;
  const reference = { id: transport.id, module: null };
  const address = await allocate(transport, reference, place);
  const startedMs = performance.now();
  const child = await spawnPeer(nodeCommand("peer/main", [], [], directoryOf(way)), "node", () => {});
  const mode = modeOf(transport);
  await startProcessPeer(transport, child, { type: "start", transport: reference, mode, address, key: null }, () => {});
  const elapsedMs = performance.now() - startedMs;
  await child.terminate();
  await transport.sweep(address);
  return elapsedMs;
}

const CELL = {
  key: "round-trip",
  model: "ping-pong",
  messages: 1,
  warmupMessages: 1,
  warmupMs: 0,
  ahead: null,
  payloadBytes: 64,
  inFlight: 1,
  clients: 1,
  ratePerSecond: null,
  arrivals: "fixed",
  batched: false,
  seed: 1,
} as const;

/** Repeats a measurement, cold unless the way is warm. @returns medians of its figures */
async function medians<Key extends string>(
  way: Way,
  once: () => Promise<Readonly<Record<Key, number | null>>>,
): Promise<Record<Key, number | null>> {
  const directory =
    way.compiled === "warm" && directoryOf(way) !== undefined && !("reason" in bundle) ? bundle.compiled : compiled;
  process.env["NODE_COMPILE_CACHE"] = directory;
  // The first start stores the code for all the others.
  if (way.compiled === "warm") await once();
  const results: Readonly<Record<Key, number | null>>[] = [];
  for (let done = 0; done < repeat; done++) {
    if (way.compiled === "cold") rmSync(compiled, { recursive: true, force: true });
    results.push(await once());
  }
  const figures = Object.keys(results[0] as object).map((key) => {
    const values = results.flatMap((result) => result[key as Key] ?? []);
    return [key, values.length === 0 ? null : median(values)];
  });
  return Object.fromEntries(figures) as Record<Key, number | null>;
}

const WAYS: readonly Way[] = [
  { code: "bundle", compiled: "warm" },
  { code: "bundle", compiled: "cold" },
  { code: "source", compiled: "warm" },
  { code: "source", compiled: "cold" },
];

const empty = join(place.directory, "empty.mjs");
writeFileSync(empty, "");
const rows: (Way & { readonly loaded: number | null; readonly transports: readonly Parts[] })[] = [];
try {
  const { bare, bareTwo } = await medians({ code: "source", compiled: "warm" }, async () => ({
    bare: await ended([process.execPath, empty]),
    bareTwo: Math.max(...(await Promise.all([1, 2].map(() => ended([process.execPath, empty]))))),
  }));
  for (const way of WAYS.filter(({ code }) => code === "source" || !("reason" in bundle))) {
    const { loaded } = await medians(way, async () => ({
      loaded: await ended(nodeCommand("driver/main", [], [], directoryOf(way))),
    }));
    const transports: Parts[] = [];
    for (const id of ids) {
      const transport = await loadTransport({ id, module: null });
      const parts = await medians(way, async () => ({
        ...(await pair(transport, way)),
        listening: await listening(transport, way),
        atOnce: await pairsAtOnce(transport, way),
      }));
      transports.push({ transport: id, ...(parts as Omit<Parts, "transport">) });
    }
    rows.push({ ...way, loaded, transports });
    if (!options.json) print(way, loaded, transports, bare, bareTwo);
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ node: process.version, repeat, bare, bareTwo, rows })}\n`);
} finally {
  await removePlace(place);
}

function print(
  way: Way,
  loaded: number | null,
  transports: readonly Parts[],
  bare: number | null,
  bareTwo: number | null,
): void {
  const ms = (value: number | null): string => (value === null ? "-" : value.toFixed(0)).padStart(9);
  const head = ["listening", "pair", "at once", "end"].map((name) => name.padStart(9)).join(" ");
  const lines = transports.map(
    ({ transport, listening, pair, atOnce, end }) =>
      `  ${transport.padEnd(24)}${[listening, pair, atOnce, end].map(ms).join(" ")}`,
  );
  process.stdout.write(
    `${way.code}, compiled code ${way.compiled}: empty program${ms(bare)} ms, two at once${ms(bareTwo)} ms, ` +
      `driver loaded and ended${ms(loaded)} ms\n` +
      `  ${"ms".padEnd(24)}${head}\n${lines.join("\n")}\n`,
  );
}
