import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { IpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { pathResidue, removeSocket } from "../support/socket-path.ts";
import { eventCases } from "../testing/event-cases.ts";
import { unixDgram } from "./unix-dgram.ts";

const PYTHON = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(sys.argv[1])
for datagram in (b"", b"x", b"\\0" * 200, b"\\2" + b"\\xff" * 7): s.send(datagram)
`;

describe.skipIf(process.platform !== "linux")("datagrams", () => {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const modulePath = join(import.meta.dirname, "unix-dgram.ts");
  eventCases({ modulePath, exportName: "unixDgram", transport: unixDgram, lossMs: 300 });

  it("a stranger's datagrams, empty ones among them, do not keep the server from its clients", async () => {
    const address = await unixDgram.allocate({ directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` });
    const echo: ConnectionHandler = {
      onOpen() {},
      onMessage: (message, connection) => void connection.send(message),
      onWritable() {},
      onClose() {},
    };
    const server = await unixDgram.event?.listen(address, echo);
    execFileSync("python3", ["-c", PYTHON, address.name]);
    const answer = Promise.withResolvers<string>();
    const closed = Promise.withResolvers<IpcError | undefined>();
    const connection = (await unixDgram.event?.connect(address, {
      onOpen: (opened) => void opened.send(Buffer.from("hello")),
      onMessage: (message) => answer.resolve(Buffer.from(message).toString()),
      onWritable() {},
      onClose: (_connection, error) => closed.resolve(error),
    })) as Connection;
    expect(await answer.promise).toBe("hello");
    // While both ends are open, the server's own path is the only one left.
    expect(await unixDgram.residue(address)).toEqual([{ kind: "path", name: address.name, mode: 0o600 }]);
    await connection.close();
    expect(await closed.promise).toBeUndefined();
    await server?.close();
    expect(await unixDgram.residue(address)).toEqual([]);
  });

  // Issue 7: the first two threw plain Errors, the others did not name a way out.
  it("every refusal is an IpcError that states what to do", async () => {
    const at = (name: string) => ({ transport: "unix-dgram", name: join(directory, name) });
    const handler: ConnectionHandler = { onOpen() {}, onMessage() {}, onWritable() {}, onClose() {} };
    for (const call of [unixDgram.residue, unixDgram.sweep]) {
      await expect(call(at("x".repeat(300)))).rejects.toMatchObject({ name: "IpcError", errno: "ENAMETOOLONG" });
      await expect(call(at("a\0b"))).rejects.toMatchObject({ name: "IpcError", code: "IPC_SYSTEM" });
    }
    for (const call of [pathResidue, removeSocket]) {
      expect(() => call(join(directory, "x".repeat(300)))).toThrow(expect.objectContaining({ name: "IpcError" }));
    }
    const zero = { name: "IpcError", errno: "EINVAL", message: expect.stringMatching(/zero byte inside/) };
    await expect(unixDgram.event?.listen(at("a\0b"), handler)).rejects.toMatchObject(zero);
    writeFileSync(at("file").name, "mine");
    const taken = { code: "IPC_ADDRESS_IN_USE", errno: "EADDRINUSE", cause: { code: "EADDRINUSE" } };
    await expect(unixDgram.event?.listen(at("file"), handler)).rejects.toMatchObject({
      ...taken,
      message: expect.stringMatching(/is not a socket; choose another path or remove it yourself/),
    });
    const server = await unixDgram.event?.listen(at("live"), handler);
    await expect(unixDgram.event?.listen(at("live"), handler)).rejects.toMatchObject({
      ...taken,
      message: expect.stringMatching(/a server is listening at .*; stop it first/),
    });
    await server?.close();
  });
});
