// Issue 4: opening that fails half-way leaves nothing behind, above all no server that goes on taking requests.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, test, vi } from "vitest";
import { IpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { ownFolder } from "../testing/own-folder.ts";
import { fileDropWatch } from "./file-drop.ts";

/** Number of folders that may still be watched, as with a used-up inotify limit, and of open watches. */
const watches = vi.hoisted(() => ({ allowed: Number.POSITIVE_INFINITY, open: 0 }));

vi.mock("./wake.ts", async (load) => {
  const real = await load<typeof import("./wake.ts")>();
  const watchFolder: typeof real.watchFolder = (...parameters) => {
    if (watches.allowed === 0) {
      throw new IpcError("IPC_SYSTEM", "no watches left", { transport: fileDropWatch.id, errno: "ENOSPC" });
    }
    watches.allowed -= 1;
    const wake = real.watchFolder(...parameters);
    watches.open += 1;
    return {
      close() {
        watches.open -= 1;
        wake.close();
      },
    };
  };
  return { ...real, watchFolder };
});

const own = ownFolder();
beforeEach(() => {
  watches.allowed = Number.POSITIVE_INFINITY;
  watches.open = 0;
});

const event = fileDropWatch.event;
if (event === undefined) throw new Error("no event face");

function handler(heard: string[]): ConnectionHandler {
  return {
    onOpen() {},
    onMessage(message, connection: Connection) {
      heard.push(Buffer.from(message).toString());
      connection.send(message);
    },
    onWritable() {},
    onClose() {},
  };
}

test.each([0, 1])(
  "a server that gets %i of its two watches leaves no watch, no mark and no folder",
  async (allowed) => {
    const address = { transport: fileDropWatch.id, name: join(own.directory, "drop") };
    watches.allowed = allowed;
    await expect(event.listen(address, handler([]))).rejects.toMatchObject({ code: "IPC_SYSTEM", errno: "ENOSPC" });
    expect(watches.open).toBe(0);
    expect(await fileDropWatch.residue(address)).toEqual([]);
  },
);

test("a client that gets no watch leaves no mailbox, and the folders only where a server serves them", async () => {
  const address = { transport: fileDropWatch.id, name: join(own.directory, "drop") };
  watches.allowed = 0;
  await expect(event.connect(address, handler([]))).rejects.toMatchObject({ errno: "ENOSPC" });
  expect(await fileDropWatch.residue(address)).toEqual([]);
  watches.allowed = 2;
  const server = await event.listen(address, handler([]));
  await expect(event.connect(address, handler([]))).rejects.toMatchObject({ errno: "ENOSPC" });
  expect(readdirSync(join(address.name, "responses"))).toEqual([]);
  expect(watches.open).toBe(2);
  await server.close();
  expect(await fileDropWatch.residue(address)).toEqual([]);
});

test("a server that is refused leaves the folders of the one that lives", async () => {
  const address = { transport: fileDropWatch.id, name: join(own.directory, "drop") };
  const server = await event.listen(address, handler([]));
  await expect(event.listen(address, handler([]))).rejects.toMatchObject({ code: "IPC_ADDRESS_IN_USE" });
  expect(readdirSync(address.name).sort()).toEqual(["requests", "responses", "server.json", "temporary"]);
  await server.close();
});

test("what waits for a server survives one that could not start", async () => {
  const address = { transport: fileDropWatch.id, name: join(own.directory, "drop") };
  const answers: string[] = [];
  const client = await event.connect(address, { ...handler([]), onMessage: (m) => void answers.push(`${m.length}`) });
  client.send(Buffer.from("waiting"));
  watches.allowed = 1;
  await expect(event.listen(address, handler([]))).rejects.toMatchObject({ errno: "ENOSPC" });
  watches.allowed = 2;
  const heard: string[] = [];
  const server = await event.listen(address, handler(heard));
  await vi.waitFor(() => expect(answers).toEqual(["7"]), { timeout: 8000, interval: 5 });
  expect(heard).toEqual(["waiting"]);
  await client.close();
  await server.close();
});

test.skipIf(process.platform === "win32")("a disk that is full while a server starts keeps nothing of it", () => {
  const base = join(own.directory, "drop");
  for (const folder of ["temporary", "requests", "responses"]) mkdirSync(join(base, folder), { recursive: true });
  const fixture = fileURLToPath(new URL("fixture/listener.ts", import.meta.url));
  // No file may have a byte: the error of a full disk, without a disk to fill.
  const parameters = ["sh", process.execPath, fixture, base];
  const run = spawnSync("sh", ["-c", 'ulimit -f 0 && exec "$1" "$2" "$3"', ...parameters], {
    encoding: "utf8",
    timeout: 20_000,
  });
  expect(JSON.parse(run.stdout)).toEqual({ outcome: "IPC_SYSTEM EFBIG", left: [] });
});
