// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Framing for both ends: the length of what follows (2 bytes), the tag of the request (4 bytes), the bytes. The tag
// tells a reply apart from a late one that nobody waits for: a FIFO lives longer than its readers, and so do its bytes.
import { constants, openSync } from "node:fs";
import { Socket } from "node:net";

/** Linux writes up to 4096 bytes (PIPE_BUF) as a whole or not at all. So no reader finds half a message. */
export const MAX_BYTES = 4096 - 6;

/**
 * Opens a FIFO as a stream of the event loop. Both directions (O_RDWR, Linux), so that opening does not wait for the
 * other side. The price: a reader never sees the end of the writer, and only deadlines notice a dead peer.
 */
export function open(path, direction) {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  return new Socket({ fd, readable: direction === "read", writable: direction === "write" });
}

export function write(stream, tag, message) {
  if (message.length > MAX_BYTES) throw new RangeError(`${message.length} bytes; the limit is ${MAX_BYTES}`);
  const head = Buffer.alloc(2);
  head.writeUInt16LE(tag.length + message.length);
  return stream.write(Buffer.concat([head, tag, message]));
}

/** Yields `{ tag, message }`. */
export async function* read(stream) {
  let rest = Buffer.alloc(0);
  for await (const part of stream) {
    rest = Buffer.concat([rest, part]);
    while (rest.length >= 2) {
      const length = rest.readUInt16LE(0);
      if (length < 4 || length > MAX_BYTES + 4) throw new RangeError(`a length of ${length}: the framing is lost`);
      if (rest.length < 2 + length) break;
      yield { tag: rest.subarray(2, 6), message: rest.subarray(6, 2 + length) };
      rest = rest.subarray(2 + length);
    }
  }
}
