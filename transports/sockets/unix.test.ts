import { execFile } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ConnectionHandler, Place } from "../contract/transport.ts";
import { unix } from "./unix.ts";

/** Longest path: `sun_path` without its final zero. */
const MAX_PATH_BYTES = process.platform === "darwin" ? 103 : 107;

const run = promisify(execFile);
const quiet: ConnectionHandler = { onOpen() {}, onMessage() {}, onWritable() {}, onClose() {} };
const MODULE = new URL("./unix.ts", import.meta.url).href;
let place: Place;

beforeAll(() => {
  place = { directory: mkdtempSync(join(tmpdir(), "ipcmark-unix-")), prefix: "ipcmark-0000000000000000" };
});
afterAll(() => rmSync(place.directory, { recursive: true, force: true }));

const event = unix.event;
if (event === undefined) throw new Error("unix has no event face");

test("a path as long as the system allows works and one byte more is refused by name", async () => {
  const deep = join(place.directory, "d".repeat(MAX_PATH_BYTES - 8 - Buffer.byteLength(place.directory)));
  mkdirSync(deep);
  const longest = `${deep}/`.padEnd(MAX_PATH_BYTES, "s");
  const server = await event.listen({ transport: "unix", name: longest }, quiet);
  expect(lstatSync(longest).isSocket()).toBe(true);
  await server.close();
  for (const open of [event.listen, event.connect]) {
    await expect(open({ transport: "unix", name: `${longest}s` }, quiet)).rejects.toMatchObject({
      code: "IPC_SYSTEM",
      errno: "ENAMETOOLONG",
      message: expect.stringContaining(`${MAX_PATH_BYTES + 1} bytes`),
    });
  }
});

test("the socket has mode 0600 whatever the mask of the process, and the mask is as before", async () => {
  const before = process.umask(0);
  try {
    const address = await unix.allocate(place);
    const server = await event.listen(address, quiet);
    expect(await unix.residue(address)).toEqual([{ kind: "path", name: address.name, mode: 0o600 }]);
    expect(process.umask()).toBe(0);
    await server.close();
  } finally {
    process.umask(before);
  }
});

test("a symbolic link at the path is left alone", async () => {
  const address = await unix.allocate(place);
  const target = join(place.directory, "target");
  writeFileSync(target, "precious");
  symlinkSync(target, address.name);
  await expect(event.listen(address, quiet)).rejects.toMatchObject({ code: "IPC_ADDRESS_IN_USE" });
  await unix.sweep(address);
  expect(lstatSync(address.name).isSymbolicLink()).toBe(true);
});

test("a key is refused, because nobody would check it", async () => {
  const address = await unix.allocate(place);
  const key = Uint8Array.of(1, 2, 3);
  await expect(event.listen(address, quiet, { key })).rejects.toMatchObject({ code: "IPC_UNSUPPORTED" });
  await expect(event.connect(address, quiet, { key })).rejects.toMatchObject({ code: "IPC_UNSUPPORTED" });
});

test("of several processes that race for one stale path exactly one succeeds", async () => {
  for (let round = 0; round < 2; round += 1) {
    const address = await unix.allocate(place);
    // The path of a process that was killed: bound, and nobody behind it.
    await run(process.execPath, [
      "-e",
      `require("node:net").createServer()
      .listen(${JSON.stringify(address.name)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]).catch(() => undefined);
    expect(lstatSync(address.name).isSocket()).toBe(true);
    const program = `
      const { unix } = await import(${JSON.stringify(MODULE)});
      const handler = { onOpen() {}, onMessage() {}, onWritable() {}, onClose() {} };
      const go = Number(process.argv[1]);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, go - Date.now())));
      const outcome = await unix.event.listen(${JSON.stringify(address)}, handler)
        .then(() => "won", (error) => error.code);
      process.stdout.write(outcome);
      process.stdin.resume().on("end", () => process.exit(0));
    `;
    const go = String(Date.now() + 600);
    const started = Array.from({ length: 4 }, () =>
      run(process.execPath, ["--input-type=module", "-e", program, go], { timeout: 15_000 }),
    );
    // The winner stays until the last has tried, however late a busy machine starts it.
    await Promise.all(started.map(({ child }) => new Promise((resolve) => child.stdout?.once("data", resolve))));
    for (const { child } of started) child.stdin?.end();
    const outcomes = (await Promise.all(started)).map(({ stdout }) => stdout);
    expect(outcomes.sort()).toEqual(["IPC_ADDRESS_IN_USE", "IPC_ADDRESS_IN_USE", "IPC_ADDRESS_IN_USE", "won"]);
    await unix.sweep(address);
  }
});

test("a server of somebody else that speaks another protocol is not evicted", async () => {
  const address = await unix.allocate(place);
  const other = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => other.listen(address.name, resolve));
  await expect(event.listen(address, quiet)).rejects.toMatchObject({ code: "IPC_ADDRESS_IN_USE" });
  expect(lstatSync(address.name).isSocket()).toBe(true);
  await new Promise((resolve) => other.close(resolve));
});
