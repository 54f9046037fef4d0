import { Method } from "../../scenarios/check.ts";
import type { Kind } from "../../transports/contract/frame.ts";
import { ReusableMessage } from "./message.ts";

/** Number of different bodies that take turns, to expose a transport that swaps or repeats bodies. */
const VARIANTS = 4;
const LARGE_BYTES = 1024 * 1024;

/**
 * Makes messages of one size with pseudo-random bodies (xorshift32), the same in every run.
 *
 * @param workMicros CPU time that they request of the server (`Method.work`), µs; above 0 they have at least 4 bytes
 */
export function payloadMessages(
  kind: Kind,
  bytes: number,
  workMicros: number = 0,
): readonly [ReusableMessage, ...ReusableMessage[]] {
  const variants = bytes > LARGE_BYTES ? 2 : VARIANTS;
  const make = (variant: number): ReusableMessage => {
    const body = payloadBody(bytes, variant);
    if (workMicros === 0) return new ReusableMessage(kind, Method.echo, body);
    new DataView(body.buffer).setUint32(0, workMicros, true);
    return new ReusableMessage(kind, Method.work, body);
  };
  return [make(0), ...Array.from({ length: variants - 1 }, (_, index) => make(index + 1))];
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
