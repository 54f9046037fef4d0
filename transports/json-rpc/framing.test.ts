import { describe, expect, test } from "vitest";
import { type Framing, HEADERS, LINES } from "./framing.ts";

const LIMIT = 1000;
const TEXTS = ["{}", '{"a":"1\\n2"}', `{"long":"${"ä".repeat(300)}"}`];

function cut(framing: Framing, chunks: readonly Buffer[]): string[] {
  const cutter = framing.cutter(LIMIT);
  const texts: string[] = [];
  for (const chunk of chunks) cutter.push(chunk, (text) => texts.push(text.toString()));
  expect(cutter.end()).toBe(true);
  return texts;
}

const oneByOne = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.of(byte));

describe.each([
  { name: "lines", framing: LINES },
  { name: "headers", framing: HEADERS },
])("$name", ({ framing }) => {
  const stream = Buffer.from(TEXTS.map((text) => framing.wrap(text)).join(""));

  test("cuts a stream into the same texts, whole or byte by byte", () => {
    expect(cut(framing, [stream])).toEqual(TEXTS);
    expect(cut(framing, oneByOne(stream))).toEqual(TEXTS);
  });

  test("shows a log line before, between and behind messages", () => {
    const message = Buffer.from(framing.wrap("{}"));
    for (const before of [0, 1, 2]) {
      const cutter = framing.cutter(LIMIT);
      for (let at = 0; at < before; at++) cutter.push(message, () => {});
      const log = Buffer.from("[info] server is ready\n{}");
      expect(() => cutter.push(log, () => {})).toThrow('the line "[info] server is ready", which is no message');
    }
  });

  test("says that a stream ended inside a message", () => {
    const cutter = framing.cutter(LIMIT);
    cutter.push(stream.subarray(0, -3), () => {});
    expect(cutter.end()).toBe(false);
  });

  test("refuses a text above the limit before all of it is there, and bytes that are no text", () => {
    const large = Buffer.from(framing.wrap(`{"x":"${"y".repeat(2 * LIMIT)}"}`)).subarray(0, -10);
    expect(() => framing.cutter(LIMIT).push(large, () => {})).toThrow(`${LIMIT}`);
    expect(() => framing.cutter(LIMIT).push(Buffer.from("\0\x01\n"), () => {})).toThrow("bytes that are no message");
  });
});

test("a line may end with a carriage return, and headers may have any case and a content type", () => {
  const lines = LINES.cutter(LIMIT);
  const texts: unknown[] = [];
  lines.push(Buffer.from("{}\r\n"), (text) => texts.push(JSON.parse(text.toString())));
  const header = "content-type: application/json\r\nCONTENT-LENGTH:  2\r\n\r\n{}";
  HEADERS.cutter(LIMIT).push(Buffer.from(header), (text) => texts.push(JSON.parse(text.toString())));
  expect(texts).toEqual([{}, {}]);
});

test("headers without a length, and a header without an end, are refused", () => {
  for (const text of ["Content-Type: x\r\n\r\n{}", `Content-${"x".repeat(5000)}`]) {
    expect(() => HEADERS.cutter(LIMIT).push(Buffer.from(text), () => {})).toThrow("a header without a length");
  }
});

test("a log without a line feed is shown at the end of the stream", () => {
  const cutter = LINES.cutter(LIMIT);
  cutter.push(Buffer.from("out of memory"), () => {});
  expect(() => cutter.end()).toThrow('"out of memory"');
});
