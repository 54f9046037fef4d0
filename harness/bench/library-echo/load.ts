/**
 * What both arms of `library-overhead.ts` have in common, so that only the library's use differs: the 16-byte header, the
 * check of every request and reply (id, length, CRC of the body), the clock, the quantiles.
 */
import { crc32 } from "node:zlib";
import { FULL_CHECK_BYTES } from "../../rpc/verify.ts";

const HEADER_BYTES = 16;
const REQUEST = 1;
const REPLY = 2;
const KIND = 4;
const LENGTH = 8;
const CHECKSUM = 12;

export interface EchoResult {
  readonly count: number;
  readonly bodyBytes: number;
  /** Nanoseconds. */
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** The requests of a ping-pong: `next` until it is undefined, and `accept` the reply to each. */
export class Load {
  readonly #frame: Buffer;
  readonly #bodyCrc: number;
  readonly #samples: Float64Array;
  readonly #warmup: number;
  #issued = 0;
  #startedAt = 0n;

  constructor(count: number, bodyBytes: number, warmup: number) {
    this.#frame = Buffer.alloc(HEADER_BYTES + bodyBytes, 0x5a);
    this.#bodyCrc = crc32(this.#frame.subarray(HEADER_BYTES));
    this.#samples = new Float64Array(count);
    this.#warmup = warmup;
  }

  /** The next request, in a buffer that is reused when its reply has been accepted. */
  next(): Buffer | undefined {
    const id = this.#issued;
    if (id === this.#samples.length + this.#warmup) return undefined;
    const frame = this.#frame;
    frame.writeUInt32LE(id, 0);
    frame.writeUInt32LE(REQUEST, KIND);
    frame.writeUInt32LE(frame.length - HEADER_BYTES, LENGTH);
    frame.writeUInt32LE(bind(this.#bodyCrc, id), CHECKSUM);
    this.#issued++;
    this.#startedAt = process.hrtime.bigint();
    return frame;
  }

  accept(bytes: Uint8Array): void {
    const reply = asBuffer(bytes);
    const id = this.#issued - 1;
    const right =
      reply.length === this.#frame.length &&
      reply.readUInt32LE(0) === id &&
      reply[KIND] === REPLY &&
      reply.readUInt32LE(LENGTH) === reply.length - HEADER_BYTES &&
      reply.readUInt32LE(CHECKSUM) === bind(crc32(reply.subarray(HEADER_BYTES)), id);
    if (!right) throw new Error(`wrong reply to ${id}`);
    const sample = id - this.#warmup;
    if (sample >= 0) this.#samples[sample] = Number(process.hrtime.bigint() - this.#startedAt);
  }

  result(): EchoResult {
    return summary(this.#samples, this.#frame.length - HEADER_BYTES);
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

export function summary(samples: Float64Array, bodyBytes: number): EchoResult {
  const sorted = samples.slice().sort();
  const count = sorted.length;
  const at = (quantile: number): number => sorted[Math.min(count - 1, Math.floor(quantile * count))] ?? 0;
  return { count, bodyBytes, min: at(0), p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

function bind(bodyCrc: number, id: number): number {
  return (bodyCrc ^ Math.imul(id, 0x9e3779b1)) >>> 0;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
