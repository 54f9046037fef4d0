import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { EventTransport } from "../contract/transport.ts";
import { blockingCases } from "../testing/blocking-cases.ts";
import { echoHandler } from "../testing/echo-handler.ts";
import { eventCases } from "../testing/event-cases.ts";
import { connectCollector, pattern, roundTrip } from "../testing/harness.ts";
import { MAX_MESSAGE_BYTES } from "./seqpacket-records.ts";
import { unixSeqpacket } from "./unix-seqpacket.ts";

/** Speaks the format from the documentation: a word with the kind, then the message; prints what comes back. */
const PYTHON = `
import socket, struct, sys
def dial():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(10)
    s.connect(sys.argv[1])
    return s
records = [b"", b"x", b"\\1\\0\\0", struct.pack("<I", 9), b"\\2\\0\\0\\0more", b"\\1\\0\\0\\1"]
for wrong in records + [b"\\1\\0\\0\\0" + bytes(200000)]:
    s = dial()
    s.send(wrong)
    assert s.recv(100) == b"", wrong
s = dial()
for message in (b"", b"a", b"b" * 100000):
    s.send(struct.pack("<I", 1) + message)
    assert s.recv(200000) == struct.pack("<I", 1) + message
s.send(struct.pack("<I", 2))
print(s.recv(100) == struct.pack("<I", 2), s.recv(100) == b"")
`;

describe.skipIf(process.platform !== "linux")("sequenced packets", () => {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const place = { directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` };
  const event = unixSeqpacket.event as EventTransport;
  const subject = {
    modulePath: join(import.meta.dirname, "unix-seqpacket.ts"),
    exportName: "unixSeqpacket",
    transport: unixSeqpacket,
  };
  eventCases({ ...subject, lossMs: 300 });
  blockingCases(subject);

  it("a Python program speaks the same format; records that are no message end their own connection only", async () => {
    const address = await unixSeqpacket.allocate(place);
    const server = await event.listen(address, echoHandler);
    const { connection, collector } = await connectCollector(unixSeqpacket, address);
    const { spawn } = await import("node:child_process");
    const child = spawn("python3", ["-c", PYTHON, address.name], { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
    expect(printed).toBe("True True\n");
    expect((await roundTrip(connection, collector, pattern(64))).equals(pattern(64))).toBe(true);
    expect(await unixSeqpacket.residue(address)).toEqual([{ kind: "path", name: address.name, mode: 0o600 }]);
    await connection.close();
    expect(await collector.closed).toBeUndefined();
    await server.close();
    expect(await unixSeqpacket.residue(address)).toEqual([]);
  });

  it("the event face and the blocking one understand each other", async () => {
    const address = await unixSeqpacket.allocate(place);
    const server = unixSeqpacket.blocking?.listen(address);
    const into = new Uint8Array(MAX_MESSAGE_BYTES);
    const { connection, collector } = await connectCollector(unixSeqpacket, address);
    for (const bytes of [0, 1, 100_000, MAX_MESSAGE_BYTES]) {
      const message = pattern(bytes);
      expect(connection.send(message)).toBe(true);
      const length = server?.receive(into, 1000) ?? -1;
      expect(server?.from?.send(into.subarray(0, length), 1000)).toBe(true);
      await collector.count(collector.messages.length + 1);
      expect(collector.messages.at(-1)?.equals(message)).toBe(true);
    }
    const closing = connection.close();
    // The server sees the goodbye while it receives.
    while (server?.receive(into, 10) !== -1);
    server?.[Symbol.dispose]();
    await closing;
    expect(await collector.closed).toBeUndefined();
  });

  it("takes over what a dead owner left, and refuses a second server", async () => {
    const address = await unixSeqpacket.allocate(place);
    execFileSync("python3", [
      "-c",
      "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
      address.name,
    ]);
    // Its owner is gone, so it is taken over.
    const server = await event.listen(address, echoHandler);
    await expect(event.listen(address, echoHandler)).rejects.toMatchObject({ code: "IPC_ADDRESS_IN_USE" });
    await server.close();
  });
});
