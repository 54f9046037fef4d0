import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { membersOf } from "./json-text.ts";
import { describeRecorded, groupsOf, type RecordedFile, readRecorded, recordedAt, repliesOf } from "./recorded.ts";

const folder = mkdtempSync(join(tmpdir(), "ipcmark-recorded-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const fileOf = (content: string | Uint8Array): string => {
  const path = join(folder, `calls-${files++}.ndjson`);
  writeFileSync(path, content);
  return path;
};
const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString();

describe("a file of recorded messages", () => {
  it("is read byte for byte, whatever a parser would change", () => {
    const lines = ['{"method":"a","n":1.0, "big":12345678901234567890}', '"plain\\u0041 ü"', " [1, 2] ", "-0"];
    const path = fileOf(`${lines[0]}\r\n${lines[1]}\n\n${lines[2]}\n${lines[3]}`);
    const { messages, sha256 } = readRecorded(path);
    expect(messages.map(({ request }) => textOf(request))).toEqual(lines);
    expect(messages.map(({ response }) => response)).toEqual([undefined, undefined, undefined, undefined]);
    const whole = `${lines[0]}\r\n${lines[1]}\n\n${lines[2]}\n${lines[3]}`;
    expect(sha256).toBe(createHash("sha256").update(whole).digest("hex"));
  });

  it("has pairs, of which each part keeps its bytes; any other object is a message", () => {
    const pair = '{ "response" : {"a":[1,{"b":"}\\""}], "c":1e3} ,"request":{"n":1.50}}';
    const path = fileOf(`${pair}\n{"request":1,"response":2,"id":3}\n{"request":1}\n`);
    const file = readRecorded(path);
    expect(file.messages.map(({ request, response }) => [textOf(request), textOf(response)])).toEqual([
      ['{"n":1.50}', '{"a":[1,{"b":"}\\""}], "c":1e3}'],
      ['{"request":1,"response":2,"id":3}', undefined],
      ['{"request":1}', undefined],
    ]);
    // A message without a response is acknowledged where others have one.
    expect(repliesOf(file).map(textOf)).toEqual(['{"a":[1,{"b":"}\\""}], "c":1e3}', "", ""]);
    expect(describeRecorded(file, path)).toMatchObject({ count: 3, hasResponses: true, largestBytes: 33 });
  });

  it("echoes where no message has a response", () => {
    const file = readRecorded(fileOf("1\n22\n"));
    expect(repliesOf(file)).toEqual(file.messages.map(({ request }) => request));
  });

  it.for([
    ["a broken line", "1\n\n{oops\n", /^calls-\d+\.ndjson, line 3 is not one JSON value \(.+\); correct it/],
    ["two values in a line", "1 2\n", /line 1 is not one JSON value/],
    ["other bytes", Uint8Array.of(0x22, 0xff, 0x22), /line 1 is not UTF-8; put each message in a file of its own/],
    ["nothing", "", /^calls-\d+\.ndjson has no message; record some with ipcmark record/],
    ["blank lines", "\n\r\n", /has no message/],
    ["too many messages", "1\n".repeat(65_537), /has 65537 messages, and at most 65536 can be replayed; shorten it/],
  ] as const)("is refused with %s", ([, content, words]) => {
    expect(() => readRecorded(fileOf(content))).toThrow(words);
  });

  it.skipIf(process.platform === "win32")("is refused where it is a device, which may never end", () => {
    expect(() => readRecorded("/dev/zero")).toThrow(/^zero is no file and no directory; name a file of JSON lines/);
  });

  it("is refused where it does not exist", () => {
    expect(() => readRecorded(join(folder, "none"))).toThrow(/--messages ".*none" does not exist; name a file/);
  });
});

it("reads a directory as one message a file, by name, and bytes of any kind", () => {
  const directory = join(folder, "blobs");
  mkdirSync(join(directory, "below"), { recursive: true });
  writeFileSync(join(directory, "b"), Uint8Array.of(0xff, 0, 1));
  writeFileSync(join(directory, "a"), "{");
  writeFileSync(join(directory, ".hidden"), "x");
  const { messages, isJson, sha256 } = readRecorded(directory);
  expect(messages.map(({ request }) => [...request])).toEqual([[0x7b], [0xff, 0, 1]]);
  expect(isJson).toBe(false);
  writeFileSync(join(directory, "a"), "[");
  expect(readRecorded(directory).sha256).not.toBe(sha256);
});

it("finds the members of an object in its bytes", () => {
  const text = Buffer.from('{"a" : "x,}\\\\" , "\\u0062":{"c":["]"]},"d":[],"e":-1.5e3 ,"f":null}');
  expect([...membersOf(text)].map(([name, value]) => [name, textOf(value)])).toEqual([
    ["a", '"x,}\\\\"'],
    ["b", '{"c":["]"]}'],
    ["d", "[]"],
    ["e", "-1.5e3"],
    ["f", "null"],
  ]);
  expect([...membersOf(Buffer.from(" { } "))]).toEqual([]);
});

it("groups by a field, also a nested one, the most frequent first, and the rest in one", () => {
  const of = (values: readonly unknown[]): RecordedFile => ({
    messages: values.map((value) => ({ request: Buffer.from(JSON.stringify(value)), response: undefined })),
    sha256: "",
    isJson: true,
  });
  const calls = of([{ m: "b" }, { m: "a" }, { m: "a" }, {}, 7, { m: { n: 1 } }]);
  expect(groupsOf(calls, "m")).toEqual({ names: ["a", "(none)", "b", '{"n":1}'], of: Uint8Array.of(2, 0, 0, 1, 1, 3) });
  expect(groupsOf(calls, "m.n").names).toEqual(["(none)", "1"]);
  const many = groupsOf(of(Array.from({ length: 40 }, (_, index) => ({ m: String(index) }))), "m");
  expect([many.names.length, many.names.at(-1), many.of[39]]).toEqual([17, "(others)", 16]);
});

it("replays whole passes in order, and spreads a shorter window over the file", () => {
  const taken = (total: number): number[] => Array.from({ length: total }, (_, at) => recordedAt(at, total, 10));
  expect(taken(20)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(taken(5)).toEqual([0, 2, 4, 6, 8]);
});
