import { crc32 } from "node:zlib";
import { bindChecksum, HEADER_BYTES, Kind, writeHeader } from "../../../transports/contract/frame.ts";

/** Makes a message without meaning to a server: nobody replies to it, and no mutation of it is a command. */
function oneWayMessage(body: Buffer): Buffer {
  const message = Buffer.alloc(HEADER_BYTES + body.length);
  body.copy(message, HEADER_BYTES);
  writeHeader(message, 1, Kind.oneWay, 0, 0, body.length, bindChecksum(crc32(body), 1));
  return message;
}

function prefixed(message: Buffer, bigEndian: boolean): Buffer {
  const prefix = Buffer.alloc(4);
  if (bigEndian) prefix.writeUInt32BE(message.length);
  else prefix.writeUInt32LE(message.length);
  return Buffer.concat([prefix, message]);
}

const MESSAGE = oneWayMessage(Buffer.from("a body of a message"));
const JSON_TEXT = '{"jsonrpc":"2.0","id":1,"method":"echo","params":["aGVsbG8="]}';

/** Valid beginnings of the protocols here, so that a mutation goes deeper than the first byte. */
const EXAMPLES: readonly Buffer[] = [
  MESSAGE,
  prefixed(MESSAGE, false),
  prefixed(MESSAGE, true),
  Buffer.concat([prefixed(MESSAGE, false), prefixed(MESSAGE, false), prefixed(MESSAGE, false)]),
  Buffer.from(`Content-Length: ${JSON_TEXT.length}\r\n\r\n${JSON_TEXT}`),
  Buffer.from(`"${MESSAGE.toString("latin1")}"\n`, "latin1"),
  Buffer.from('{"id":"1","client":"c","sequence":1,"text":"aGVsbG8="}\n'),
  Buffer.concat([Buffer.from(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${MESSAGE.length}\r\n\r\n`), MESSAGE]),
  Buffer.from(
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  ),
  Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0)]),
  Buffer.concat([Buffer.of(0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0), Buffer.from("NULL".padEnd(52, "\0"))]),
  Buffer.concat([Buffer.of(0, 0, 0, 11), Buffer.from("#CHALLENGE#")]),
  Buffer.from("000000056869ff0f22026869", "hex"),
];
const LENGTHS = [0, 1, 0x7f, 0x80, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const MOST_RANDOM_BYTES = 4096;
const LARGE_BYTES = 200_000;

/** Returns the next frame of a raw client: random, or a changed example. It depends on the generator alone. */
export function randomFrame(random: () => number): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit);
  const kind = below(16);
  if (kind === 0) return randomBytes(below(MOST_RANDOM_BYTES), below);
  if (kind === 1) return Buffer.alloc(below(LARGE_BYTES), below(256));
  let frame = Buffer.from(EXAMPLES[below(EXAMPLES.length)] as Buffer);
  for (let changes = below(4); changes > 0; changes--) frame = changed(frame, below);
  return frame;
}

function randomBytes(length: number, below: (limit: number) => number): Buffer<ArrayBuffer> {
  return Buffer.from(Array.from({ length }, () => below(256)));
}

function changed(frame: Buffer<ArrayBuffer>, below: (limit: number) => number): Buffer<ArrayBuffer> {
  const at = below(frame.length + 1);
  switch (below(6)) {
    case 0:
      return frame.subarray(0, at);
    case 1:
      return frame.subarray(at);
    case 2:
      return Buffer.concat([frame.subarray(0, at), randomBytes(1 + below(32), below), frame.subarray(at)]);
    case 3:
      return Buffer.concat([frame, frame.subarray(at)]);
    case 4: {
      if (frame.length < 4) return frame;
      const length = LENGTHS[below(LENGTHS.length)] as number;
      const place = below(2) === 0 ? 0 : below(frame.length - 3);
      if (below(2) === 0) frame.writeUInt32LE(length, place);
      else frame.writeUInt32BE(length, place);
      return frame;
    }
    default: {
      const byte = Math.min(at, frame.length - 1);
      if (byte >= 0) frame[byte] = (frame[byte] as number) ^ (1 << below(8));
      return frame;
    }
  }
}
