import { bindChecksum, HEADER_BYTES, isFrame, readChecksum, readId } from "../../transports/contract/frame.ts";
import { crc32 } from "./crc32.ts";

/** Bodies up to this size are checksummed in full, every one; larger ones one in {@link LARGE_EVERY}. */
export const FULL_CHECK_BYTES = 4096;
export const LARGE_EVERY = 64;

/** CRC-32 (IEEE 802.3, the one of zlib and Python) of the body behind the header. */
export function bodyCrc(frame: Uint8Array): number {
  return crc32(frame, HEADER_BYTES);
}

/** True when every byte of the body is what the sender checksummed for this id. */
export function checksumHolds(frame: Uint8Array): boolean {
  return bindChecksum(bodyCrc(frame), readId(frame)) === readChecksum(frame);
}

/**
 * What is done to every message inside the timed window: whole header, right length, and the checksum of all bytes of small bodies.
 * The CRC of 64 KiB costs as much as the transfer itself, so large bodies get theirs on a sample, see {@link checksumHolds}.
 */
export function arrivedIntact(frame: Uint8Array): boolean {
  if (!isFrame(frame)) return false;
  return frame.length > HEADER_BYTES + FULL_CHECK_BYTES || checksumHolds(frame);
}
