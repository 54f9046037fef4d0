import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { BlockingConnection } from "../contract/transport.ts";
import type { Kernel32 } from "../windows/kernel32.ts";
import { FakeKernel32 } from "../windows/testing/fake-kernel32.ts";
import { RingOpening } from "./client.ts";
import type { RingKind } from "./kind.ts";
import { RingServer } from "./server.ts";
import { WAIT_KINDS } from "./waits.ts";
import { sectionStore, windowsFileStore } from "./windows-store.ts";

let fake = new FakeKernel32();
vi.mock("../windows/kernel32.ts", async (original) => ({
  ...(await original<object>()),
  kernel32: () => fake.functions as Kernel32,
}));

const KIND: RingKind = {
  id: "shm/semaphore",
  store: sectionStore,
  wait: WAIT_KINDS.semaphore,
  maxClients: 4,
  ringBytes: 4096,
};
const into = new Uint8Array(4096);
const place = { directory: "/d", prefix: `ipcmark-${randomBytes(8).toString("hex")}` };
const address = { transport: KIND.id, name: sectionStore.allocate(place) };

function as<T>(process: string, run: () => T): T {
  fake.running = process;
  return run();
}

function listen(process: string): RingServer {
  return as(process, () => new RingServer(KIND, address));
}

function connect(process: string, server: RingServer, serverProcess: string): BlockingConnection {
  const opening = as(process, () => new RingOpening(KIND, address, 2000));
  for (;;) {
    const client = as(process, () => opening.step(0));
    if (client !== undefined) return client;
    as(serverProcess, () => server.receive(into, 0));
  }
}

/** Sends a text to the server and returns what the server got. */
function passed(client: BlockingConnection, server: RingServer, text: string): string {
  expect(client.send(Buffer.from(text), 0)).toBe(true);
  return Buffer.from(into.subarray(0, server.receive(into, 0))).toString();
}

describe("sections of Windows, on objects that follow its rules", () => {
  afterEach(() => {
    fake = new FakeKernel32();
  });

  it("carry messages; the names carry the prefix, and go with the last process", () => {
    const server = listen("server");
    const client = connect("client", server, "server");
    expect(passed(client, server, "hello")).toBe("hello");
    expect(server.from?.send(Buffer.from("back"), 0)).toBe(true);
    expect(client.receive(into, 0)).toBe(4);
    // A section, the sign of its maker and a semaphore; twice.
    expect(fake.names).toHaveLength(6);
    for (const name of fake.names) expect(name).toContain(place.prefix);
    expect(sectionStore.inspect(address.name)).toEqual({ kind: "shm", name: address.name });
    client[Symbol.dispose]();
    expect(server.receive(into, 0)).toBe(-1);
    server.close();
    expect(fake.names).toEqual([]);
    expect(sectionStore.inspect(address.name)).toBeUndefined();
  });

  it("refuse a second server while the first lives, and what is not ours", () => {
    const server = listen("server");
    const taken = { code: "IPC_ADDRESS_IN_USE", errno: "EADDRINUSE" };
    const error = (message: RegExp) => expect.objectContaining({ ...taken, message: expect.stringMatching(message) });
    expect(() => listen("second")).toThrow(error(/a server is listening at .*; stop it first/));
    const client = connect("client", server, "server");
    expect(passed(client, server, "still")).toBe("still");
    fake.kill("server");
    fake.kill("client");
    as("foreign", () => fake.functions.CreateFileMappingW?.(-1, 0, 4, 0, 8192, address.name));
    expect(() => listen("third")).toThrow(error(/something that is not ours is at .*; choose another name/));
  });

  it("of a killed server are taken over, although its client still has them open; the client is lost", () => {
    const first = listen("first");
    const old = connect("old", first, "first");
    expect(passed(old, first, "before")).toBe("before");
    fake.kill("first");
    const second = listen("second");
    expect(() => as("old", () => old.receive(into, 500))).toThrow(expect.objectContaining({ code: "IPC_PEER_LOST" }));
    const client = connect("new", second, "second");
    expect(passed(client, second, "after")).toBe("after");
    old[Symbol.dispose]();
    expect(passed(client, second, "and after the end of the old one")).toBe("and after the end of the old one");
    client[Symbol.dispose]();
    second.close();
    fake.kill("first");
    expect(fake.names).toEqual([]);
  });

  it("of a killed client are closed by the server within its promise", () => {
    const server = listen("server");
    connect("client", server, "server");
    expect(server.connections).toHaveLength(1);
    fake.kill("client");
    expect(as("server", () => server.receive(into, 100))).toBe(-1);
    expect(server.connections).toHaveLength(0);
    server.close();
    expect(fake.names).toEqual([]);
  });
});

describe("names on Windows", () => {
  it.each([
    [sectionStore, "ipcmark-x", "EINVAL"],
    [sectionStore, "Local\\a\\b", "EINVAL"],
    [sectionStore, `Local\\${"x".repeat(250)}`, "ENAMETOOLONG"],
    [windowsFileStore, "relative", "EINVAL"],
    [windowsFileStore, `/${"x".repeat(250)}`, "ENAMETOOLONG"],
  ])("%#: %s is refused", (store, name, errno) => {
    expect(() => store.checkName(name, true)).toThrow(expect.objectContaining({ code: "IPC_SYSTEM", errno }));
  });

  it("are allocated in the session and in the directory", () => {
    expect(address.name).toMatch(/^Local\\ipcmark-[0-9a-f]{16}-[0-9a-f]{8}$/);
    expect(() => sectionStore.checkName(address.name, true)).not.toThrow();
    expect(windowsFileStore.allocate(place)).toMatch(/^\/d\/ipcmark-[0-9a-f]{16}-[0-9a-f]{8}$/);
  });
});
