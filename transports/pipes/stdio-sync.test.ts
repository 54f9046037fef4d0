import { afterEach, expect, test } from "vitest";
import type { BlockingConnection, LaunchedPeer } from "../contract/transport.ts";
import { pattern, within } from "../testing/harness.ts";
import { stdio } from "./stdio.ts";

const MODULE = new URL("./stdio.ts", import.meta.url).href;
const LIMIT_MS = 5000;

/** An echo with blocking calls. It exits with 7 for a message of one byte, and with 0 when its parent is gone. */
const ECHO = `
  const { stdio } = await import(${JSON.stringify(MODULE)});
  const server = stdio.blocking.listen({ transport: "stdio", name: "peer" });
  const into = Buffer.alloc(1 << 23);
  for (;;) {
    const length = server.receive(into, 100);
    if (length < 0) process.exit(0);
    if (length === 1) process.exit(7);
    server.from.send(into.subarray(0, length), 1000);
  }
`;

type Peer = LaunchedPeer<BlockingConnection>;
const launched: Peer[] = [];
afterEach(async () => {
  for (const peer of launched.splice(0)) {
    peer.connection[Symbol.dispose]();
    peer.control.destroy();
    await within("the end of the peer", peer.exited);
  }
});

async function launch(...command: [string, ...string[]]): Promise<BlockingConnection & { peer: Peer }> {
  const peer = (await stdio.blocking?.launch?.(command)) as Peer;
  launched.push(peer);
  return Object.assign(peer.connection, { peer });
}
const launchEcho = () => launch(process.execPath, "--input-type=module", "-e", ECHO);

test("a function that returns the reply needs no promise: messages of 0 bytes to 4 MiB come back", async () => {
  const connection = await launchEcho();
  const into = Buffer.alloc(1 << 23);
  const requestSync = (message: Buffer): Buffer => {
    expect(connection.send(message, LIMIT_MS)).toBe(true);
    const length = connection.receive(into, LIMIT_MS);
    return into.subarray(0, length);
  };
  for (const bytes of [0, 64, 65_536, 4 * 1024 * 1024]) {
    expect(requestSync(pattern(bytes)).equals(pattern(bytes))).toBe(true);
  }
  const before = performance.now();
  expect(connection.receive(into, 30)).toBe(-1);
  expect(performance.now() - before).toBeGreaterThanOrEqual(30);
  connection[Symbol.dispose]();
  expect(await within("the exit", connection.peer.exited)).toEqual({ code: 0, signal: null });
  expect(() => connection.send(into.subarray(0, 1), 0)).toThrow(expect.objectContaining({ code: "IPC_CLOSED" }));
});

test("4 MiB sent before a reply is read is a standstill, which send reports; then all of it comes back", async () => {
  const connection = await launchEcho();
  const message = pattern(64 * 1024);
  let taken = 0;
  const sendAll = (): void => {
    for (; taken < 64; taken++) expect(connection.send(message, LIMIT_MS)).toBe(true);
  };
  expect(sendAll).toThrow(
    expect.objectContaining({ code: "IPC_TIMEOUT", message: expect.stringMatching(/standstill/) }),
  );
  expect(taken).toBeGreaterThan(2);
  const into = Buffer.alloc(message.length);
  for (let at = 0; at < taken; at++) {
    expect(connection.receive(into, LIMIT_MS)).toBe(message.length);
    expect(into.equals(message)).toBe(true);
  }
  expect(connection.receive(into, 0)).toBe(-1);
});

test("a child that does not read makes send return false, which is no standstill", async () => {
  const connection = await launch("/bin/sh", "-c", "exec sleep 60");
  const message = pattern(64 * 1024);
  let taken = 0;
  while (connection.send(message, 300)) taken++;
  expect(taken).toBeGreaterThan(0);
  process.kill(connection.peer.pid, "SIGKILL");
});

test("a child that exits is IPC_PEER_LOST after its last message, in both directions", async () => {
  const last = "printf '\\003\\000\\000\\000bye'; exit 0";
  const connection = await launch("/bin/sh", "-c", last);
  await within("the exit", connection.peer.exited);
  const into = Buffer.alloc(10);
  expect(connection.receive(into, LIMIT_MS)).toBe(3);
  expect(into.toString("latin1", 0, 3)).toBe("bye");
  const lost = expect.objectContaining({ code: "IPC_PEER_LOST" });
  expect(() => connection.receive(into, LIMIT_MS)).toThrow(lost);
  expect(() => connection.send(into, LIMIT_MS)).toThrow(lost);
});

test("bytes that are no message, and a message above the buffer, are refused by name", async () => {
  const connection = await launch(
    "/bin/sh",
    "-c",
    "printf '\\004\\000\\000\\000long'; printf 'a log line\\n'; exec cat",
  );
  const into = Buffer.alloc(3);
  expect(() => connection.receive(into, LIMIT_MS)).toThrow(expect.objectContaining({ code: "IPC_TOO_LARGE" }));
  const malformed = expect.objectContaining({ code: "IPC_MALFORMED", message: expect.stringMatching(/a log line/) });
  expect(() => connection.receive(into, LIMIT_MS)).toThrow(malformed);
});
