/**
 * The measured process of `npm run bench:agreement`: the harness's own blocking ping-pong with the C echo server, first as it is, then over a
 * connection that notes how long its calls take (what a round trip took beyond them is the harness), then with a clock around the C library's
 * calls as well (what lies between is the transport's JavaScript). Both are measured where they are paid: code that runs once between two
 * sleeps costs more than in a loop of its own. Arguments: transport id, address as JSON, body bytes, count.
 */
import type { Address, BlockingConnection } from "../../transports/contract/transport.ts";
import { libc } from "../../transports/posix/binding.ts";
import { ffiFloor } from "../../transports/posix/index.ts";
import { pingPongOver } from "../driver/models/ping-pong.ts";
import { loadTransport } from "../process/load-transport.ts";
import { quantileSorted } from "../results/quantiles.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Until the compiler has done its work: it shares the CPU. */
const WARM_UP = 8000;
const TIMER_READINGS = 20_000;

/** The same connection, with a clock around its calls. */
class Timed implements BlockingConnection {
  /** ns inside calls since the last look. */
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

/** One reading of the clock, ns. */
function timerNs(): number {
  const from = process.hrtime.bigint();
  for (let i = 0; i < TIMER_READINGS; i++) process.hrtime.bigint();
  return Number(process.hrtime.bigint() - from) / TIMER_READINGS;
}

const [id, address, bytes, count] = process.argv.slice(2) as [string, string, string, string];
const ffi = ffiFloor();
const { blocking } = await loadTransport({ id, module: null });
if (blocking === undefined) throw new Error(`${id} has no blocking face`);
const connection = blocking.connect(JSON.parse(address) as Address, CONNECT_TIMEOUT_MS);

async function run(over: BlockingConnection, messages: number): Promise<Float64Array> {
  const { samples, problem } = await pingPongOver({ face: "blocking", connection: over }, Number(bytes)).window(
    messages,
  );
  if (problem !== undefined || samples === null) throw new Error(problem ?? "no samples");
  return samples;
}

let libraryNs = 0;
let connectionNs = 0;

/** Puts a clock around the calls that move messages, for one window. */
async function runWithClockInLibrary(): Promise<void> {
  const api = libc() as unknown as Record<string, (...values: unknown[]) => unknown>;
  const names = ["send", "recv", "read", "write", "poll", "mq_timedsend", "mq_timedreceive"];
  const plainCalls = names.map((name) => [name, api[name] as (...values: unknown[]) => unknown] as const);
  let spentNs = 0;
  for (const [name, call] of plainCalls) {
    api[name] = (...values) => {
      const from = process.hrtime.bigint();
      const result = call(...values);
      spentNs += Number(process.hrtime.bigint() - from);
      return result;
    };
  }
  const over = new Timed(connection);
  await run(over, WARM_UP);
  inside.length = 0;
  spentNs = 0;
  await run(over, Number(count));
  libraryNs = spentNs / Number(count);
  connectionNs = inside.reduce((sum, ns) => sum + ns, 0) / inside.length;
  for (const [name, call] of plainCalls) api[name] = call;
}

await run(connection, WARM_UP);
const plain = await run(connection, Number(count));
const timed = new Timed(connection);
await run(timed, WARM_UP);
inside.length = 0;
const whole = await run(timed, Number(count));
const timer = timerNs();
// Of the four further readings two lie outside of the calls.
const harness = whole.map((ns, at) => ns - (inside[at] as number) - 2 * timer).sort();
await runWithClockInLibrary();
connection[Symbol.dispose]();
// Above lies the time in calls of the connection, below that in calls of the library: between the two is the transport's JavaScript.
const p50 = quantileSorted(plain.sort(), 0.5);
const transportNs = connectionNs - libraryNs - 2 * timer;
const answer = { p50, transportNs, harnessNs: quantileSorted(harness, 0.5), callNs: ffi.callNs };
process.stdout.write(`${JSON.stringify(answer)}\n`);
