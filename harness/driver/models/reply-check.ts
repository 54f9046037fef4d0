import { HEADER_BYTES, readStatus, Status } from "../../../transports/contract/frame.ts";
import { checksumHolds, FULL_CHECK_BYTES, LARGE_EVERY } from "../../rpc/verify.ts";

/**
 * Checks inside the timed window that a reply is the expected one: same length, same first and last word. The rpc layer
 * has checked the header, the id and, for small bodies, the checksum before.
 */
export function isEchoOf(request: Uint8Array, reply: Uint8Array): boolean {
  return reply.length === request.length && readStatus(reply) === Status.ok && sameEnds(request, reply);
}

function sameEnds(a: Uint8Array, b: Uint8Array): boolean {
  const last = Math.max(HEADER_BYTES, a.length - 4);
  for (let at = 0; at < 4; at++) {
    if (a[HEADER_BYTES + at] !== b[HEADER_BYTES + at] || a[last + at] !== b[last + at]) return false;
  }
  return true;
}

/** Compares all bytes of two bodies. */
export function sameBody(expected: Uint8Array, reply: Uint8Array): boolean {
  return Buffer.compare(expected.subarray(HEADER_BYTES), reply.subarray(HEADER_BYTES)) === 0;
}

/** Checks all bytes of one in 64 large replies, outside the timed window. */
export function sampledChecksumHolds(reply: Uint8Array, index: number): boolean {
  if (reply.length <= HEADER_BYTES + FULL_CHECK_BYTES || index % LARGE_EVERY !== 0) return true;
  return checksumHolds(reply);
}
