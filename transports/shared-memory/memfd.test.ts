import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { EventTransport } from "../contract/transport.ts";
import { receiveDescriptor } from "../posix/descriptor-passing.ts";
import { MemoryFile } from "../posix/memory-file.ts";
import { echoHandler } from "../testing/echo-handler.ts";
import { eventCases } from "../testing/event-cases.ts";
import { connectCollector, pattern, roundTrip } from "../testing/harness.ts";
import { pairBytes } from "./layout.ts";
import { shmMemfd } from "./memfd.ts";

/** Clients that pass what is no sealed memory of the agreed size; each prints the reply as a number, or nothing. */
const PYTHON = `
import fcntl, os, socket, struct, sys
SIZE = int(sys.argv[2])
def memory(size=SIZE, seals=7):
    fd = os.memfd_create("hostile", os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    fcntl.fcntl(fd, 1033, seals)
    return fd
def attempt(name, hello, fds):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(sys.argv[1])
    socket.send_fds(s, [hello], fds)
    try:
        reply = s.recv(4)
    except ConnectionResetError:
        reply = b""
    print(name, *struct.unpack("<%dI" % (len(reply) // 4), reply))
attempt("directory", b"mem1", [os.open("/", os.O_RDONLY)])
attempt("unsealed", b"mem1", [memory(seals=4)])
attempt("short", b"mem1", [memory(4096)])
attempt("no ring", b"mem1", [memory()])
attempt("two", b"mem1", [memory(), memory()])
attempt("many", b"mem1", [memory() for _ in range(100)])
attempt("other hello", b"mem2", [memory()])
attempt("no descriptor", b"mem1", [])
`;

const descriptors = (): number => readdirSync("/proc/self/fd").length;

describe.skipIf(process.platform !== "linux")("memory passed by its descriptor", () => {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const place = { directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` };
  const event = shmMemfd.event as EventTransport;
  eventCases({
    modulePath: join(import.meta.dirname, "memfd.ts"),
    exportName: "shmMemfd",
    transport: shmMemfd,
    lossMs: 300,
  });

  it("maps only sealed memory of the agreed size, and leaves no descriptor of the others open", async () => {
    const address = await shmMemfd.allocate(place);
    const server = await event.listen(address, echoHandler);
    const { connection, collector } = await connectCollector(shmMemfd, address);
    await roundTrip(connection, collector, pattern(64));
    const before = descriptors();
    const size = String(pairBytes(4 * 1024 * 1024));
    const child = spawn("python3", ["-c", PYTHON, address.name, size], { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
    const EIO = 5;
    expect(printed.trim().split("\n")).toEqual([
      `directory ${EIO}`,
      `unsealed ${EIO}`,
      `short ${EIO}`,
      `no ring ${EIO}`,
      "two",
      "many",
      "other hello",
      "no descriptor",
    ]);
    await expect.poll(descriptors, { timeout: 8000 }).toBeLessThanOrEqual(before);
    expect((await roundTrip(connection, collector, pattern(64))).equals(pattern(64))).toBe(true);
    expect(await shmMemfd.residue(address)).toEqual([{ kind: "path", name: address.name, mode: 0o600 }]);
    await connection.close();
    await server.close();
    expect(await shmMemfd.residue(address)).toEqual([]);
  });

  it("sealed memory keeps its size, whoever holds the descriptor", () => {
    using memory = MemoryFile.create("sealed", 8192);
    const script = "import os, sys\ntry: os.ftruncate(3, int(sys.argv[1]))\nexcept PermissionError: sys.exit(7)";
    const { spawnSync } = process.getBuiltinModule("node:child_process");
    for (const bytes of ["4096", "16384"]) {
      const stdio = ["ignore", "ignore", "inherit", memory.fd] as const;
      expect(spawnSync("python3", ["-c", script, bytes], { stdio: [...stdio] }).status).toBe(7);
    }
    expect(() => receiveDescriptor(memory.fd, 4)).toThrow(expect.objectContaining({ errno: "ENOTSOCK" }));
  });
});
