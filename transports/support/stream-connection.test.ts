import { connect, createServer, type Socket } from "node:net";
import { PassThrough, Writable } from "node:stream";
import { afterEach, expect, test } from "vitest";
import type { IpcError } from "../contract/errors.ts";
import type { Connection } from "../contract/transport.ts";
import { StreamConnection } from "./stream-connection.ts";

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

/** Our end of a socket pair as a connection, the other end raw. */
async function pair(maxMessageBytes = 1024 * 1024): Promise<{
  raw: Socket;
  connection: StreamConnection;
  messages: Uint8Array[];
  closed: Promise<IpcError | undefined>;
  closings: () => number;
}> {
  const listener = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const accepted = new Promise<Socket>((resolve) => listener.once("connection", resolve));
  const raw = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const socket = await accepted;
  listener.close();
  open.push(raw, socket);
  raw.on("error", () => undefined);
  const messages: Uint8Array[] = [];
  const closed = Promise.withResolvers<IpcError | undefined>();
  let closings = 0;
  const connection = new StreamConnection({
    transport: "test",
    maxMessageBytes,
    input: socket,
    output: socket,
    handler: {
      onOpen() {},
      onMessage: (message) => void messages.push(message.slice()),
      onWritable() {},
      onClose(_: Connection, error) {
        closings += 1;
        closed.resolve(error);
      },
    },
  });
  connection.open();
  return { raw, connection, messages, closed: closed.promise, closings: () => closings };
}

test("an end of file between messages is an orderly close", async () => {
  const { raw, messages, closed } = await pair();
  raw.end(Uint8Array.of(2, 0, 0, 0, 5, 6));
  expect(await closed).toBeUndefined();
  expect(messages).toEqual([Uint8Array.of(5, 6)]);
});

test("an end of file inside a message, or inside its prefix, is a lost peer", async () => {
  for (const bytes of [
    [2, 0, 0, 0, 5],
    [2, 0],
  ]) {
    const { raw, messages, closed } = await pair();
    raw.end(Uint8Array.from(bytes));
    expect((await closed)?.code).toBe("IPC_PEER_LOST");
    expect(messages).toEqual([]);
  }
});

test("a length above the limit closes the connection as malformed", async () => {
  const { raw, closed, closings } = await pair(100);
  raw.write(Uint8Array.of(101, 0, 0, 0));
  const error = await closed;
  expect(error?.code).toBe("IPC_MALFORMED");
  expect(error?.message).toContain("101 bytes");
  expect(closings()).toBe(1);
});

test("a reset is a lost peer", async () => {
  const { raw, closed } = await pair();
  raw.resetAndDestroy();
  expect((await closed)?.code).toBe("IPC_PEER_LOST");
});

test("messages that arrived while paused are delivered after resume although the sender has hung up", async () => {
  const { raw, connection, messages, closed } = await pair();
  connection.pause();
  raw.end(Uint8Array.of(1, 0, 0, 0, 1, 1, 0, 0, 0, 2, 0, 0, 0, 0));
  await new Promise((resolve) => raw.once("finish", resolve));
  connection.resume();
  expect(await closed).toBeUndefined();
  expect(messages.map((message) => [...message])).toEqual([[1], [2], []]);
});

test("close waits for the end of file of the other side and gives up at its limit", async () => {
  const { connection, closed, closings } = await pair();
  await expect(connection.close(100)).rejects.toMatchObject({ code: "IPC_TIMEOUT" });
  expect((await closed)?.code).toBe("IPC_TIMEOUT");
  expect(closings()).toBe(1);
});

/** Two ends of a pair of streams that show no end of file, like the standard output of a living Windows process. */
function withoutEndOfFile(): { a: StreamConnection; b: StreamConnection; messages: string[]; closings: string[] } {
  const messages: string[] = [];
  const closings: string[] = [];
  const [atA, atB] = [new PassThrough(), new PassThrough()];
  const into = (target: PassThrough): Writable =>
    new Writable({ write: (chunk, _encoding, done) => void target.write(chunk, () => done()) });
  const end = (name: string, input: PassThrough, output: Writable): StreamConnection =>
    new StreamConnection({
      transport: "test",
      maxMessageBytes: 1000,
      input,
      output,
      saysLastWord: true,
      handler: {
        onOpen() {},
        onMessage: (message) => void messages.push(`${name} ${message.length}`),
        onWritable() {},
        onClose: (_: Connection, error) => void closings.push(`${name} ${error?.code ?? "orderly"}`),
      },
    });
  const ends = { a: end("a", atA, into(atB)), b: end("b", atB, into(atA)), messages, closings };
  ends.a.open();
  ends.b.open();
  return ends;
}

test("where an end of file is not seen, the last word ends both sides, behind every message", async () => {
  const { a, b, messages, closings } = withoutEndOfFile();
  b.send(new Uint8Array(7));
  for (let bytes = 1; bytes <= 3; bytes++) a.send(new Uint8Array(bytes));
  await a.close(2000);
  await b.close(2000);
  expect(messages.filter((message) => message.startsWith("b"))).toEqual(["b 1", "b 2", "b 3"]);
  expect(closings.toSorted()).toEqual(["a orderly", "b orderly"]);
});

test("a side that closes with messages held for it still gets the last word", async () => {
  const { a, b, closings } = withoutEndOfFile();
  a.pause();
  for (let sent = 0; sent < 5; sent++) b.send(new Uint8Array(900));
  await Promise.all([a.close(2000), b.close(2000)]);
  expect(closings.toSorted()).toEqual(["a orderly", "b orderly"]);
});
