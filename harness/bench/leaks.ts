import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Address, BlockingConnection, Connection, Transport } from "../../transports/contract/transport.ts";
import { REGISTRY } from "../../transports/registry.ts";
import { benchOptions, countOf, refuse } from "./options.ts";

/**
 * Finds what stays behind in this process: `npm run bench:leaks`. Ten million messages through a blocking connection,
 * then ten thousand connections opened and closed; before and after: heap, resident memory, lines of /proc/self/maps,
 * descriptors. Options: `--transport shm/futex --messages 10000000 --cycles 10000`; without `--transport` every id of
 * the ffi layer, one process each. Exits with 10 when something grew. Run with `--expose-gc --max-semi-space-size=1`:
 * otherwise the young generation grows by some 50 MB where promises outlive a collection, which would hide a leak.
 */
const FAMILY = /^(shm|mmap|posix-mq|unix-dgram$|unix-seqpacket$|unix$)/;
const values = benchOptions({
  transport: { type: "string" },
  messages: { type: "string", default: "10000000" },
  cycles: { type: "string", default: "10000" },
  serve: { type: "string" },
});
const transport = (await REGISTRY.find(({ id }) => id === values.transport)?.load()) as Transport;
if (values.transport !== undefined && transport === undefined) refuse(`${values.transport} is no transport`);
const [messages, cycles] = [countOf("messages", values.messages), countOf("cycles", values.cycles)];
const BYTES = 80;
const SLICE_MS = 100;
/** Cycles until the heap has its working chunks: 20,000 cycles then add none to those of 10,000. */
const WARM_UP_CYCLES = 3000;
/** Allowed growth: V8's heap maps a few chunks of its own; a leak of one line per thousand connections exceeds it. */
const MAPS_OF_THE_HEAP = 10;

async function serve(address: Address): Promise<void> {
  const { blocking, event } = transport;
  if (blocking === undefined) {
    const onMessage = (message: Uint8Array, connection: Connection): void => void connection.send(message);
    await event?.listen(address, { onOpen() {}, onMessage, onWritable() {}, onClose() {} });
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && process.exit(), SLICE_MS);
    writeSync(1, "listening\n");
    return;
  }
  const server = blocking.listen(address);
  const into = new Uint8Array(8192);
  const reply = into.subarray(0, BYTES);
  writeSync(1, "listening\n");
  for (const parent = process.ppid; process.ppid === parent; ) {
    if (server.receive(into, SLICE_MS) < 0) continue;
    // The first byte marks messages that want an answer.
    if (into[0] === 1) server.from?.send(reply, SLICE_MS);
  }
  server[Symbol.dispose]();
}

interface Use {
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly maps: number;
  readonly descriptors: number;
}

async function use(): Promise<Use> {
  // Without --expose-gc the heap still holds garbage: start with it for the exact figure. Other threads free what
  // a collection releases outside of the heap, and finalizers run before the next one.
  for (let i = 0; i < 3; i++) {
    (globalThis as { gc?: () => void }).gc?.();
    await setTimeout(50);
  }
  const { heapUsed, rss } = process.memoryUsage();
  const maps = readFileSync("/proc/self/maps", "latin1").split("\n").length;
  return { heapBytes: heapUsed, residentBytes: rss, maps, descriptors: readdirSync("/proc/self/fd").length };
}

function print(what: string, before: Use, after: Use): void {
  const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`;
  writeSync(
    1,
    `${what}: heap ${kilobytes(after.heapBytes - before.heapBytes)}, ` +
      `resident ${kilobytes(after.residentBytes - before.residentBytes)}, ` +
      `maps ${before.maps} -> ${after.maps}, descriptors ${before.descriptors} -> ${after.descriptors}\n`,
  );
}

function exchangeMany(connection: BlockingConnection, count: number): void {
  const message = new Uint8Array(BYTES);
  const into = new Uint8Array(8192);
  for (let i = 1; i <= count; i++) {
    // Every thousandth is answered, so that both directions and waiting take part.
    message[0] = i % 1000 === 0 ? 1 : 0;
    while (!connection.send(message, SLICE_MS));
    if (message[0] === 1) while (connection.receive(into, SLICE_MS) < 0);
  }
}

/** Opens, exchanges one message and closes; through the event face where there is no other. */
async function cycle(address: Address): Promise<void> {
  const { blocking, event } = transport;
  if (blocking !== undefined) return blocking.connect(address, 10_000)[Symbol.dispose]();
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  const connection = await event?.connect(address, {
    onOpen() {},
    onMessage: () => resolve(),
    onWritable() {},
    onClose() {},
  });
  connection?.send(new Uint8Array(BYTES));
  await answered;
  await connection?.close();
}

async function drive(): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
  const address = await transport.allocate({ directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` });
  const args = [import.meta.filename, "--transport", transport.id, "--serve", JSON.stringify(address)];
  const child = spawn(process.execPath, [...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(child.stdout, "data");
    const isCalm =
      transport.blocking === undefined || (await measureMessages(transport.blocking.connect(address, 10_000)));
    for (let i = 0; i < WARM_UP_CYCLES; i++) await cycle(address);
    const before = await use();
    for (let i = 0; i < cycles; i++) await cycle(address);
    const after = await use();
    print(`${transport.id}, ${values.cycles} connections`, before, after);
    const grown = after.residentBytes - before.residentBytes;
    const sameDescriptors = after.descriptors === before.descriptors;
    return isCalm && grown < 10 * 2 ** 20 && sameDescriptors && after.maps - before.maps < MAPS_OF_THE_HEAP;
  } finally {
    child.kill("SIGKILL");
    await transport.sweep(address);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureMessages(connection: BlockingConnection): Promise<boolean> {
  exchangeMany(connection, messages / 10);
  const before = await use();
  exchangeMany(connection, messages);
  const after = await use();
  print(`${transport.id}, ${messages} messages`, before, after);
  connection[Symbol.dispose]();
  return after.heapBytes - before.heapBytes < 2 ** 20;
}

/** Runs every id of the family, each in a process of its own. */
function driveFamily(): boolean {
  let held = true;
  for (const { id } of REGISTRY.filter((entry) => FAMILY.test(entry.id))) {
    const args = [...process.execArgv, import.meta.filename, "--transport", id, "--messages", values.messages];
    const { status } = spawnSync(process.execPath, [...args, "--cycles", values.cycles], { stdio: "inherit" });
    writeSync(1, `${status === 0 ? "held " : "GROWN"} ${id}\n`);
    held &&= status === 0;
  }
  return held;
}

if (values.serve !== undefined) await serve(JSON.parse(values.serve) as Address);
else if (values.transport === undefined) process.exitCode = driveFamily() ? 0 : 10;
else process.exitCode = (await drive()) ? 0 : 10;
