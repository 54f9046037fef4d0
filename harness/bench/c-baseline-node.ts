import { readSync, writeSync } from "node:fs";
// The global of that name is a getter, which makes each reading a quarter more expensive.
import { performance } from "node:perf_hooks";
import type { Address, BlockingConnection, BlockingTransport, Transport } from "../../transports/contract/transport.ts";
import { REGISTRY } from "../../transports/registry.ts";

/**
 * Process of a pair that does the same work as `harness/c-baseline/ping-pong.c`.
 * Arguments: role, transport id, face, address as JSON, body bytes. Between rounds both processes sleep in a read of
 * stdin, so that the C program has the machine to itself. Each line is a count; a client prints its samples' quantiles.
 */
const HEADER_BYTES = 16;
const SLICE_MS = 100;
const LOST_MS = 10_000;
const [role, id, face, addressJson, bodyText] = process.argv.slice(2) as [string, string, string, string, string];
const address = JSON.parse(addressJson) as Address;
const bytes = HEADER_BYTES + Number(bodyText);

const line = new Uint8Array(64);
/** Returns the next count, or -1 when the parent is gone. */
function nextCount(): number {
  const length = readSync(0, line);
  return length === 0 ? -1 : Number(Buffer.from(line.subarray(0, length)).toString());
}

function report(value: unknown): void {
  writeSync(1, `${JSON.stringify(value)}\n`);
}

function newRequest(): Uint8Array {
  const request = new Uint8Array(bytes);
  request[8] = bytes - HEADER_BYTES;
  request[9] = (bytes - HEADER_BYTES) >>> 8;
  for (let i = HEADER_BYTES; i < bytes; i++) request[i] = (i - HEADER_BYTES) * 31;
  return request;
}

function quantiles(samples: Float64Array): { p50: number; p99: number } {
  samples.sort();
  const at = (share: number): number => samples[Math.floor((samples.length - 1) * share)] as number;
  return { p50: at(0.5), p99: at(0.99) };
}

function setId(message: Uint8Array, value: number): void {
  message[0] = value;
  message[1] = value >>> 8;
  message[2] = value >>> 16;
  message[3] = value >>> 24;
}

function receiveOne(connection: { receive(into: Uint8Array, timeoutMs: number): number }, into: Uint8Array): number {
  for (let waitedMs = 0; waitedMs < LOST_MS; waitedMs += SLICE_MS) {
    const length = connection.receive(into, SLICE_MS);
    if (length >= 0) return length;
  }
  throw new Error(`no message for ${LOST_MS} ms`);
}

function serveBlocking(transport: BlockingTransport): void {
  const server = transport.listen(address);
  report("listening");
  const into = new Uint8Array(Math.max(bytes, 8192));
  const reply = into.subarray(0, bytes);
  // The client connects while this waits; its first message opens the first round.
  for (;;) {
    const count = nextCount();
    if (count < 0) break;
    const isStream = count > 2 ** 31;
    const messages = isStream ? count - 2 ** 32 : count;
    for (let i = 0; i < messages; i++) {
      const length = receiveOne(server, into);
      if (length !== bytes) throw new Error(`a message of ${length} bytes`);
      if (isStream && i < messages - 1) continue;
      into[4] = 2;
      while (!(server.from as BlockingConnection).send(reply, SLICE_MS));
    }
  }
  server[Symbol.dispose]();
}

function pingPong(connection: BlockingConnection, count: number): { p50: number; p99: number } {
  const request = newRequest();
  const into = new Uint8Array(Math.max(bytes, 8192));
  const samples = new Float64Array(count);
  let last = performance.now();
  for (let i = 0; i < count; i++) {
    setId(request, i);
    while (!connection.send(request, SLICE_MS));
    const length = receiveOne(connection, into);
    // One reading of the clock per round trip: the end of one is the start of the next.
    const now = performance.now();
    samples[i] = (now - last) * 1e6;
    last = now;
    const same = into[0] === request[0] && into[1] === request[1] && into[2] === request[2] && into[3] === request[3];
    if (length !== bytes || !same || into[bytes - 1] !== request[bytes - 1]) throw new Error("a wrong reply");
  }
  return quantiles(samples);
}

function stream(connection: BlockingConnection, count: number): { elapsedNs: number } {
  const request = newRequest();
  const into = new Uint8Array(Math.max(bytes, 8192));
  const startMs = performance.now();
  for (let i = 0; i < count; i++) {
    setId(request, i);
    while (!connection.send(request, SLICE_MS));
  }
  if (receiveOne(connection, into) !== bytes) throw new Error("a wrong reply");
  return { elapsedNs: (performance.now() - startMs) * 1e6 };
}

function askBlocking(transport: BlockingTransport): void {
  const connection = transport.connect(address, 10_000);
  report("connected");
  for (;;) {
    const count = nextCount();
    if (count < 0) break;
    report(count > 2 ** 31 ? stream(connection, count - 2 ** 32) : pingPong(connection, count));
  }
  connection[Symbol.dispose]();
}

/** Serves with stdin as a stream: while the C program runs, both ends wait in epoll. */
async function serveEvents(transport: Transport): Promise<void> {
  await transport.event?.listen(address, {
    onOpen() {},
    onMessage(message, connection) {
      message[4] = 2;
      connection.send(message);
    },
    onWritable() {},
    onClose() {},
  });
  report("listening");
  process.stdin.resume().on("end", () => process.exit(0));
}

async function askEvents(transport: Transport): Promise<void> {
  const request = newRequest();
  let samples = new Float64Array(0);
  let done = 0;
  let last = 0;
  await transport.event
    ?.connect(address, {
      onOpen() {
        report("connected");
      },
      onMessage(reply, connection) {
        const now = performance.now();
        samples[done++] = (now - last) * 1e6;
        last = now;
        const same = reply[0] === request[0] && reply[1] === request[1] && reply[2] === request[2];
        if (reply.length !== bytes || !same || reply[bytes - 1] !== request[bytes - 1])
          throw new Error("a wrong reply");
        setId(request, done);
        if (done < samples.length) connection.send(request);
        else report(quantiles(samples));
      },
      onWritable() {},
      onClose() {
        process.exit(3);
      },
    })
    .then((connection) => {
      process.stdin.on("data", (chunk) => {
        samples = new Float64Array(Number(String(chunk)));
        done = 0;
        setId(request, 0);
        last = performance.now();
        connection.send(request);
      });
      process.stdin.on("end", () => process.exit(0));
    });
}

const transport = (await REGISTRY.find((entry) => entry.id === id)?.load()) as Transport;
const { blocking } = transport;
if (face === "event") await (role === "server" ? serveEvents(transport) : askEvents(transport));
else if (blocking === undefined) throw new Error(`${id} has no blocking face`);
else if (role === "server") serveBlocking(blocking);
else askBlocking(blocking);
