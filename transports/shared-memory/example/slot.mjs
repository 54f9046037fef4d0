// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Layout for both ends: one slot that client and server use in turns. TURN is even while the slot is free or holds a
// reply, and odd while it holds a request. Linux; `npm install ipcmark` for the calls of the C library.

export const TURN = 0;
/** Process id of the client, or 0. */
export const CLIENT = 1;
export const LENGTH = 2;
const FIRST_BYTE = 64; // a cache line of its own for the words above

export const MAX_BYTES = 64 * 1024;
export const SEGMENT_BYTES = FIRST_BYTE + MAX_BYTES;

export function put({ words, bytes }, message) {
  if (message.length > MAX_BYTES) throw new RangeError(`${message.length} bytes; the limit is ${MAX_BYTES}`);
  bytes.set(message, FIRST_BYTE);
  words[LENGTH] = message.length;
}

/** Returns a copy. The other process can change the memory at any time, so never check one thing and use another. */
export function take({ words, bytes }) {
  const length = words[LENGTH];
  if (length < 0 || length > MAX_BYTES) throw new RangeError(`a message of ${length} bytes; the limit is ${MAX_BYTES}`);
  return Buffer.from(bytes.subarray(FIRST_BYTE, FIRST_BYTE + length));
}
