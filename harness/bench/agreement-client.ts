/**
 * Measured process of `npm run bench:agreement`: the harness's own blocking ping-pong with the C echo server. It
 * connects, warms up and prints "ready". Each line that it reads runs a window, answered with one number in ns:
 *
 *   plain     p50 as the harness measures it
 *   call      the same with more calls of `read` or `mq_timedreceive` of no file in every round trip: the cost of a
 *             call with those arguments between two sleeps, where code is colder than in a loop of its own
 *   harness   the part of a round trip that is spent outside of the connection's `send` and `receive`
 *
 * Arguments: transport id, address as JSON, body bytes, round trips of a window, further calls.
 */
import { createInterface } from "node:readline";
import type { Address, BlockingConnection } from "../../transports/contract/transport.ts";
import { libc } from "../../transports/posix/binding.ts";
import { Mapping } from "../../transports/posix/mapping.ts";
import { pingPongOver } from "../driver/models/ping-pong.ts";
import { loadTransport } from "../process/load-transport.ts";
import { quantileSorted } from "../results/quantiles.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Round trips until the code is compiled: the compiler shares the CPU. */
const WARM_UP = 8000;
const SETTLE = 200;
/** Invalid descriptor: the kernel answers EBADF before it does anything. */
const NO_FILE = -1;
const FEW_BYTES = 64;
const TIMER_READINGS = 20_000;

/** Same connection with a clock around its calls. */
class Timed implements BlockingConnection {
  /** Time inside calls since the last reading, ns. */
  insideNs = 0;
  readonly #connection: BlockingConnection;

  constructor(connection: BlockingConnection) {
    this.#connection = connection;
  }

  send(message: Uint8Array, timeoutMs: number): boolean {
    const from = process.hrtime.bigint();
    const taken = this.#connection.send(message, timeoutMs);
    this.insideNs = Number(process.hrtime.bigint() - from);
    return taken;
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    const from = process.hrtime.bigint();
    const length = this.#connection.receive(into, timeoutMs);
    this.insideNs += Number(process.hrtime.bigint() - from);
    inside.push(this.insideNs);
    return length;
  }

  [Symbol.dispose](): void {}
}

const inside: number[] = [];

/** Measures one reading of the clock, ns. */
function timerNs(): number {
  const from = process.hrtime.bigint();
  for (let i = 0; i < TIMER_READINGS; i++) process.hrtime.bigint();
  return Number(process.hrtime.bigint() - from) / TIMER_READINGS;
}

/** Same connection with further calls of the C library in each round trip. */
class WithCalls implements BlockingConnection {
  readonly #connection: BlockingConnection;
  readonly #libc = libc();
  readonly #memory = Mapping.anonymous(4096);

  readonly #isQueue: boolean;

  constructor(connection: BlockingConnection, isQueue: boolean) {
    this.#connection = connection;
    this.#isQueue = isQueue;
  }

  send(message: Uint8Array, timeoutMs: number): boolean {
    const memory = this.#memory.pointer(0);
    for (let call = 0; call < moreCalls; call++) {
      if (this.#isQueue) this.#libc.mq_timedreceive(NO_FILE, memory, FEW_BYTES, memory, memory);
      else this.#libc.read(NO_FILE, memory, FEW_BYTES);
    }
    return this.#connection.send(message, timeoutMs);
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    return this.#connection.receive(into, timeoutMs);
  }

  [Symbol.dispose](): void {}
}

const [id, address, bytes, count, calls] = process.argv.slice(2) as [string, string, string, string, string];
const moreCalls = Number(calls);
const { blocking } = await loadTransport({ id, module: null });
if (blocking === undefined) throw new Error(`${id} has no blocking face`);
const connection = blocking.connect(JSON.parse(address) as Address, CONNECT_TIMEOUT_MS);

type Run = (messages: number) => Promise<Float64Array>;

function over(wire: BlockingConnection): Run {
  const model = pingPongOver({ face: "blocking", connection: wire }, Number(bytes));
  return async (messages) => {
    const { samples, problem } = await model.window(messages);
    if (problem !== undefined || samples === null) throw new Error(problem ?? "no samples");
    return samples;
  };
}

const runs: Readonly<Record<string, Run>> = {
  plain: over(connection),
  call: over(new WithCalls(connection, id === "posix-mq")),
  harness: over(new Timed(connection)),
};

/** Returns the time outside of the calls, without the two further clock readings that are outside of them. */
function outside(whole: Float64Array): Float64Array {
  const timer = timerNs();
  return whole.map((ns, at) => ns - (inside[at] as number) - 2 * timer);
}

for (const run of Object.values(runs)) await run(WARM_UP);
process.stdout.write("ready\n");
for await (const kind of createInterface({ input: process.stdin })) {
  const run = runs[kind];
  if (run === undefined) throw new Error(`no window called ${kind}`);
  await run(SETTLE);
  inside.length = 0;
  const samples = await run(Number(count));
  const figures = kind === "harness" ? outside(samples) : samples;
  process.stdout.write(`${quantileSorted(figures.sort(), 0.5)}\n`);
}
connection[Symbol.dispose]();
