import { type ClientHttp2Session, connect, performServerHandshake, type ServerHttp2Session } from "node:http2";
import { createServer, connect as netConnect, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Place, Server } from "../contract/transport.ts";
import { describeAddressTransport } from "../testing/cases.ts";
import { echoHandler } from "../testing/echo-handler.ts";
import { Collector, connectCollector, makePlace, pattern, roundTrip, startServer, within } from "../testing/harness.ts";
import { http2Stdio, http2Unix } from "./http2.ts";

const moduleUrl = new URL("./http2.ts", import.meta.url);
describeAddressTransport({ transport: http2Unix, moduleUrl, exportName: "http2Unix" });

let place: Place & AsyncDisposable;
const cleanUps: (() => unknown)[] = [];
beforeEach(async () => {
  place = await makePlace();
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  await place[Symbol.asyncDispose]();
});

async function serve(handler = echoHandler): Promise<Server> {
  const server = await http2Unix.event?.listen(await http2Unix.allocate(place), handler);
  if (server === undefined) throw new Error("no event face");
  cleanUps.push(() => server.close());
  return server;
}

/** A client of Node itself, without our code. */
function plainClient(path: string): ClientHttp2Session {
  const session = connect("http://localhost", { createConnection: () => netConnect(path) });
  session.on("error", () => undefined);
  cleanUps.push(() => session.destroy());
  return session;
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly failure: string | undefined;
}

/** @param body undefined leaves the request open */
function ask(session: ClientHttp2Session, headers: Record<string, string>, body?: string): Promise<Answer> {
  return within(
    "the end of a stream",
    new Promise((resolve) => {
      const stream = session.request({ ":method": "POST", ":path": "/any", ...headers });
      let status: number | undefined;
      let text = "";
      let failure: string | undefined;
      stream.on("response", (sent) => {
        status = sent[":status"];
      });
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      stream.on("error", (error) => {
        failure = error.message;
      });
      stream.on("close", () => resolve({ status, body: text, failure }));
      if (body !== undefined) stream.end(body);
    }),
  );
}

describe("the server of http2/unix, asked by a plain client", () => {
  test("replies to POST, answers 405 to other methods and 413 to a body above the limit, and goes on", async () => {
    const session = plainClient((await serve()).address.name);
    expect(await ask(session, {}, "hello")).toMatchObject({ status: 200, body: "hello" });
    expect(await ask(session, { ":method": "PUT" }, "hello")).toMatchObject({ status: 405 });
    const tooLong = String(64 * 1024 * 1024 + 1);
    // The body has not come yet: the announced length is enough for a refusal.
    expect(await ask(session, { "content-length": tooLong }, undefined)).toMatchObject({ status: 413 });
    expect(await ask(session, {}, "hello")).toMatchObject({ status: 200, body: "hello" });
  });

  test("refuses headers above 16 KiB by a reset of that stream, and replies to the next one", async () => {
    const session = plainClient((await serve()).address.name);
    expect((await ask(session, { "x-long": "a".repeat(8 * 1024) }, "hello")).status).toBe(200);
    const refused = await ask(session, { "x-long": "a".repeat(20 * 1024) }, "hello");
    expect(refused).toMatchObject({ status: undefined, failure: expect.stringContaining("NGHTTP2_") });
    expect((await ask(session, {}, "hello")).status).toBe(200);
  });

  test("sends what it still owes, then GOAWAY, when it closes", async () => {
    const server = await serve({
      ...echoHandler,
      onMessage: (message, connection) => {
        const copy = Buffer.from(message);
        setImmediate(() => connection.send(copy));
      },
    });
    const session = plainClient(server.address.name);
    const goaway = new Promise<number>((resolve) => session.once("goaway", resolve));
    const answer = ask(session, {}, "owed");
    await within("the settings", new Promise((resolve) => session.once("remoteSettings", resolve)));
    await new Promise<void>((resolve) => session.ping(() => resolve()));
    await server.close();
    expect(await within("GOAWAY", goaway)).toBe(0);
    expect(await answer).toMatchObject({ status: 200, body: "owed" });
  });
});

test("replies under way keep their bytes, also when later ones are as long", async () => {
  const server = await serve();
  const { connection, collector } = await connectCollector(http2Unix, server.address);
  const sent = Array.from({ length: 40 }, (_, index) => pattern(70_000, index));
  for (let from = 0; from < sent.length; from += 8) {
    for (const message of sent.slice(from, from + 8)) expect(connection.send(message)).toBe(true);
    await collector.count(Math.min(from + 8, sent.length));
  }
  const seen = collector.messages.toSorted(Buffer.compare);
  expect(seen.every((reply, index) => reply.equals(sent.toSorted(Buffer.compare)[index] as Buffer))).toBe(true);
  await connection.close();
});

/** A server of Node itself, without our code. */
async function plainServer(serveSession: (session: ServerHttp2Session, socket: Socket) => void): Promise<string> {
  const path = join(place.directory, "plain.sock");
  const listener = createServer((socket) => {
    const session = performServerHandshake(socket);
    session.on("error", () => undefined);
    session.on("stream", (stream) => stream.on("error", () => undefined));
    cleanUps.push(() => session.destroy());
    serveSession(session, socket);
  });
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  cleanUps.push(() => new Promise((resolve) => listener.close(resolve)));
  return path;
}

describe("the client of http2/unix, at a plain server", () => {
  test("sends nothing after GOAWAY, gets the reply under way, and ends in order", async () => {
    const path = await plainServer((session) => {
      session.on("stream", (stream) => {
        stream.on("data", () => undefined);
        stream.on("end", () => {
          session.goaway(0);
          session.ping(() => stream.respond({ ":status": 200 }) ?? stream.end("the last"));
        });
      });
    });
    const { connection, collector } = await connectCollector(http2Unix, { transport: "http2/unix", name: path });
    connection.send(pattern(64));
    await collector.count(1);
    expect(collector.messages[0]?.toString()).toBe("the last");
    expect(await within("onClose", collector.closed)).toBeUndefined();
    expect(() => connection.send(pattern(64))).toThrow(expect.objectContaining({ code: "IPC_CLOSED" }));
  });

  test.each([
    ["a reset of the stream", (session: ServerHttp2Session) => session.on("stream", (stream) => stream.close(7))],
    ["the end of the session", (session: ServerHttp2Session) => session.on("stream", () => session.destroy())],
    [
      "GOAWAY with an error",
      (session: ServerHttp2Session) => session.on("stream", () => session.destroy(undefined, 11)),
    ],
  ])("reports %s during a request as IPC_PEER_LOST", async (_what, serveSession) => {
    const path = await plainServer(serveSession);
    const { connection, collector } = await connectCollector(http2Unix, { transport: "http2/unix", name: path });
    connection.send(pattern(64));
    expect(await within("onClose", collector.closed)).toMatchObject({ code: "IPC_PEER_LOST" });
    expect(collector.closes).toBe(1);
  });

  test("reports a server that speaks something else as IPC_MALFORMED", async () => {
    const path = join(place.directory, "other.sock");
    const listener = createServer((socket) => {
      socket.on("error", () => undefined);
      cleanUps.unshift(() => socket.destroy());
      socket.write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    });
    await new Promise<void>((resolve) => listener.listen(path, resolve));
    cleanUps.push(() => new Promise((resolve) => listener.close(resolve)));
    const connecting = connectCollector(http2Unix, { transport: "http2/unix", name: path });
    await expect(connecting).rejects.toMatchObject({ code: "IPC_MALFORMED" });
  });

  test("keeps more than the windows of a session under way to a server that reads late", async () => {
    const server = await serve();
    const { connection, collector } = await connectCollector(http2Unix, server.address);
    const message = pattern(300_000);
    for (let sent = 0; sent < 100; sent++) expect(connection.send(message)).toBe(true);
    expect(connection.send(message)).toBe(false);
    await collector.count(100);
    expect(collector.messages.every((reply) => reply.equals(message))).toBe(true);
    expect(collector.writable).toBe(1);
    await connection.close();
  });
});

test.skipIf(process.platform === "win32")("close of http2/unix fails when the server is stopped", async () => {
  const server = await startServer(moduleUrl, "http2Unix", await http2Unix.allocate(place));
  cleanUps.push(() => server.kill());
  const { connection, collector } = await connectCollector(http2Unix, server.address);
  await roundTrip(connection, collector, pattern(64));
  server.child.kill("SIGSTOP");
  connection.send(pattern(64));
  await expect(connection.close(400)).rejects.toMatchObject({ code: "IPC_TIMEOUT" });
});

describe("http2/stdio", () => {
  test("connect throws an error that names launch", async () => {
    const connecting = http2Stdio.event?.connect({ transport: "http2/stdio", name: "x" }, new Collector());
    await expect(connecting).rejects.toMatchObject({
      code: "IPC_UNSUPPORTED",
      message: expect.stringContaining("launch()"),
    });
  });

  test.skipIf(process.platform === "win32")(
    "a child that prints where its frames belong ends its connection as malformed, although it reads nothing",
    async () => {
      const parent = new Collector();
      const rawClient = await http2Stdio.launchRaw?.(parent);
      await rawClient?.write(Buffer.from("hello from console.log\n"));
      expect(await within("onClose", parent.closed)).toMatchObject({ code: "IPC_MALFORMED" });
      await rawClient?.[Symbol.asyncDispose]();
      expect([parent.closes, parent.messages]).toEqual([1, []]);
    },
  );

  test("a child that ends without a word is lost", async () => {
    const parent = new Collector();
    const peer = await http2Stdio.event?.launch?.([process.execPath, "-e", "process.exit(3)"], parent);
    expect(await peer?.exited).toEqual({ code: 3, signal: null });
    expect(await within("onClose", parent.closed)).toMatchObject({ code: "IPC_PEER_LOST" });
    peer?.control.destroy();
  });
});
