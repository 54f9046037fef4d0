/**
 * `node harness/bench/open-close.ts <id> [cycles]`: opens a connection, makes one round trip, closes it; 10,000 times by
 * default. Both ends live in this process, so that what either of them keeps shows in one heap; where a connection is a process
 * that the transport starts, a cycle starts one (about 60 ms) and waits for its end, and only this end is looked at.
 *
 * Prints one line of JSON: open descriptors, live heap (after a full collection) and resident memory after a tenth of the cycles and at the
 * end. Exit code 1 when descriptors or the live heap grew, or a rejection went unhandled. Resident memory is printed and
 * not judged: V8 gives it back when it likes.
 */
import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Connection, EventTransport } from "../../transports/contract/transport.ts";
import { REGISTRY } from "../../transports/registry.ts";
import { echoHandler } from "../../transports/testing/echo-handler.ts";
import { Collector, connectCollector, makePlace, pattern, roundTrip } from "../../transports/testing/harness.ts";
import { countOf, refuse } from "./options.ts";

const HEAP_SLACK_BYTES = 4 * 1024 * 1024;
const DESCRIPTORS_SLACK = 16;
/** Libraries close in the background. */
const SETTLE_MS = 500;

const [id = "unix", cyclesText = "10000"] = process.argv.slice(2);
const cycles = countOf("cycles", cyclesText);
const transport = await REGISTRY.find((each) => each.id === id)?.load();
if (transport?.event === undefined)
  refuse(`no transport "${id}" with an event face; give an id of npm run list, then a number of cycles`);
const rejections: unknown[] = [];
process.on("unhandledRejection", (reason) => rejections.push(reason));
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

interface Held {
  readonly descriptors: number | null;
  readonly liveBytes: number;
  readonly residentBytes: number;
}

async function held(): Promise<Held> {
  await delay(SETTLE_MS);
  // One collection finds the sockets, the next the buffers they held, and those are freed by a thread of their own.
  for (let round = 0; round < 4; round++) {
    collect();
    await delay(SETTLE_MS / 5);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  const descriptors = process.platform === "linux" ? readdirSync("/proc/self/fd").length : null;
  return { descriptors, liveBytes: heapUsed + external, residentBytes: rss };
}

/** One connection with what it hears, and how to end it. */
interface Opened {
  readonly connection: Connection;
  readonly collector: Collector;
  readonly ended?: Promise<unknown>;
}

const LAUNCHED = fileURLToPath(new URL("../../transports/testing/launched-echo.ts", import.meta.url));

async function launched(launch: NonNullable<EventTransport["launch"]>): Promise<Opened> {
  const collector = new Collector();
  const program = [process.execPath, LAUNCHED, "registry", id] as const;
  const { connection, exited } = await launch(program, collector);
  return { connection, collector, ended: exited };
}

const place = await makePlace();
const { launch } = transport.event;
const server = launch ? undefined : await transport.event.listen(await transport.allocate(place), echoHandler);
const startedAt = performance.now();
let early = await held();
for (let cycle = 1; cycle <= cycles; cycle++) {
  const opened: Opened =
    server === undefined
      ? await launched(launch as NonNullable<typeof launch>)
      : await connectCollector(transport, server.address);
  const message = pattern(32, cycle);
  const reply = await roundTrip(opened.connection, opened.collector, message);
  if (!reply.equals(message)) throw new Error(`cycle ${cycle}: a wrong reply`);
  await opened.connection.close();
  await opened.ended;
  if (cycle === Math.ceil(cycles / 10)) early = await held();
}
const microsPerCycle = Math.round(((performance.now() - startedAt) * 1000) / cycles);
const late = await held();
await server?.close();
await place[Symbol.asyncDispose]();
const bad =
  (late.descriptors ?? 0) > (early.descriptors ?? 0) + DESCRIPTORS_SLACK ||
  late.liveBytes > early.liveBytes + HEAP_SLACK_BYTES ||
  rejections.length > 0;
const line = { id, cycles, microsPerCycle, early, late, rejections: rejections.length, bad };
process.stdout.write(`${JSON.stringify(line)}\n`);
// Set, not called: the process must end by itself, which is part of what this shows.
process.exitCode = bad ? 1 : 0;
