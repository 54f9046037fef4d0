import { execFile } from "node:child_process";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import type { LaunchedPeer } from "../contract/transport.ts";
import { Collector, pattern, roundTrip, within } from "../testing/harness.ts";
import { type Framing, HEADERS, LINES } from "./framing.ts";
import { serve } from "./session.ts";
import { jsonRpcHeaders, jsonRpcLines } from "./stdio.ts";

const PEER = fileURLToPath(new URL("../testing/launched-echo.ts", import.meta.url));
const MODULE = new URL("./stdio.ts", import.meta.url).href;

const launched: LaunchedPeer[] = [];
afterEach(async () => {
  for (const peer of launched.splice(0)) {
    peer.control.destroy();
    await within("the end of the peer", peer.exited);
  }
});

describe.each([
  { transport: jsonRpcLines, exportName: "jsonRpcLines", framing: LINES },
  { transport: jsonRpcHeaders, exportName: "jsonRpcHeaders", framing: HEADERS },
])("$transport.id", ({ transport, exportName, framing }) => {
  async function launch(...command: string[]) {
    const collector = new Collector();
    const [program = "", ...args] = command;
    const peer = (await transport.event?.launch?.([program, ...args], collector)) as LaunchedPeer;
    launched.push(peer);
    return { peer, collector, connection: peer.connection };
  }
  const shell = (script: string) => launch("/bin/sh", "-c", script);

  test("messages with every byte, line feeds included, come back; the peer ends with the parent", async () => {
    const { connection, collector, peer } = await launch(process.execPath, PEER, fileURLToPath(MODULE), exportName);
    for (const message of [Buffer.from("one\ntwo\r\n\r\nthree\n"), pattern(300_000)]) {
      expect((await roundTrip(connection, collector, message)).equals(message)).toBe(true);
    }
    const before = collector.messages.length;
    for (let at = 0; at < 50; at++) expect(connection.send(pattern(200, at))).toBe(true);
    await connection.close();
    expect(collector.messages.length).toBe(before);
    expect(await within("the exit of the peer", peer.exited)).toEqual({ code: 0, signal: null });
    expect([await collector.closed, collector.closes]).toEqual([undefined, 1]);
  });

  test("a server that dies with a request under way is IPC_PEER_LOST", async () => {
    const { connection, collector } = await shell("head -c 20 >/dev/null; exit 3");
    connection.send(pattern(64));
    expect(await collector.closed).toMatchObject({ code: "IPC_PEER_LOST" });
    expect(() => connection.send(pattern(1))).toThrow(expect.objectContaining({ code: "IPC_CLOSED" }));
  });

  test("a reply cut short by the end of the server is IPC_PEER_LOST and says so", async () => {
    const reply = framing.wrap('{"jsonrpc":"2.0","id":0,"result":"x"}').slice(0, -3);
    const { collector } = await shell(`printf '%s' '${reply}'`);
    expect(await collector.closed).toMatchObject({ message: expect.stringContaining("in the middle of a message") });
  });

  test.each([
    ["a text", "tool server: ready"],
    ["JSON of a logger", '{"level":30,"msg":"tool server: ready"}'],
  ])("%s on standard output after a reply is named", async (_, line) => {
    const reply = framing.wrap('{"jsonrpc":"2.0","id":0,"result":"x"}');
    const script = `head -c 20 >/dev/null; printf '%s' '${reply}'; echo '${line}'; cat >/dev/null`;
    const { connection, collector } = await shell(script);
    connection.send(pattern(1));
    const error = await collector.closed;
    expect(collector.messages.map(String)).toEqual(["x"]);
    expect(error?.code).toBe("IPC_MALFORMED");
    expect(error?.message).toMatch(
      /standard output of the server carried the line ".*tool server: ready.*log to standard error/,
    );
  });

  test("a server that prints a line and leaves is named although the request fails first", async () => {
    const { connection, collector } = await shell("echo 'no such option'; exit 2");
    while (collector.closes === 0) {
      if (!connection.send(Buffer.alloc(100_000))) await collector.closed;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await collector.closed).toMatchObject({ message: expect.stringContaining('"no such option"') });
  });

  test("a server that fills its standard error does not wait for its parent", async () => {
    const reply = framing.wrap('{"jsonrpc":"2.0","id":0,"result":"x"}');
    // In a process of its own, since a child has the standard error of its parent.
    const program = `
      const module = await import(${JSON.stringify(MODULE)});
      const script = "head -c 20 >/dev/null; head -c 300000 /dev/zero >&2; printf '%s' '" + process.argv[1] + "'";
      const peer = await module.${exportName}.event.launch(["/bin/sh", "-c", script], {
        onOpen() {}, onWritable() {}, onClose() {}, onMessage: (message) => console.log(String(message)),
      });
      peer.connection.send(Buffer.of(1));
      peer.control.resume();`;
    const args = ["--input-type=module", "-e", program, reply];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 10_000 });
    expect([stdout, stderr.length]).toEqual(["x\n", 300_000]);
  });

  test.each(["$/cancelRequest", "notifications/cancelled"])(
    "%s ends the request it names, not another",
    async (method) => {
      const { send, atServer, replies } = serveHere(framing);
      for (const id of [7, 8]) send({ id, method: "message", params: ["x"] });
      send({ method, params: { id: 7, requestId: 7 } });
      await replies.until("a reply", () => replies.texts.length > 0);
      atServer.connections[1]?.send(Buffer.from("late"));
      await replies.until("the other reply", () => replies.texts.length > 1);
      const [cancelled, answered] = replies.texts.map((text) => JSON.parse(text));
      expect(cancelled).toMatchObject({ id: 7, error: { code: -32800 } });
      expect(answered).toMatchObject({ id: 8, result: "late" });
      expect(() => atServer.connections[0]?.send(Buffer.from("late"))).toThrow(/the call has ended/);
    },
  );
});

test("a request for no method, without a text, or with an id under way gets the error of the standard", async () => {
  const { send, replies } = serveHere(LINES);
  send({ id: 1, method: "nonsense", params: ["x"] });
  send({ id: "two", method: "message", params: { x: 1 } });
  for (const id of [3, 3]) send({ id, method: "message", params: ["x"] });
  await replies.until("three replies", () => replies.texts.length === 3);
  const codes = replies.texts.map((text) => JSON.parse(text)).map(({ id, error }) => [id, error.code]);
  expect(Object.fromEntries(codes)).toEqual({ 1: -32601, two: -32602, 3: -32600 });
});

class Replies extends Collector {
  readonly texts: string[] = [];
}

/** Serves requests that nobody answers. */
function serveHere(framing: Framing) {
  const input = new PassThrough();
  const output = new PassThrough();
  const replies = new Replies();
  const wire = { transport: "here", framing, input, output, source: "the test", hangUp() {} };
  const atServer = new Collector();
  serve(wire, atServer);
  const cutter = framing.cutter(1000);
  output.on("data", (chunk: Buffer) => {
    cutter.push(chunk, (text) => replies.texts.push(text.toString()));
    replies.onWritable();
  });
  const send = (message: object): void =>
    void input.write(framing.wrap(JSON.stringify({ jsonrpc: "2.0", ...message })));
  return { send, atServer, replies };
}
