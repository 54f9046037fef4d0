import { execFile } from "node:child_process";
import { constants as fs, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { appendFile, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Connection, ConnectionHandler, Place } from "../contract/transport.ts";
import { fifo } from "./fifo.ts";

let place: Place;
beforeAll(() => {
  place = { directory: mkdtempSync(join(tmpdir(), "ipcmark-fifo-")), prefix: "ipcmark-0000000000000000" };
});
afterAll(() => rmSync(place.directory, { recursive: true, force: true }));

const event = fifo.event;
if (event === undefined) throw new Error("fifo has no event face");

const echo: ConnectionHandler = {
  onOpen() {},
  onMessage(message: Uint8Array, connection: Connection) {
    connection.send(message);
  },
  onWritable() {},
  onClose() {},
};

function firstMessage(): { handler: ConnectionHandler; message: Promise<Uint8Array> } {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  return { handler: { ...echo, onMessage: (message) => resolve(message.slice()) }, message: promise };
}

test("once a client is connected only the hello FIFO is left in the file system", async () => {
  const address = await fifo.allocate(place);
  const server = await event.listen(address, echo);
  const client = await event.connect(address, echo);
  expect(await fifo.residue(address)).toEqual([{ kind: "path", name: address.name, mode: 0o600 }]);
  await client.close();
  await server.close();
  expect(readdirSync(place.directory)).toEqual([]);
});

test("garbage in the hello FIFO, with and without line feeds, does not keep the next client out", async () => {
  const address = await fifo.allocate(place);
  const server = await event.listen(address, echo);
  await appendFile(address.name, "hello 9999\nhello -1\nhello 63\nnonsense without an end");
  const { handler, message } = firstMessage();
  const client = await event.connect(address, handler);
  client.send(Uint8Array.of(1, 2, 3));
  expect([...(await message)]).toEqual([1, 2, 3]);
  await client.close();
  await server.close();
  expect(readdirSync(place.directory)).toEqual([]);
});

test("a server that does not answer is given up when the signal fires, and the slot is removed", async () => {
  const address = await fifo.allocate(place);
  // A FIFO with a reader that is no server.
  await promisify(execFile)("mkfifo", [address.name]);
  const deaf = await open(address.name, fs.O_RDWR | fs.O_NONBLOCK);
  const opening = event.connect(address, echo, { signal: AbortSignal.timeout(200) });
  await expect(opening).rejects.toMatchObject({ code: "IPC_ABORTED" });
  await deaf.close();
  expect(await fifo.residue(address)).toHaveLength(1);
  await fifo.sweep(address);
  expect(readdirSync(place.directory)).toEqual([]);
});

test("connecting to a regular file fails and does not write to it", async () => {
  const address = await fifo.allocate(place);
  writeFileSync(address.name, "");
  await expect(event.connect(address, echo)).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
  expect(readdirSync(place.directory)).toHaveLength(1);
  rmSync(address.name);
});

test("probe names the program that makes FIFOs, or reports that it is missing", async () => {
  const path = process.env["PATH"];
  expect(await fifo.probe()).toMatchObject({ available: true, version: expect.stringContaining("mkfifo") });
  process.env["PATH"] = place.directory;
  try {
    expect(await fifo.probe()).toMatchObject({ available: false, reason: expect.stringContaining("coreutils") });
  } finally {
    process.env["PATH"] = path;
  }
});
