import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ownFolder } from "../testing/own-folder.ts";
import { findPythons, type Python, Speaker } from "./fixture/pythons.ts";
import { connect, listen, type PythonAddress, type PythonConnection } from "./index.ts";

const SIZES = [0, 1, 20, 16_384, 16_385, 70_000, 1_000_000];
/** Sizes to try after a handshake whose proof is all that differs. */
const FEW_SIZES = [0, 20];
const DIGESTS = ["md5", "sha256", "sha384", "sha3_256", "sha3_384"];
const pythons = findPythons();

const folder = ownFolder();
const { ended } = folder;

function keyOf(key: string | null): { key?: Uint8Array } {
  return key === null ? {} : { key: Buffer.from(key) };
}

/** True below 3.12. Later versions use modern digests by themselves; an older one can play them where none is there. */
function isLegacy({ version }: Python): boolean {
  return Number(version.split(".")[1]) < 12;
}

const LARGEST = Buffer.alloc(
  1_000_000,
  Uint8Array.from({ length: 251 }, (_, index) => index),
);

function pattern(size: number): Uint8Array {
  return LARGEST.subarray(0, size);
}

async function callEcho(address: PythonAddress, key: string | null, sizes: readonly number[] = SIZES): Promise<void> {
  const connection = await connect(address, keyOf(key));
  for (const size of sizes) {
    await connection.sendBytes(pattern(size));
    const reply = await connection.receiveBytes({ timeoutMs: 5000 });
    expect(reply && Buffer.from(reply).equals(pattern(size))).toBe(true);
  }
  await connection.close();
}

async function echo(connection: PythonConnection): Promise<void> {
  for (let message = await connection.receiveBytes(); message; message = await connection.receiveBytes()) {
    await connection.sendBytes(message);
  }
}

async function pythonServes(server: Speaker, family: "unix" | "tcp", key: string | null, digest: string | null) {
  const wanted = family === "unix" ? join(folder.directory, "s") : (["127.0.0.1", 0] as const);
  server.begin({ role: "server", address: wanted, key, digest });
  const listening = (await server.next())?.["listening"];
  const address = Array.isArray(listening) ? { port: Number(listening[1]) } : String(listening);
  await callEcho(address, key, digest === null ? SIZES : FEW_SIZES);
  expect(await server.next()).toEqual({ ended: "eof" });
}

async function pythonCalls(client: Speaker, family: "unix" | "tcp", key: string | null, digest: string | null) {
  const wanted = family === "unix" ? join(folder.directory, "s") : { port: 0 };
  const server = await listen(wanted, (connection) => void echo(connection), keyOf(key));
  ended.push(() => server.close());
  const { name } = server.address;
  const address = family === "unix" ? name : (["127.0.0.1", Number(name.split(":")[1])] as const);
  client.begin({ role: "client", address, key, digest });
  expect(await client.next()).toEqual({ ended: "ok" });
  await server.close();
}

test("there is a Python to talk to", () => {
  expect(pythons.length).toBeGreaterThan(0);
});

describe.each(pythons)("Python $version ($path)", (python) => {
  let speaker: Speaker;
  beforeAll(() => {
    speaker = new Speaker(python);
  });
  afterAll(() => speaker.stop());

  test.each([
    ["unix", null],
    ["unix", "secret"],
    ["tcp", null],
    ["tcp", "secret"],
  ] as const)("talks over %s with key %s, whichever side listens", async (family, key) => {
    await pythonServes(speaker, family, key, null);
    await pythonCalls(speaker, family, key, null);
  });

  test("modern digests are understood: its own, or those of 3.12 and later played by an older one", async () => {
    for (const digest of isLegacy(python) ? DIGESTS : [null]) {
      await pythonServes(speaker, "unix", "secret", digest);
      await pythonCalls(speaker, "unix", "secret", digest);
    }
  });

  // Issue 4: the listener's queue has room for two, and the others were refused with EAGAIN.
  test("eight clients at once are served by a listener with a thread for each", async () => {
    const path = join(folder.directory, "s");
    speaker.begin({ role: "crowd", address: path, key: "secret", digest: null });
    expect(await speaker.next()).toEqual({ listening: path });
    await Promise.all(Array.from({ length: 8 }, () => callEcho(path, "secret")));
    expect(await speaker.next()).toEqual({ ended: "eof" });
  });

  // Issue 14: the pickle looked like any other message, or like an orderly end.
  test("a pickled object is named as one, the bytes after it arrive, and a reader of pickles may have it", async () => {
    const path = join(folder.directory, "s");
    for (const key of ["secret", null]) {
      speaker.begin({ role: "pickler", address: path, key, digest: null });
      expect(await speaker.next()).toEqual({ listening: path });
      const connection = await connect(path, keyOf(key));
      for (let object = 0; object < 2; object++) {
        const message = expect.stringMatching(/looks like a pickled object \(conn\.send\); use send_bytes/);
        const received = connection.receiveBytes({ timeoutMs: 5000 });
        await expect(received).rejects.toMatchObject({ code: "IPC_MALFORMED", message });
      }
      expect((await connection.receiveBytes({ timeoutMs: 5000, pickled: true }))?.[0]).toBe(0x80);
      expect(String(Buffer.from((await connection.receiveBytes({ timeoutMs: 5000 })) ?? []))).toBe("plain");
      await connection.close();
      expect(await speaker.next()).toEqual({ ended: "eof" });
    }
  });

  test("a wrong key is refused by both sides, in bounded time", async () => {
    const path = join(folder.directory, "s");
    speaker.begin({ role: "server", address: path, key: "right", digest: null });
    expect(await speaker.next()).toEqual({ listening: path });
    await expect(connect(path, { key: Buffer.from("wrong") })).rejects.toMatchObject({ code: "IPC_AUTH_FAILED" });
    expect(await speaker.next()).toEqual({ failed: "AuthenticationError" });

    const refused = Promise.withResolvers<string>();
    const own = await listen(path, () => refused.reject(new Error("it was let in")), {
      key: Buffer.from("right"),
      onRefused: (error) => refused.resolve(error.code),
    });
    ended.push(() => own.close());
    speaker.begin({ role: "client", address: path, key: "wrong", digest: null });
    expect(await speaker.next()).toEqual({ failed: "AuthenticationError" });
    expect(await refused.promise).toBe("IPC_AUTH_FAILED");
  });

  test("a key on one side only is a defined error on ours, whichever side has it", async () => {
    const path = join(folder.directory, "s");
    speaker.begin({ role: "server", address: path, key: "right", digest: null });
    await speaker.next();
    const connection = await connect(path);
    await expect(connection.receiveBytes({ timeoutMs: 5000 })).rejects.toMatchObject({ code: "IPC_AUTH_FAILED" });
    expect(await speaker.next()).toHaveProperty("failed");

    speaker.begin({ role: "server", address: path, key: null, digest: null });
    await speaker.next();
    const attempt = connect(path, { key: Buffer.from("right"), handshakeTimeoutMs: 300 });
    await expect(attempt).rejects.toMatchObject({ code: "IPC_TIMEOUT" });
    expect(await speaker.next()).toEqual({ ended: "eof" });
  });
});

test("an abstract address works, and leaves nothing in the file system", async () => {
  const name = `\0ipcmark-test-${process.pid}-${Date.now()}`;
  const server = await listen(name, (connection) => void echo(connection));
  ended.push(() => server.close());
  await callEcho(name, null);
});
