import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isIpcError } from "../contract/errors.ts";
import { HEAD_WORDS, isCapacity, largestMessage, RingReader, type RingRegion, RingWriter } from "./ring.ts";

const CONTROL_WORD = 16;
const DATA_OFFSET = 512;

function region(capacity: number, position = 0): RingRegion {
  const buffer = new ArrayBuffer(DATA_OFFSET + capacity + 64);
  const bytes = new Uint8Array(buffer);
  const words = new Int32Array(buffer);
  words[CONTROL_WORD] = position;
  words[CONTROL_WORD + HEAD_WORDS] = position;
  return { bytes, words, controlWord: CONTROL_WORD, dataOffset: DATA_OFFSET, capacity };
}

const messageOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => seed * 31 + i * 7);

/** Runs writes (a length) and reads (-1) against an array; throws where ring and array disagree. */
function runAgainstModel(memory: RingRegion, operations: readonly number[]): void {
  const writer = new RingWriter(memory);
  const reader = new RingReader(memory);
  const model: Uint8Array[] = [];
  const into = new Uint8Array(memory.capacity);
  let seed = 0;
  for (const operation of operations) {
    if (operation >= 0) {
      const message = messageOf(operation, ++seed);
      if (writer.tryWrite(message)) model.push(message);
      else if (model.length === 0) {
        // The consumer gives room back when it finds the ring empty: then anything fits.
        if (reader.tryRead(into) !== -1) throw new Error("a message nobody wrote");
        if (!writer.tryWrite(message)) throw new Error(`no room for ${operation} in an empty ring`);
        model.push(message);
      }
      continue;
    }
    const expected = model.shift();
    if (reader.isReady() !== (expected !== undefined)) throw new Error("isReady is wrong");
    const length = reader.tryRead(into);
    if (length !== (expected?.length ?? -1)) throw new Error(`read ${length}, the model has ${expected?.length}`);
    if (expected && Buffer.compare(into.subarray(0, length), expected) !== 0) throw new Error("wrong bytes");
  }
  while (model.length > 0) {
    const expected = model.shift() as Uint8Array;
    if (reader.tryRead(into) !== expected.length) throw new Error("a message is missing at the end");
  }
  expect(reader.tryRead(into)).toBe(-1);
  // A consumer that found the ring empty has given all room back: the largest message fits, wherever the positions are.
  expect(writer.tryWrite(messageOf(largestMessage(memory.capacity), 3))).toBe(true);
  expect(memory.bytes.subarray(DATA_OFFSET + memory.capacity).every((byte) => byte === 0)).toBe(true);
}

describe("the ring", () => {
  it("agrees with an array over every sequence of six operations, from positions before and after 2^32", () => {
    const choices = [-1, 0, 1, 9, 24];
    let sequences = 0;
    for (let code = 0; code < choices.length ** 6; code++) {
      const operations: number[] = [];
      for (let rest = code, i = 0; i < 6; i++, rest = Math.floor(rest / choices.length)) {
        operations.push(choices[rest % choices.length] as number);
      }
      for (const position of [0, 56, -16]) {
        if (position !== 0 && code % 5 !== 1) continue;
        runAgainstModel(region(64, position), operations);
        sequences++;
      }
    }
    expect(sequences).toBeGreaterThan(15_625);
  });

  it("agrees with an array for random sizes, capacities and starting positions", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 6, max: 12 }).chain((power) =>
          fc.record({
            capacity: fc.constant(2 ** power),
            position: fc.integer().map((n) => n & ~7),
            operations: fc.array(fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: largestMessage(2 ** power) })), {
              maxLength: 200,
            }),
          }),
        ),
        ({ capacity, position, operations }) => runAgainstModel(region(capacity, position), operations),
      ),
      { numRuns: 300 },
    );
  });

  it("copies right from and to buffers at any alignment, reused or not", () => {
    const memory = region(4096);
    const writer = new RingWriter(memory);
    const reader = new RingReader(memory);
    for (const offset of [0, 1, 2, 3, 4]) {
      const source = new Uint8Array(600).subarray(offset);
      const into = new Uint8Array(600).subarray(offset);
      for (let round = 0; round < 4; round++) {
        for (let i = 0; i < source.length; i++) source[i] = i * 7 + round + offset;
        for (const length of [0, 1, 3, 4, 80, 255, 256, 257, 500]) {
          expect(writer.tryWrite(source.subarray(0, length))).toBe(true);
          expect(reader.tryRead(into)).toBe(length);
          expect(Buffer.compare(into.subarray(0, length), source.subarray(0, length))).toBe(0);
        }
        expect(writer.tryWrite(source)).toBe(true);
        expect(reader.tryRead(into)).toBe(source.length);
        expect(Buffer.compare(into.subarray(0, source.length), source)).toBe(0);
      }
    }
  });

  it("a hostile producer that writes anything anywhere yields IPC_MALFORMED or a message, never anything else", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(27), fc.oneof(fc.integer(), fc.integer({ min: -2, max: 80 }))), { maxLength: 12 }),
        fc.array(fc.nat(24), { maxLength: 4 }),
        (scribbles, lengths) => {
          const memory = region(64);
          const writer = new RingWriter(memory);
          const reader = new RingReader(memory);
          for (const length of lengths) writer.tryWrite(new Uint8Array(length));
          // Words 0 to 15 of the data, and the producer's position in front.
          for (const [at, value] of scribbles) {
            memory.words[at < 16 ? DATA_OFFSET / 4 + at : CONTROL_WORD] = at < 16 ? value : value * (at & 1 ? 8 : 1);
          }
          const into = new Uint8Array(64);
          try {
            for (let i = 0; i < 10; i++) {
              const length = reader.tryRead(into);
              if (length > largestMessage(64)) throw new Error(`a message of ${length} bytes`);
            }
          } catch (error) {
            if (!isIpcError(error) || error.code !== "IPC_MALFORMED") throw error;
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("a consumer position that goes back or ahead is refused by the producer", () => {
    for (const position of [-8, 4, 80, 0x7fff_fff8]) {
      const memory = region(64);
      const writer = new RingWriter(memory);
      writer.tryWrite(new Uint8Array(24));
      writer.tryWrite(new Uint8Array(24));
      memory.words[CONTROL_WORD + HEAD_WORDS] = position;
      expect(() => writer.tryWrite(new Uint8Array(24))).toThrow(expect.objectContaining({ code: "IPC_MALFORMED" }));
    }
  });

  it("a stale frame of an earlier round is recognised by its sequence number", () => {
    const memory = region(64);
    const writer = new RingWriter(memory);
    const reader = new RingReader(memory);
    const into = new Uint8Array(64);
    for (let i = 0; i < 4; i++) {
      writer.tryWrite(new Uint8Array(8));
      expect(reader.tryRead(into)).toBe(8);
    }
    // The producer announces a frame it never wrote: the bytes there are the frame of a round ago.
    memory.words[CONTROL_WORD] = (memory.words[CONTROL_WORD] as number) + 16;
    expect(() => reader.tryRead(into)).toThrow(/sequence number 0 instead of 4/);
  });

  it("a buffer that is too small loses that one message with an error", () => {
    const memory = region(256);
    const writer = new RingWriter(memory);
    const reader = new RingReader(memory);
    writer.tryWrite(new Uint8Array(40));
    writer.tryWrite(Uint8Array.of(5));
    expect(() => reader.tryRead(new Uint8Array(8))).toThrow(expect.objectContaining({ code: "IPC_TOO_LARGE" }));
    expect(reader.tryRead(new Uint8Array(8))).toBe(1);
  });

  it("takes powers of two only", () => {
    expect([64, 4096, 2 ** 30].every(isCapacity)).toBe(true);
    expect([0, 32, 65, -64, 2 ** 31, 1.5, Number.NaN].some(isCapacity)).toBe(false);
  });
});
