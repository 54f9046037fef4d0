import { spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Address, BlockingConnection, Transport } from "../../../transports/contract/transport.ts";
import { REGISTRY } from "../../../transports/registry.ts";
import { benchOptions, countOf, refuse } from "../options.ts";

/**
 * Sends messages of random sizes through the ring between two processes, both directions, for 60 s. Each
 * carries its number, its length and the checksum of its bytes; positions pass 2^32 bytes on the way.
 * Options: `--seconds 60 --transport shm/futex --ring-bytes 65536`.
 */
const HEADER_BYTES = 12;
/** Longest wait for space, ms. Short: both sides may wait for space in a ring the other has to empty first. */
const SLICE_MS = 2;
const ANSWER_EVERY = 3;
const LOST_MS = 10_000;

const values = benchOptions({
  seconds: { type: "string", default: "60" },
  transport: { type: "string", default: "shm/futex" },
  "ring-bytes": { type: "string", default: "65536" },
  // Internal: the address of the second process.
  serve: { type: "string" },
});
const transport = (await REGISTRY.find(({ id }) => id === values.transport)?.load()) as Transport;
const blocking = transport?.blocking ?? refuse(`${values.transport} is no transport with a blocking face`);

/** Returns a size: small most of the time, any size sometimes, the largest and the empty one now and then. */
function randomSize(largest: number, random: () => number): number {
  const kind = random() % 16;
  if (kind === 0) return largest - HEADER_BYTES;
  if (kind === 1) return 0;
  return random() % (kind < 4 ? largest - HEADER_BYTES : 300);
}

/** Makes a xorshift32 generator, the same on both sides; a seed repeats a run. */
function generator(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

class Sender {
  readonly #buffer: Buffer;
  readonly #largest: number;
  readonly #random: () => number;
  #pending: Buffer | undefined;
  sent = 0;
  bytes = 0;

  constructor(largest: number, seed: number) {
    this.#largest = largest;
    this.#buffer = Buffer.from(randomBytes(largest));
    this.#random = generator(seed);
  }

  trySend(connection: BlockingConnection, timeoutMs: number): boolean {
    this.#pending ??= this.#make();
    if (!connection.send(this.#pending, timeoutMs)) return false;
    this.bytes += this.#pending.length;
    this.sent++;
    this.#pending = undefined;
    return true;
  }

  #make(): Buffer {
    const size = randomSize(this.#largest, this.#random);
    this.#buffer.writeUInt32LE(this.#random(), HEADER_BYTES);
    const message = this.#buffer.subarray(0, HEADER_BYTES + size);
    message.writeUInt32LE(this.sent >>> 0, 0);
    message.writeUInt32LE(message.length, 4);
    message.writeUInt32LE(crc32(message.subarray(HEADER_BYTES)), 8);
    return message;
  }
}

class Receiver {
  readonly #into: Buffer;
  received = 0;

  constructor(largest: number) {
    this.#into = Buffer.alloc(largest);
  }

  tryReceive(from: { receive(into: Uint8Array, timeoutMs: number): number }, timeoutMs: number): boolean {
    const length = from.receive(this.#into, timeoutMs);
    if (length < 0) return false;
    const message = this.#into.subarray(0, length);
    const sound =
      length >= HEADER_BYTES &&
      message.readUInt32LE(0) === this.received >>> 0 &&
      message.readUInt32LE(4) === length &&
      message.readUInt32LE(8) === crc32(message.subarray(HEADER_BYTES));
    if (!sound) throw new Error(`message ${this.received} is not what was sent`);
    this.received++;
    return true;
  }
}

function ringBytesOf({ options: { ringBytes } = {} }: Address): number {
  return Number(ringBytes);
}

function largestOf(ringBytes: number): number {
  return ringBytes / 2 - 8;
}

/** Runs the second process: takes messages as fast as they come and answers every third with one of its own. */
function serve(address: Address, ringBytes: number): void {
  const server = blocking.listen(address);
  writeSync(1, "listening\n");
  const receiver = new Receiver(largestOf(ringBytes));
  const sender = new Sender(largestOf(ringBytes), randomInt(2 ** 31));
  const parent = process.ppid;
  while (process.ppid === parent) {
    receiver.tryReceive(server, SLICE_MS);
    while (server.from !== undefined && sender.sent < Math.floor(receiver.received / ANSWER_EVERY)) {
      if (!sender.trySend(server.from, SLICE_MS) && process.ppid !== parent) break;
    }
  }
  server[Symbol.dispose]();
}

async function drive(seconds: number, ringBytes: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
  const allocated = await transport.allocate({ directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` });
  const address: Address = { ...allocated, options: { ...allocated.options, ringBytes } };
  const args = [import.meta.filename, "--transport", transport.id, "--serve", JSON.stringify(address)];
  const child = spawn(process.execPath, [...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(child.stdout, "data");
    const connection = blocking.connect(address, 10_000);
    const sender = new Sender(largestOf(ringBytes), randomInt(2 ** 31));
    const receiver = new Receiver(largestOf(ringBytes));
    const untilMs = performance.now() + seconds * 1000;
    let movedMs = performance.now();
    while (performance.now() < untilMs || receiver.received < Math.floor(sender.sent / ANSWER_EVERY)) {
      let moved = performance.now() < untilMs && sender.trySend(connection, SLICE_MS);
      while (receiver.tryReceive(connection, performance.now() < untilMs ? 0 : SLICE_MS)) moved = true;
      if (moved) movedMs = performance.now();
      else if (performance.now() - movedMs > LOST_MS) {
        throw new Error(`nothing moves: ${sender.sent} sent, ${receiver.received} answered`);
      }
    }
    connection[Symbol.dispose]();
    const gigabytes = (sender.bytes / 1e9).toFixed(2);
    writeSync(
      1,
      `${transport.id}: ${sender.sent} messages (${gigabytes} GB) and ${receiver.received} answers in ${seconds} s, ` +
        `ring of ${ringBytes}, all whole and in order\n`,
    );
  } finally {
    child.kill("SIGKILL");
    await transport.sweep(address);
    rmSync(directory, { recursive: true, force: true });
  }
}

if (values.serve === undefined)
  await drive(countOf("seconds", values.seconds), countOf("ring-bytes", values["ring-bytes"]));
else {
  const address = JSON.parse(values.serve) as Address;
  serve(address, ringBytesOf(address));
}
