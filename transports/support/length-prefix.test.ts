import fc from "fast-check";
import { expect, test } from "vitest";
import { LengthPrefixDecoder, PREFIX_BYTES, writeFrame } from "./length-prefix.ts";

const LIMIT_BYTES = 64 * 1024;

function encode(messages: readonly Uint8Array[]): Uint8Array {
  const stream = new Uint8Array(messages.reduce((sum, message) => sum + PREFIX_BYTES + message.length, 0));
  let at = 0;
  for (const message of messages) {
    writeFrame(stream.subarray(at), message);
    at += PREFIX_BYTES + message.length;
  }
  return stream;
}

/** Feeds the stream in the given pieces through one reused buffer, as a socket with `onread` does. */
function decode(stream: Uint8Array, pieces: readonly number[], stops: (index: number) => boolean): Uint8Array[] {
  const seen: Uint8Array[] = [];
  let stopped = false;
  const decoder = new LengthPrefixDecoder(LIMIT_BYTES, (message) => {
    expect(stopped).toBe(false);
    seen.push(message.slice());
    stopped = stops(seen.length);
    return !stopped;
  });
  const chunk = new Uint8Array(stream.length);
  let from = 0;
  for (const piece of [...pieces, stream.length]) {
    const bytes = Math.min(piece, stream.length - from);
    chunk.set(stream.subarray(from, from + bytes));
    for (let at = 0; at < bytes || stopped; ) {
      stopped = false;
      at = decoder.push(chunk, at, bytes);
      expect(at).toBeGreaterThanOrEqual(0);
    }
    chunk.fill(0xee);
    from += bytes;
  }
  expect(decoder.midFrame).toBe(false);
  return seen;
}

test("three messages come out whole wherever the stream is split in two", () => {
  const messages = [Uint8Array.of(1, 2, 3, 4, 5), new Uint8Array(0), Uint8Array.of(9)];
  const stream = encode(messages);
  for (let split = 0; split <= stream.length; split += 1) {
    expect(decode(stream, [split], () => false)).toEqual(messages);
  }
});

test("any messages come out of any pieces, also when the receiver stops behind any of them", () => {
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.nat(LIMIT_BYTES).map((bytes) => new Uint8Array(bytes).fill(bytes)),
  );
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 12 }),
      fc.array(fc.oneof(fc.nat(9), fc.nat(20_000)), { maxLength: 200 }),
      fc.array(fc.boolean(), { maxLength: 12 }),
      (messages, pieces, stops) => {
        const seen = decode(encode(messages), pieces, (index) => stops[index % stops.length] ?? false);
        // Compared natively: element by element would take minutes.
        expect(seen.length).toBe(messages.length);
        expect(seen.every((message, index) => Buffer.compare(message, messages[index] ?? message) === 0)).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
});

test("random bytes are either messages within the limit or refused, never an exception", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(50), (bytes, piece) => {
      const decoder = new LengthPrefixDecoder(100, (message) => {
        expect(message.length).toBeLessThanOrEqual(100);
        return true;
      });
      for (let from = 0; from < bytes.length; from += piece + 1) {
        if (decoder.push(bytes, from, Math.min(bytes.length, from + piece + 1)) >= 0) continue;
        expect(decoder.refusedBytes).toBeGreaterThan(100);
        return;
      }
    }),
  );
});

test("the limit itself is accepted and one byte more is refused, also when the prefix comes byte by byte", () => {
  for (const pieces of [[], [1, 1, 1, 1]]) {
    expect(decode(encode([new Uint8Array(LIMIT_BYTES)]), pieces, () => false)[0]?.length).toBe(LIMIT_BYTES);
  }
  const decoder = new LengthPrefixDecoder(LIMIT_BYTES, () => true);
  const prefix = encode([new Uint8Array(LIMIT_BYTES + 1)]).subarray(0, PREFIX_BYTES);
  const answers = [0, 1, 2, 3].map((at) => decoder.push(prefix, at, at + 1));
  expect(answers).toEqual([1, 2, 3, -1]);
  expect(decoder.refusedBytes).toBe(LIMIT_BYTES + 1);
});

test("a message that lies whole in a chunk is a view of it, not a copy", () => {
  const stream = encode([Uint8Array.of(7, 7, 7)]);
  const buffers: ArrayBufferLike[] = [];
  const decoder = new LengthPrefixDecoder(LIMIT_BYTES, (message) => {
    buffers.push(message.buffer);
    return true;
  });
  decoder.push(stream, 0, stream.length);
  expect(buffers).toEqual([stream.buffer]);
});

test("a large length costs memory only as its bytes arrive", () => {
  const announced = 60 * 1024 * 1024;
  const decoder = new LengthPrefixDecoder(64 * 1024 * 1024, () => true);
  const start = new Uint8Array(PREFIX_BYTES + 1000);
  new DataView(start.buffer).setUint32(0, announced, true);
  const before = process.memoryUsage().arrayBuffers;
  decoder.push(start, 0, start.length);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * 1024 * 1024);
  expect(decoder.midFrame).toBe(true);
});
