import { describe, expect, it } from "vitest";
import { MessageReader } from "./message-reader.ts";
import { Recording } from "./recording.ts";
import { redacted } from "./redact.ts";

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const framed = (body: string): string => `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** Feeds a text in chunks of these sizes, in turn; returns messages and the number of other parts. */
function read(text: string | Uint8Array, sizes: readonly number[]): { messages: string[]; others: number } {
  const bytes = Buffer.from(text);
  const messages: string[] = [];
  let others = 0;
  const reader = new MessageReader({
    onMessage: (message) => messages.push(textOf(message.length > 1e6 ? message.subarray(0, 9) : message)),
    onOther: () => others++,
  });
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] as number;
    reader.push(bytes.subarray(at, at + size));
    at += size;
  }
  reader.end();
  return { messages, others };
}

describe("finding messages", () => {
  const large = JSON.stringify({ text: "é".repeat(100_000) });
  const cases: readonly (readonly [string, string, readonly string[], number])[] = [
    ["one a line", '{"a":1}\n{"b":"ü"}\r\n\n[2]', ['{"a":1}', '{"b":"ü"}\r', "[2]"], 0],
    ["headers", framed('{"a":1}') + framed('{\n"b": "é"}'), ['{"a":1}', '{\n"b": "é"}'], 0],
    ["two headers in another case", `content-type: x\r\nCONTENT-LENGTH:  2\r\n\r\n{}${framed("[]")}`, ["{}", "[]"], 0],
    ["a log line between headers", `${framed("{}")}listening\n${framed("[]")}`, ["{}", "listening", "[]"], 0],
    ["headers without a length", `Content-Type: x\r\n\r\n{}\n`, ["{}"], 1],
    ["large ones", `${framed(large)}${large}\n{}`, [large, large, "{}"], 0],
    ["a body that ends early", "Content-Length: 10\r\n\r\n{}", [], 1],
  ];
  it.for(cases)("works with %s, whatever the chunks", ([, text, messages, others]) => {
    const isLong = text.length > 1000;
    for (const sizes of isLong ? [[65_536], [7919, 1, 30_000]] : [[1], [2, 3], [1000], [5, 1, 1, 9]]) {
      expect(read(text, sizes)).toEqual({ messages, others });
    }
  });

  it("leaves out a message that is too long, and goes on behind it", () => {
    const limit = 64 * 1024 ** 2;
    const long = Buffer.alloc(limit + 2 * 1024 ** 2, "x");
    expect(read(Buffer.concat([long, Buffer.from("\n{}\n")]), [1024 ** 2])).toEqual({ messages: ["{}"], others: 1 });
    const head = Buffer.from(`Content-Length: ${long.length}\r\n\r\n`);
    const after = Buffer.concat([head, long, Buffer.from(framed("[]"))]);
    expect(read(after, [1024 ** 2])).toEqual({ messages: ["[]"], others: 1 });
  });
});

describe("a recording", () => {
  function recorded(redacts = false) {
    const lines: string[] = [];
    return { lines, recording: new Recording((line) => lines.push(textOf(line)), redacts) };
  }
  const push = (reader: MessageReader, ...messages: readonly string[]): void => {
    for (const message of messages) reader.push(Buffer.from(`${message}\n`));
  };

  it("has the client's messages in their order, each with its reply by id, byte for byte", () => {
    const { lines, recording } = recorded();
    push(recording.toServer, '{"id":1,"method":"a","n":1.0}', '{"id":"1","method":"b"}', '{"method":"note"}');
    push(recording.fromServer, '{"id":"1", "result":2.0}');
    expect(lines).toEqual([]);
    push(recording.fromServer, '{"method":"progress"}', "listening", '{"id":1,"error":{}}', '{"id":7,"method":"ask"}');
    push(recording.toServer, '{"id":7,"result":0}', '{"id":2,"method":"late"}');
    recording.end();
    expect(lines).toEqual([
      '{"request":{"id":1,"method":"a","n":1.0},"response":{"id":1,"error":{}}}\n',
      '{"request":{"id":"1","method":"b"},"response":{"id":"1", "result":2.0}}\n',
      '{"method":"note"}\n',
      '{"id":2,"method":"late"}\n',
    ]);
    expect(recording.counts).toEqual({ answered: 2, unanswered: 1, alone: 1, ofServer: 3, unreadable: 1 });
  });

  it("keeps a body of several lines in one, of the same size", () => {
    const { lines, recording } = recorded();
    const body = '{\r\n "method": "a",\n "id": 1 }';
    recording.toServer.push(Buffer.from(framed(body)));
    recording.fromServer.push(Buffer.from(framed('{"id":1,\n"result":"\\n"}')));
    expect(lines).toEqual([`{"request":${body.replace(/[\r\n]/g, " ")},"response":{"id":1, "result":"\\n"}}\n`]);
  });

  it("leaves out what is no UTF-8 or no object, and counts it", () => {
    const { lines, recording } = recorded();
    recording.toServer.push(Uint8Array.of(0x22, 0xff, 0x22, 0x0a));
    push(recording.toServer, "7", "{", '[{"id":1,"method":"batch"}]');
    recording.end();
    expect([lines, recording.counts.unreadable, recording.counts.alone]).toEqual([
      ['[{"id":1,"method":"batch"}]\n'],
      3,
      1,
    ]);
  });

  it("redacts contents, ids and names, and keeps sizes and the method", () => {
    const { lines, recording } = recorded(true);
    const request =
      '{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"token":"s3cret\\n","k":[1.5,-20],"":"ü"}}';
    push(recording.toServer, request);
    push(recording.fromServer, '{"id":42,"result":{"/home/me":true}}');
    const [line = ""] = lines;
    expect(line).toBe(
      '{"request":{"jsonrpc":"2.0","id":11,"method":"tools/call","params":' +
        '{"a____":"xxxxxxxx","b":[1.1,-11],"":"xx"}},' +
        '"response":{"id":11,"result":{"a_______":true}}}\n',
    );
    expect(Buffer.byteLength(line)).toBe(
      Buffer.byteLength(`{"request":${request},"response":{"id":42,"result":{"/home/me":true}}}\n`),
    );
  });
});

it("redacts to valid JSON whose names stay different", () => {
  const names = Array.from({ length: 100 }, (_, index) => `name-${index}`);
  const text = JSON.stringify({ params: Object.fromEntries(names.map((name) => [name, 1e21])) });
  const value = JSON.parse(textOf(redacted(Buffer.from(text)))) as { params: object };
  expect(Object.keys(value.params)).toHaveLength(100);
});
