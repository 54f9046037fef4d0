/**
 * The parts that every arm written by hand shares with ours, so that only the library differs: the 16-byte header, the
 * check of every request and reply (id, length, CRC of the body) and the clock.
 */
import { crc32 } from "node:zlib";
import { payloadBody } from "../../rpc/payload.ts";
import { FULL_CHECK_BYTES, LARGE_EVERY } from "../../rpc/verify.ts";
import type { Turns } from "./turns.ts";

const HEADER_BYTES = 16;
const REQUEST = 1;
const REPLY = 2;
const KIND = 4;
const LENGTH = 8;
const CHECKSUM = 12;

/** Requests of a ping-pong: call `next` until it returns undefined, and `accept` with the reply to each. */
export class Load {
  readonly #turns: Turns;
  readonly #frame: Buffer;
  readonly #bodyCrc: number;
  #samples = new Float64Array(0);
  #done = 0;
  #id = 0;
  #startedAt = 0n;

  constructor(turns: Turns, bodyBytes: number) {
    this.#turns = turns;
    this.#frame = Buffer.alloc(HEADER_BYTES + bodyBytes);
    // The same bytes as ours: what JSON and latin1 strings cost depends on them.
    this.#frame.set(payloadBody(bodyBytes, 0), HEADER_BYTES);
    this.#bodyCrc = crc32(this.#frame.subarray(HEADER_BYTES));
  }

  /** Returns the next request, in a buffer that is reused once its reply is accepted. Sleeps between windows. */
  next(): Buffer | undefined {
    if (this.#done === this.#samples.length && !this.#nextWindow()) return undefined;
    const frame = this.#frame;
    this.#id = (this.#id + 1) >>> 0;
    frame.writeUInt32LE(this.#id, 0);
    frame.writeUInt32LE(REQUEST, KIND);
    frame.writeUInt32LE(frame.length - HEADER_BYTES, LENGTH);
    frame.writeUInt32LE(bind(this.#bodyCrc, this.#id), CHECKSUM);
    this.#startedAt = process.hrtime.bigint();
    return frame;
  }

  accept(bytes: Uint8Array): void {
    const reply = asBuffer(bytes);
    const right =
      reply.length === this.#frame.length &&
      reply.readUInt32LE(0) === this.#id &&
      reply[KIND] === REPLY &&
      reply.readUInt32LE(LENGTH) === reply.length - HEADER_BYTES &&
      (!this.#isSummed(reply) || reply.readUInt32LE(CHECKSUM) === bind(crc32(reply.subarray(HEADER_BYTES)), this.#id));
    if (!right) throw new Error(`wrong reply to ${this.#id}`);
    this.#samples[this.#done++] = Number(process.hrtime.bigint() - this.#startedAt);
  }

  /** True where the reply is summed, by the rule of the harness: large bodies on a sample only. */
  #isSummed(reply: Buffer): boolean {
    return reply.length <= HEADER_BYTES + FULL_CHECK_BYTES || this.#done % LARGE_EVERY === 0;
  }

  #nextWindow(): boolean {
    if (this.#samples.length > 0) this.#turns.report(this.#samples);
    const count = this.#turns.next();
    if (count === undefined) return false;
    this.#samples = new Float64Array(count);
    this.#done = 0;
    return true;
  }
}

/** Turns a request, which must be the caller's own memory, into its reply. */
export function answer(bytes: Uint8Array): Buffer {
  const frame = asBuffer(bytes);
  const body = frame.subarray(HEADER_BYTES);
  // Large bodies are not summed by the harness's server either.
  if (body.length <= FULL_CHECK_BYTES && frame.readUInt32LE(CHECKSUM) !== bind(crc32(body), frame.readUInt32LE(0))) {
    throw new Error("corrupt request");
  }
  frame[KIND] = REPLY;
  return frame;
}

function bind(bodyCrc: number, id: number): number {
  return (bodyCrc ^ Math.imul(id, 0x9e3779b1)) >>> 0;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
