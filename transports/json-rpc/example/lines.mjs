// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Framing for both ends: one JSON text a line, as MCP servers use it. JSON escapes line ends, so none is in a message.

export const MAX_BYTES = 1024 * 1024;

/** Returns false when the other end reads too slowly: wait for "drain" before the next message. */
export function write(stream, message) {
  const line = Buffer.from(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  if (line.length > MAX_BYTES) throw new RangeError(`${line.length} bytes; the limit is ${MAX_BYTES}`);
  return stream.write(line);
}

/** Yields lines as text. Unlike `node:readline`, it has a limit. */
export async function* readLines(stream) {
  let rest = Buffer.alloc(0);
  for await (const part of stream) {
    rest = Buffer.concat([rest, part]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.toString("utf8", 0, end);
      rest = rest.subarray(end + 1);
    }
    if (rest.length > MAX_BYTES) throw new RangeError(`a line of more than ${MAX_BYTES} bytes`);
  }
}
