import { HEADER_BYTES, Kind, readId, readKind } from "../../../transports/contract/frame.ts";
import type { BlockingConnection } from "../../../transports/contract/transport.ts";
import type { ReusableMessage } from "../../rpc/message.ts";
import { arrivedIntact } from "../../rpc/verify.ts";
import { isEchoOf, sameBody, sampledChecksumHolds } from "./reply-check.ts";

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
  /** Index, as given to `send`, of the request of the reply just received. */
  index = 0;
  readonly #connection: BlockingConnection;
  readonly #into: Uint8Array;
  readonly #ids: Uint32Array;
  readonly #started: BigInt64Array;
  readonly #indexes: Uint32Array;
  /** Frames with the bodies of the replies. */
  readonly #expected: (Uint8Array | undefined)[];
  readonly #comparesReplies: boolean;
  readonly #free: number[];
  #generation = 0;
  #received = 0;

  /**
   * @param largestBytes largest reply, header included
   * @param comparesReplies compares every byte of every reply instead of checksums
   */
  constructor(connection: BlockingConnection, largestBytes: number, capacity: number, comparesReplies = false) {
    this.#connection = connection;
    this.#into = new Uint8Array(largestBytes);
    this.#ids = new Uint32Array(capacity);
    this.#started = new BigInt64Array(capacity);
    this.#indexes = new Uint32Array(capacity);
    this.#expected = new Array(capacity).fill(undefined);
    this.#comparesReplies = comparesReplies;
    this.#free = Array.from({ length: capacity }, (_, slot) => capacity - 1 - slot);
  }

  get inFlight(): number {
    return this.#ids.length - this.#free.length;
  }

  get full(): boolean {
    return this.#free.length === 0;
  }

  /** Returns false if the transport took nothing in that time. @throws IpcError of `BlockingConnection.send` */
  send(message: ReusableMessage, startedNs: bigint, timeoutMs: number, index = 0): boolean {
    const slot = this.#free.at(-1);
    if (slot === undefined) return false;
    this.#generation = (this.#generation + 1) & 0x3fffff;
    const id = ((this.#generation << SLOT_BITS) | slot) >>> 0;
    if (!this.#connection.send(message.stamp(id), timeoutMs)) return false;
    this.#free.pop();
    this.#ids[slot] = id;
    this.#started[slot] = startedNs;
    this.#indexes[slot] = index;
    this.#expected[slot] = message.expected;
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
    const expected = this.#expected[slot];
    if (expected === undefined || this.#ids[slot] !== readId(reply)) {
      this.unexpected++;
      return false;
    }
    const isWhole = this.#comparesReplies ? sameBody(expected, reply) : sampledChecksumHolds(reply, this.#received++);
    if (!isEchoOf(expected, reply) || !isWhole) this.corrupted++;
    this.#expected[slot] = undefined;
    this.index = this.#indexes[slot] as number;
    this.#free.push(slot);
    this.startedNs = this.#started[slot] as bigint;
    return true;
  }
}
