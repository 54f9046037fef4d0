import { crc32 } from "node:zlib";
import type { Capabilities } from "../../transports/contract/capabilities.ts";
import { bindChecksum, HEADER_BYTES, type Kind, writeHeader } from "../../transports/contract/frame.ts";
import { Method } from "../check.ts";

/** Returns bytes that depend on place and seed, so that a shifted, swapped or stale byte is noticed. */
export function pattern(bytes: number, seed: number): Buffer {
  const block = Buffer.alloc(Math.min(bytes, 65_521));
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ bytes) >>> 0 || 1;
  for (let at = 0; at < block.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    block[at] = state >>> 11;
  }
  // Repeated at a prime distance, so that bytes shifted by a power of two, a likely fault, are noticed too.
  return bytes <= block.length ? block : Buffer.alloc(bytes, block);
}

/** Returns a body for `Method.echoLater` and `Method.pooled`: the delay, then bytes by which to recognise it. */
export function delayedBody(delayMs: number, seed: number, bytes = 32): Buffer {
  const body = pattern(Math.max(4, bytes), seed);
  body.writeUInt32LE(delayMs, 0);
  return body;
}

/** Returns the largest message that a check sends in one process: the limit itself if it is not too large. */
export function largestTried({ maxMessageBytes }: Capabilities): number {
  return Math.min(maxMessageBytes, 1024 * 1024);
}

/** Returns the largest body a request may have, at most `bytes`. */
export function bodyUpTo(bytes: number, { maxMessageBytes }: Capabilities): number {
  return Math.min(bytes, maxMessageBytes - HEADER_BYTES);
}

/** Returns a whole message in the format of the echo program. */
export function frameOf(kind: Kind, id: number, body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + body.length);
  frame.set(body, HEADER_BYTES);
  writeHeader(frame, id, kind, Method.echo, 0, body.length, bindChecksum(crc32(body), id));
  return frame;
}

/** Returns the number at the start of a message; a receiver's copy may begin anywhere in its memory. */
export function numberOf(message: Uint8Array, littleEndian = false): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(0, littleEndian);
}
