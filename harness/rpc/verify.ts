import { bindChecksum, HEADER_BYTES, isFrame, readChecksum, readId } from "../../transports/contract/frame.ts";
import { crc32 } from "./crc32.ts";

/** Largest body whose every message is checksummed, bytes; of larger ones, one in {@link LARGE_EVERY}. */
export const FULL_CHECK_BYTES = 4096;
export const LARGE_EVERY = 64;

/** Returns the CRC-32 (IEEE 802.3, as in zlib and Python) of the body behind the header. */
export function bodyCrc(frame: Uint8Array): number {
  return crc32(frame, HEADER_BYTES);
}

/** Returns `true` when every byte of the body is what the sender checksummed for this id. */
export function checksumHolds(frame: Uint8Array): boolean {
  return bindChecksum(bodyCrc(frame), readId(frame)) === readChecksum(frame);
}

/**
 * Verifies a message inside the timed window: header, length, and the checksum of small bodies. The CRC of 64 KiB costs
 * as much as the transfer itself, so large bodies have theirs on a sample, see {@link checksumHolds}.
 */
export function arrivedIntact(frame: Uint8Array): boolean {
  if (!isFrame(frame)) return false;
  return frame.length > HEADER_BYTES + FULL_CHECK_BYTES || checksumHolds(frame);
}
