import type { Kind } from "../../transports/contract/frame.ts";
import { ReusableMessage } from "./message.ts";

/** Different bodies take turns, so that a transport which swaps or repeats bodies cannot go unnoticed. */
const VARIANTS = 4;
const LARGE_BYTES = 1024 * 1024;

/** Messages of one size with pseudo-random bodies (xorshift32), the same in every run. */
export function payloadMessages(kind: Kind, bytes: number): readonly [ReusableMessage, ...ReusableMessage[]] {
  const variants = bytes > LARGE_BYTES ? 2 : VARIANTS;
  const first = payloadMessage(kind, bytes, 0);
  return [first, ...Array.from({ length: variants - 1 }, (_, index) => payloadMessage(kind, bytes, index + 1))];
}

function payloadMessage(kind: Kind, bytes: number, variant: number): ReusableMessage {
  return new ReusableMessage(kind, 0, payloadBody(bytes, variant));
}

export function payloadBody(bytes: number, variant: number): Uint8Array {
  const body = new Uint8Array(bytes);
  let state = 0x9e3779b9 ^ Math.imul(variant + 1, 0x85ebca6b);
  for (let at = 0; at < bytes; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    body[at] = state;
  }
  return body;
}
