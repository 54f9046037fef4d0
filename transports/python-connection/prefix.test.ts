import fc from "fast-check";
import { expect, test } from "vitest";
import { LengthPrefixDecoder, writeFrame } from "../support/length-prefix.ts";
import { PYTHON_PREFIX } from "./prefix.ts";

/** Packs as Python's struct module does, by other means than the code under test. */
function packed(length: number): Buffer {
  if (length > 0x7fff_ffff) {
    const header = Buffer.alloc(12, 0xff);
    header.writeBigUInt64BE(BigInt(length), 4);
    return header;
  }
  const header = Buffer.alloc(4);
  header.writeInt32BE(length);
  return header;
}

const lengths = fc.oneof(
  fc.maxSafeNat(),
  fc.integer({ min: 0, max: 100_000 }),
  fc.integer({ min: 0x7fff_fff0, max: 0x8000_0010 }),
);

test("every length up to 2^53 is written as Python's struct does and read back", () => {
  fc.assert(
    fc.property(lengths, fc.nat({ max: 5 }), (length, at) => {
      const expected = packed(length);
      const header = new Uint8Array(PYTHON_PREFIX.bytesFor(length));
      PYTHON_PREFIX.write(header, length);
      expect(Buffer.from(header)).toEqual(expected);
      const shifted = Buffer.concat([Buffer.alloc(at), expected]);
      expect(PYTHON_PREFIX.bytesAt(shifted, at)).toBe(expected.length);
      expect(PYTHON_PREFIX.lengthAt(shifted, at)).toBe(length);
    }),
  );
});

test("messages come out as they went in, however the stream is cut", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, cuts) => {
      const stream = Buffer.concat(
        sent.map((message) => {
          const frame = Buffer.alloc(PYTHON_PREFIX.bytesFor(message.length) + message.length);
          writeFrame(frame, message, PYTHON_PREFIX);
          return frame;
        }),
      );
      const received: Uint8Array[] = [];
      const deliver = (message: Uint8Array): boolean => {
        received.push(message.slice());
        return true;
      };
      const decoder = new LengthPrefixDecoder(1000, deliver, PYTHON_PREFIX);
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const end = Math.min(stream.length, at + (cuts[turn % cuts.length] ?? 1));
        expect(decoder.push(stream.subarray(at, end), 0, end - at)).toBe(end - at);
        at = end;
      }
      expect(received).toEqual(sent.map((message) => Uint8Array.from(message)));
      expect(decoder.midFrame).toBe(false);
    }),
  );
});

test("a long header with a small length is a message, as Python reads it", () => {
  const received: string[] = [];
  const deliver = (message: Uint8Array): boolean => received.push(Buffer.from(message).toString()) > 0;
  const decoder = new LengthPrefixDecoder(1000, deliver, PYTHON_PREFIX);
  const frame = Buffer.concat([Buffer.alloc(4, 0xff), Buffer.from([0, 0, 0, 0, 0, 0, 0, 2]), Buffer.from("ok")]);
  for (const byte of frame) expect(decoder.push(Uint8Array.of(byte), 0, 1)).toBe(1);
  expect(received).toEqual(["ok"]);
});

test("negative lengths and those above the limit are refused from the header alone", () => {
  const refusedLengths = fc.oneof(
    fc.integer({ min: -0x8000_0000, max: -2 }),
    fc.integer({ min: 1001, max: Number.MAX_SAFE_INTEGER }),
  );
  fc.assert(
    fc.property(refusedLengths, fc.boolean(), (length, bytewise) => {
      const decoder = new LengthPrefixDecoder(1000, () => true, PYTHON_PREFIX);
      const header = packed(length);
      let answer = 0;
      if (!bytewise) answer = decoder.push(header, 0, header.length);
      else for (const byte of header) answer = decoder.push(Uint8Array.of(byte), 0, 1);
      expect(answer).toBe(-1);
      expect(decoder.refusedBytes).toBe(length);
    }),
  );
});
