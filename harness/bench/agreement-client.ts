/**
 * The measured process of `npm run bench:agreement`: the harness's own blocking ping-pong, either with the C echo server or, for the
 * harness floor, with a connection that answers by itself. Arguments: transport id or `floor`, address as JSON, body bytes, count.
 */
import { Kind } from "../../transports/contract/frame.ts";
import type { Address, BlockingConnection } from "../../transports/contract/transport.ts";
import { ffiFloor } from "../../transports/posix/index.ts";
import { pingPongOver } from "../driver/models/ping-pong.ts";
import { loadTransport } from "../process/load-transport.ts";
import { quantileSorted } from "../results/quantiles.ts";

const CONNECT_TIMEOUT_MS = 10_000;
const WARM_UP = 3000;

/** Copies in and copies out, as every transport does, and nothing else. */
class Mirror implements BlockingConnection {
  readonly #kept = new Uint8Array(64 * 1024);
  #length = 0;

  send(message: Uint8Array): boolean {
    this.#kept.set(message);
    this.#kept[4] = Kind.reply;
    this.#length = message.length;
    return true;
  }

  receive(into: Uint8Array): number {
    into.set(this.#kept.subarray(0, this.#length));
    return this.#length;
  }

  [Symbol.dispose](): void {}
}

async function connectionOf(id: string, address: string): Promise<BlockingConnection> {
  if (id === "floor") return new Mirror();
  const { blocking } = await loadTransport({ id, module: null });
  if (blocking === undefined) throw new Error(`${id} has no blocking face`);
  return blocking.connect(JSON.parse(address) as Address, CONNECT_TIMEOUT_MS);
}

const [id, address, bytes, count] = process.argv.slice(2) as [string, string, string, string];
const connection = await connectionOf(id, address);
const model = pingPongOver({ face: "blocking", connection }, Number(bytes));
await model.window(WARM_UP);
const { samples, problem } = await model.window(Number(count));
connection[Symbol.dispose]();
if (problem !== undefined || samples === null) throw new Error(problem ?? "no samples");
const ffi = ffiFloor();
process.stdout.write(`${JSON.stringify({ p50: quantileSorted(samples.sort(), 0.5), callNs: ffi.callNs })}\n`);
