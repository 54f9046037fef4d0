// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Framing for both ends. A stream has no messages, so each message has its length in front: 4 bytes, little-endian.

/** A longer length is an error. Without this limit, 4 wrong bytes make the reader wait for 4 GiB. */
export const MAX_BYTES = 1024 * 1024;

/** Returns false when the other end reads too slowly: wait for "drain" before the next message. */
export function write(stream, message) {
  if (message.length > MAX_BYTES) throw new RangeError(`${message.length} bytes; the limit is ${MAX_BYTES}`);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(message.length);
  // One write for both parts: two would be two system calls, and two packets over TCP.
  return stream.write(Buffer.concat([head, message]));
}

/** Yields whole messages, however the stream cuts them. While the caller is busy, nothing is read. */
export async function* read(stream) {
  let rest = Buffer.alloc(0);
  for await (const part of stream) {
    rest = Buffer.concat([rest, part]);
    while (rest.length >= 4) {
      const length = rest.readUInt32LE(0);
      if (length > MAX_BYTES) throw new RangeError(`a message of ${length} bytes; the limit is ${MAX_BYTES}`);
      if (rest.length < 4 + length) break;
      yield rest.subarray(4, 4 + length);
      rest = rest.subarray(4 + length);
    }
  }
  if (rest.length > 0) throw new Error("the stream ended inside a message");
}
