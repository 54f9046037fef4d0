import { HEADER_BYTES, Kind, readId, readKind } from "../../../transports/contract/frame.ts";
import type { BlockingConnection } from "../../../transports/contract/transport.ts";
import type { ReusableMessage } from "../../rpc/message.ts";
import { arrivedIntact } from "../../rpc/verify.ts";
import { isEchoOf, sampledChecksumHolds } from "./reply-check.ts";

const SLOT_BITS = 10;

/**
 * Requests in flight over a blocking connection. An id consists of a slot and a generation, so that replies may come in
 * any order, and a late one is recognized by its generation. Blocking counterpart of `RpcClient`, without deadlines:
 * the loop that uses it has them.
 */
export class BlockingSlots {
  corrupted = 0;
  unexpected = 0;
  /** Time, as given to `send`, at which the request of the reply just received was due or sent. */
  startedNs = 0n;
  readonly #connection: BlockingConnection;
  readonly #into: Uint8Array;
  readonly #ids: Uint32Array;
  readonly #started: BigInt64Array;
  readonly #requests: (Uint8Array | undefined)[];
  readonly #free: number[];
  #generation = 0;
  #received = 0;

  /** @param largestBytes largest reply, header included */
  constructor(connection: BlockingConnection, largestBytes: number, capacity: number) {
    this.#connection = connection;
    this.#into = new Uint8Array(largestBytes);
    this.#ids = new Uint32Array(capacity);
    this.#started = new BigInt64Array(capacity);
    this.#requests = new Array(capacity).fill(undefined);
    this.#free = Array.from({ length: capacity }, (_, slot) => capacity - 1 - slot);
  }

  get inFlight(): number {
    return this.#ids.length - this.#free.length;
  }

  get full(): boolean {
    return this.#free.length === 0;
  }

  /** Returns false if the transport took nothing in that time. @throws IpcError of `BlockingConnection.send` */
  send(message: ReusableMessage, startedNs: bigint, timeoutMs: number): boolean {
    const slot = this.#free.at(-1);
    if (slot === undefined) return false;
    this.#generation = (this.#generation + 1) & 0x3fffff;
    const id = ((this.#generation << SLOT_BITS) | slot) >>> 0;
    if (!this.#connection.send(message.stamp(id), timeoutMs)) return false;
    this.#free.pop();
    this.#ids[slot] = id;
    this.#started[slot] = startedNs;
    this.#requests[slot] = message.frame;
    return true;
  }

  /** Returns true if a reply to a request in flight came, verified or corrupted; then sets `startedNs`. */
  receive(timeoutMs: number): boolean {
    const length = this.#connection.receive(this.#into, timeoutMs);
    if (length < 0) return false;
    // If all replies have the same size, this allocates nothing.
    const reply = length === this.#into.length ? this.#into : this.#into.subarray(0, length);
    if (length < HEADER_BYTES || !arrivedIntact(reply) || readKind(reply) !== Kind.reply) {
      this.corrupted++;
      return false;
    }
    const slot = readId(reply) & ((1 << SLOT_BITS) - 1);
    const request = this.#requests[slot];
    if (request === undefined || this.#ids[slot] !== readId(reply)) {
      this.unexpected++;
      return false;
    }
    if (!isEchoOf(request, reply) || !sampledChecksumHolds(reply, this.#received++)) this.corrupted++;
    this.#requests[slot] = undefined;
    this.#free.push(slot);
    this.startedNs = this.#started[slot] as bigint;
    return true;
  }
}
