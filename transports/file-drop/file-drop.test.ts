import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import type { IpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, Server, Transport } from "../contract/transport.ts";
import { ownFolder } from "../testing/own-folder.ts";
import { fileDropPoll, fileDropWatch } from "./file-drop.ts";

const own = ownFolder();
const { ended } = own;

interface Seen {
  readonly messages: string[];
  readonly opened: Connection[];
  readonly closed: (IpcError | undefined)[];
}

function recorder(onMessage?: (message: Uint8Array, connection: Connection) => void): Seen & ConnectionHandler {
  const seen: Seen = { messages: [], opened: [], closed: [] };
  return {
    ...seen,
    onOpen: (connection) => void seen.opened.push(connection),
    onMessage(message, connection) {
      seen.messages.push(Buffer.from(message).toString("latin1"));
      onMessage?.(message, connection);
    },
    onWritable: (connection) => connection.resume(),
    onClose: (_connection, error) => void seen.closed.push(error),
  };
}

const echo = (message: Uint8Array, connection: Connection): void => {
  if (!connection.send(message)) connection.pause();
};

async function addressOf(transport: Transport, options: Address["options"] = {}): Promise<Address> {
  const address = { ...(await transport.allocate({ directory: own.directory, prefix: "ipcmark-test" })), options };
  ended.push(async () => {
    await transport.sweep(address);
  });
  return address;
}

async function listen(transport: Transport, address: Address, handler: ConnectionHandler): Promise<Server> {
  const server = await eventOf(transport).listen(address, handler);
  ended.push(() => server.close());
  return server;
}

async function connect(transport: Transport, address: Address, handler: ConnectionHandler): Promise<Connection> {
  const connection = await eventOf(transport).connect(address, handler);
  ended.push(() => connection.close(100).catch(() => undefined));
  return connection;
}

function eventOf(transport: Transport): NonNullable<Transport["event"]> {
  if (transport.event === undefined) throw new Error("no event face");
  return transport.event;
}

const until = (condition: () => void, timeout = 8000): Promise<void> => vi.waitFor(condition, { timeout, interval: 5 });
const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const files = (address: Address, folder: string): string[] => readdirSync(join(address.name, folder));

describe.each([fileDropWatch, fileDropPoll])("$id", (transport) => {
  test("echoes text and bytes, raw and enveloped, and leaves nothing behind", async () => {
    for (const options of [{}, { raw: true }, { fsync: true }]) {
      const address = await addressOf(transport, options);
      const server = await listen(transport, address, recorder(echo));
      const client = recorder();
      const connection = await connect(transport, address, client);
      const sent = ["", "käse".normalize(), "\x00\xff\xfe", "x".repeat(100_000)];
      for (const text of sent) expect(connection.send(bytes(text))).toBe(true);
      await until(() => expect(client.messages).toEqual(sent));
      await connection.close();
      await server.close();
      expect(await transport.residue(address)).toEqual([]);
    }
  });

  test("requests dropped while no server runs are answered by the one that starts", async () => {
    const address = await addressOf(transport);
    const client = recorder();
    const connection = await connect(transport, address, client);
    for (const text of ["one", "two", "three"]) connection.send(bytes(text));
    await listen(transport, address, recorder(echo));
    await until(() => expect(client.messages).toEqual(["one", "two", "three"]));
  });

  test("an orderly end of either side is told to the other without an error", async () => {
    const address = await addressOf(transport);
    const [first, second, atServer] = [recorder(), recorder(), recorder()];
    const server = await listen(transport, address, atServer);
    const connection = await connect(transport, address, first);
    await connect(transport, address, second);
    await until(() => expect(atServer.opened.length).toBe(2));
    await connection.close();
    await until(() => expect(atServer.closed).toEqual([undefined]));
    await server.close();
    await until(() => expect(second.closed).toEqual([undefined]));
  });

  test("a second server is refused while the first one lives", async () => {
    const address = await addressOf(transport);
    await listen(transport, address, recorder());
    await expect(eventOf(transport).listen(address, recorder())).rejects.toMatchObject({ code: "IPC_ADDRESS_IN_USE" });
  });
});

describe("file-drop", () => {
  test("a person can read the files: text stays text, bytes become base64, the answer names its request", async () => {
    const address = await addressOf(fileDropWatch);
    const connection = await connect(fileDropWatch, address, recorder());
    connection.send(bytes("hello"));
    connection.send(Buffer.from([0xff, 0x00]));
    const [first, second] = files(address, "requests").sort();
    const read = (name = ""): Record<string, unknown> =>
      JSON.parse(readFileSync(join(address.name, "requests", name), "utf8"));
    expect(read(first)).toMatchObject({ sequence: 1, text: "hello" });
    expect(read(second)).toMatchObject({ sequence: 2, base64: "/wA=" });
    await listen(fileDropWatch, address, recorder(echo));
    // A program in any language: it makes a mailbox, drops a request and reads the reply.
    const rawClient = await fileDropWatch.connectRaw?.(address);
    ended.push(async () => rawClient?.[Symbol.asyncDispose]());
    await connection.close();
    const [client = ""] = files(address, "responses");
    await rawClient?.write(bytes(JSON.stringify({ id: "request-1", client, sequence: 1, text: "hi" })));
    await until(() => expect(files(address, `responses/${client}`).length).toBe(1));
    const [answer = ""] = files(address, `responses/${client}`);
    const content: unknown = JSON.parse(readFileSync(join(address.name, "responses", client, answer), "utf8"));
    expect(content).toMatchObject({ replyTo: "request-1", client, sequence: 1, text: "hi" });
  });

  test("answers arrive although every event is lost", async () => {
    const address = await addressOf(fileDropWatch, { dropEvents: true });
    await listen(fileDropWatch, address, recorder(echo));
    const client = recorder();
    const connection = await connect(fileDropWatch, address, client);
    connection.send(bytes("unheard"));
    await until(() => expect(client.messages).toEqual(["unheard"]));
  });

  test("a request whose server did not finish it is handled again by the successor, and answered once", async () => {
    const address = await addressOf(fileDropWatch);
    const client = recorder();
    const connection = await connect(fileDropWatch, address, client);
    connection.send(bytes("a"));
    const request = files(address, "requests")[0] ?? "";
    const path = join(address.name, "requests", request);
    const content = readFileSync(path);
    const first = await startServer(address);
    await until(() => expect(client.messages).toEqual(["a"]));
    await until(() => expect(files(address, "requests")).toEqual([]));
    await exitOf(first, "SIGKILL");
    // As if the signal had come between the reply and the removal of the request.
    writeFileSync(path, content);
    const successor = recorder(echo);
    await listen(fileDropWatch, address, successor);
    await until(() => expect(successor.messages).toEqual(["a"]));
    connection.send(bytes("b"));
    await until(() => expect(client.messages).toContain("b"));
    expect(client.messages).toEqual(["a", "b"]);
  });

  test("the sender is stopped by a full window and continues when the reader has caught up", async () => {
    const address = await addressOf(fileDropWatch);
    const client = recorder();
    let writable = 0;
    client.onWritable = () => {
      writable += 1;
    };
    const connection = await connect(fileDropWatch, address, client);
    let taken = 0;
    while (taken < 5000 && connection.send(bytes(`m${taken}`))) taken += 1;
    expect(taken).toBe(256);
    expect(files(address, "requests").length).toBe(256);
    const server = recorder();
    await listen(fileDropWatch, address, server);
    await until(() => expect(server.messages.length).toBe(256));
    await until(() => expect(writable).toBe(1));
    expect(connection.send(bytes("more"))).toBe(true);
  });

  test("what is no message ends that client alone, within bounded time", async () => {
    const address = await addressOf(fileDropWatch, { maxMessageBytes: 1000 });
    const server = recorder(echo);
    await listen(fileDropWatch, address, server);
    for (const garbage of ["not json", "[]", '{"id":"x"}', "GET / HTTP/1.1\r\n\r\n", "y".repeat(20_000), ""]) {
      const rawClient = await fileDropWatch.connectRaw?.(address);
      await rawClient?.write(bytes(garbage));
      await rawClient?.closed;
    }
    expect(server.messages).toEqual([]);
    expect(server.closed.map((error) => error?.code)).toEqual(
      ["MALFORMED", "MALFORMED", "MALFORMED", "MALFORMED", "TOO_LARGE", "MALFORMED"].map((code) => `IPC_${code}`),
    );
    const client = recorder();
    const connection = await connect(fileDropWatch, address, client);
    connection.send(bytes("still served"));
    await until(() => expect(client.messages).toEqual(["still served"]));
  });

  test("files of crashed processes are swept after the time to live, those of living clients are not", async () => {
    // Long enough for the sign of life of a client in this process, however busy the machine.
    const address = await addressOf(fileDropWatch, { ttlMs: 4000 });
    const server = recorder();
    await listen(fileDropWatch, address, server);
    await connect(fileDropWatch, address, recorder());
    const living = files(address, "responses");
    const rawClient = await fileDropWatch.connectRaw?.(address);
    ended.push(async () => rawClient?.[Symbol.asyncDispose]());
    await until(() => expect(server.opened.length).toBe(2));
    const orphan = join(address.name, "temporary", "half-written");
    writeFileSync(orphan, "{");
    const longAgo = new Date(Date.now() - 3_600_000);
    const mailbox = files(address, "responses").find((name) => !living.includes(name)) ?? "";
    for (const path of [orphan, join(address.name, "responses", mailbox)]) utimesSync(path, longAgo, longAgo);
    await until(() => expect(server.closed.map((error) => error?.code)).toEqual(["IPC_PEER_LOST"]));
    await rawClient?.closed;
    expect(files(address, "temporary")).toEqual([]);
    expect(files(address, "responses").length).toBe(1);
  });
});

type ServerProcess = ChildProcessByStdio<Writable, Readable, null>;

async function startServer(address: Address): Promise<ServerProcess> {
  const path = fileURLToPath(new URL("fixture/echo-server.ts", import.meta.url));
  const child = spawn(process.execPath, [path, address.transport, address.name, JSON.stringify(address.options)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  ended.push(() => exitOf(child, "SIGKILL"));
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return child;
}

async function exitOf(child: ServerProcess, signal?: "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  if (signal === undefined) child.stdin.end();
  else child.kill(signal);
  await exited;
}

test("10,000 requests of 8 clients are each answered exactly once across a kill of the server", async () => {
  const address = await addressOf(fileDropWatch);
  let server = await startServer(address);
  const each = 1250;
  const answers: number[][] = [];
  let total = 0;
  let killed: Promise<void> | undefined;
  const restart = async (): Promise<void> => {
    await exitOf(server, "SIGKILL");
    server = await startServer(address);
  };
  const clients = Array.from({ length: 8 }, async (_, client) => {
    const counts = Array.from({ length: each }, () => 0);
    answers.push(counts);
    let sent = 0;
    let got = 0;
    const done = Promise.withResolvers<void>();
    const pump = (connection: Connection): void => {
      while (sent < each && sent - got < 16 && connection.send(bytes(`${client}:${sent}`))) sent += 1;
    };
    const connection = await connect(fileDropWatch, address, {
      onOpen: () => {},
      onMessage(message, at) {
        const [from, index] = Buffer.from(message).toString().split(":").map(Number);
        expect(from).toBe(client);
        counts[index ?? -1] = (counts[index ?? -1] ?? 0) + 1;
        got += 1;
        total += 1;
        if (total === 4000) killed = restart();
        if (got === each) done.resolve();
        pump(at);
      },
      onWritable: pump,
      onClose: (_connection, error) => done.reject(error ?? new Error("closed early")),
    });
    pump(connection);
    await done.promise;
    await connection.close();
  });
  await Promise.all(clients);
  expect(killed).toBeDefined();
  await killed;
  expect(answers.length).toBe(8);
  for (const counts of answers) expect(counts.every((count) => count === 1)).toBe(true);
  await exitOf(server);
  expect(await fileDropWatch.residue(address)).toEqual([]);
}, 60_000);

test("a full disk is an error of the send it happens in; nothing partial is left, and the next message goes", () => {
  const fixture = fileURLToPath(new URL("fixture/sender.ts", import.meta.url));
  // A tiny file system in a namespace of its own; where that is not allowed, a limit on the size of files.
  const full = 'mount -t tmpfs -o size=256k none "$1" && exec "$2" "$3" "$1/drop" 400000';
  const limited = 'ulimit -f 100 && exec "$2" "$3" "$1/drop" 400000';
  const parameters = ["sh", own.directory, process.execPath, fixture];
  let run = spawnSync("unshare", ["-rm", "sh", "-c", full, ...parameters], { encoding: "utf8", timeout: 20_000 });
  const namespaced = run.status === 0;
  if (!namespaced) run = spawnSync("sh", ["-c", limited, ...parameters], { encoding: "utf8", timeout: 20_000 });
  rmSync(join(own.directory, "drop"), { recursive: true, force: true });
  expect(JSON.parse(run.stdout)).toEqual({
    answers: [namespaced ? "IPC_SHORTAGE ENOSPC" : "IPC_SYSTEM EFBIG", "true"],
    requests: 1,
    temporary: 0,
  });
});
