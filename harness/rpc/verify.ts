import { bindChecksum, HEADER_BYTES, isFrame, readChecksum, readId } from "../../transports/contract/frame.ts";
import { crc32 } from "./crc32.ts";

/** Largest body that is checksummed in every message, bytes; of larger ones, one in {@link LARGE_EVERY} is. */
export const FULL_CHECK_BYTES = 4096;
export const LARGE_EVERY = 64;

/** Returns the CRC-32 (IEEE 802.3, as in zlib and Python) of the body after the header. */
export function bodyCrc(frame: Uint8Array): number {
  return crc32(frame, HEADER_BYTES);
}

/** Returns `true` if the checksum matches all bytes of the body, and this id. */
export function checksumHolds(frame: Uint8Array): boolean {
  return bindChecksum(bodyCrc(frame), readId(frame)) === readChecksum(frame);
}

/**
 * Verifies a message inside the timed window: header, length, and the checksum of small bodies. The CRC of 64 KiB costs
 * as much as the transfer itself, so it is checked only for a sample of large bodies, see {@link checksumHolds}.
 */
export function arrivedIntact(frame: Uint8Array): boolean {
  if (!isFrame(frame)) return false;
  return frame.length > HEADER_BYTES + FULL_CHECK_BYTES || checksumHolds(frame);
}
