// Issue 4: a failure at a Python peer ends the connection concerned, not the peer, and costs nobody else a message.
import { isUtf8 } from "node:buffer";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { Kind } from "../../../transports/contract/frame.ts";
import type { Address, RawClient, Transport } from "../../../transports/contract/transport.ts";
import { fileDropPoll, fileDropWatch } from "../../../transports/file-drop/file-drop.ts";
import { pythonConnection, pythonConnectionTcp } from "../../../transports/python-connection/python-connection.ts";
import { ownFolder } from "../../../transports/testing/own-folder.ts";
import type { RunningPeer } from "../../driver/peers/running-peer.ts";
import { buildFrame } from "../../rpc/message.ts";
import { startPython } from "../../testing/python-peer.ts";

const own = ownFolder();
const { ended } = own;

async function addressOf(transport: Transport, options: Address["options"] = {}): Promise<Address> {
  const address = { ...(await transport.allocate({ directory: own.directory, prefix: "ipcmark-test" })), options };
  ended.push(() => transport.sweep(address));
  return address;
}

const start = (transport: Transport, address: Address): Promise<RunningPeer> =>
  startPython(transport, "event", address, ended);

/** Limits the blocks a file of its peer may have: the effect of a full disk, without a disk to fill. */
function limited(transport: Transport, blocks: number): Transport {
  return { ...transport, peers: { python: ["sh", "-c", `ulimit -f ${blocks}; exec python3 "$0"`, "peer.py"] } };
}

async function rawClientAt(transport: Transport, address: Address): Promise<RawClient> {
  const rawClient = await transport.connectRaw?.(address);
  if (rawClient === undefined) throw new Error("no stranger");
  ended.push(async () => rawClient[Symbol.asyncDispose]());
  return rawClient;
}

const until = (condition: () => void): Promise<void> => vi.waitFor(condition, { timeout: 8000, interval: 5 });

async function untilEnded(rawClient: RawClient): Promise<void> {
  let over = false;
  void rawClient.closed.then(() => {
    over = true;
  });
  await until(() => expect(over).toBe(true));
}

async function expectServed(peer: RunningPeer): Promise<void> {
  const client = await peer.connect();
  expect(Buffer.from(await client.request(Buffer.from("served"), { timeoutMs: 8000 })).toString()).toBe("served");
  await client.connection.close();
}

describe.each([fileDropWatch, fileDropPoll])("a Python peer of $id", (transport) => {
  test("that cannot write an answer ends that client alone", async () => {
    const peer = await start(limited(transport, 100), await addressOf(transport));
    const [unlucky, other] = [await peer.connect(), await peer.connect()];
    const large = new Uint8Array(300_000);
    await expect(unlucky.request(large, { timeoutMs: 8000 })).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
    expect((await other.request(new Uint8Array(10), { timeoutMs: 8000 })).length).toBe(10);
    await other.connection.close();
    await expectServed(peer);
    expect(await peer.stop()).toEqual({ code: 0, signal: null });
    expect(await transport.residue(peer.address)).toEqual([]);
  });

  test("that cannot write its mark does not start, and leaves nothing", async () => {
    const address = await addressOf(transport);
    await expect(start(limited(transport, 0), address)).rejects.toMatchObject({ code: "IPC_SYSTEM" });
    expect(await transport.residue(address)).toEqual([]);
  });

  test("takes over an empty mark, which a killed server may leave", async () => {
    const address = await addressOf(transport);
    mkdirSync(address.name);
    writeFileSync(join(address.name, "server.json"), "");
    await expectServed(await start(transport, address));
  });

  test("passes over what is no file in the place of a request", async () => {
    const address = await addressOf(transport);
    const peer = await start(transport, address);
    const requests = join(address.name, "requests");
    mkdirSync(join(requests, "folder.0000000001.json", "deeper"), { recursive: true });
    execFileSync("mkfifo", [join(requests, "pipe.0000000001.json")]);
    await until(() => expect(readdirSync(requests)).toEqual([]));
    await expectServed(peer);
    expect(await peer.stop()).toEqual({ code: 0, signal: null });
    expect(await transport.residue(address)).toEqual([]);
  });

  test("ends a client whose message is none, or too large for the address", async () => {
    const address = await addressOf(transport, { maxMessageBytes: 1000 });
    const peer = await start(transport, address);
    const envelope = (text: unknown) => (client: string) => JSON.stringify({ id: "1", client, sequence: 1, text });
    const bad = [envelope("x".repeat(1001)), envelope(7), () => "[".repeat(5000), () => "y".repeat(20_000)];
    for (const content of bad) {
      const rawClient = await rawClientAt(transport, address);
      const [client = ""] = readdirSync(join(address.name, "responses"));
      await rawClient.write(Buffer.from(content(client)));
      await untilEnded(rawClient);
    }
    await expectServed(peer);
  });

  test("sweeps after the time to live of the address, and keeps whoever lives", async () => {
    const address = await addressOf(transport, { ttlMs: 4000 });
    const peer = await start(transport, address);
    const living = await peer.connect();
    const [dead, temporary] = [join(address.name, "responses", "dead"), join(address.name, "temporary")];
    mkdirSync(dead);
    mkdirSync(join(temporary, "folder", "deeper"), { recursive: true });
    writeFileSync(join(temporary, "1-2-3"), "{");
    for (const path of [dead, join(temporary, "folder"), join(temporary, "1-2-3")]) utimesSync(path, 1, 1);
    await until(() => expect(readdirSync(temporary)).toEqual([]));
    await until(() => expect(readdirSync(join(address.name, "responses")).length).toBe(1));
    expect((await living.request(new Uint8Array(3), { timeoutMs: 8000 })).length).toBe(3);
    await living.connection.close();
    expect(await peer.stop()).toEqual({ code: 0, signal: null });
    expect(await transport.residue(address)).toEqual([]);
  });

  test("writes text as a person reads it", async () => {
    const address = await addressOf(transport);
    await start(transport, address);
    const rawClient = await rawClientAt(transport, address);
    const [client = ""] = readdirSync(join(address.name, "responses"));
    const text = readableFrame("käse");
    await rawClient.write(Buffer.from(JSON.stringify({ id: "half \ud800", client, sequence: 1, text })));
    const mailbox = join(address.name, "responses", client);
    await until(() => expect(readdirSync(mailbox).length).toBe(1));
    const [answer = ""] = readdirSync(mailbox);
    const content = readFileSync(join(mailbox, answer), "utf8");
    expect(content).toContain("käse");
    expect(JSON.parse(content)).toMatchObject({ replyTo: "half \ud800", client, sequence: 1 });
  });

  test("ends when it cannot go on, instead of owning a drop that nobody serves", async () => {
    const address = await addressOf(transport);
    const peer = await start(transport, address);
    const requests = join(address.name, "requests");
    // The peer makes a missing folder anew at every look, so retry until the file is faster.
    await until(() => {
      renameSync(requests, join(own.directory, "aside"));
      rmSync(join(own.directory, "aside"), { recursive: true });
      writeFileSync(requests, "", { flag: "wx" });
    });
    expect(await peer.exited).toEqual({ code: 1, signal: null });
  });
});

/** Returns a request whose bytes are valid UTF-8, its checksum included, as are those of the reply. */
function readableFrame(text: string): string {
  for (let id = 1; id < 100_000; id++) {
    const frame = Buffer.from(buildFrame(Kind.request, id, 0, 0, Buffer.from(text)));
    if (isUtf8(frame)) return frame.toString("utf8");
  }
  throw new Error("no such frame");
}

test("a live server whose backlog is full keeps its path", () => {
  const script = `
import os, socket, sys
sys.path.insert(0, sys.argv[1])
from failures import IpcError
import paths
path = sys.argv[2]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(0)
waiting = []
for _ in range(64):
    waiting.append(socket.socket(socket.AF_UNIX))
    waiting[-1].setblocking(False)
    if waiting[-1].connect_ex(path) != 0:
        break
def outcome():
    try:
        paths.clear_stale(path)
    except IpcError as error:
        return error.code
    return "removed"
live = outcome()
listener.close()
print(live, outcome(), os.path.exists(path))
`;
  const folder = fileURLToPath(new URL("../../../transports/support/python", import.meta.url));
  const said = execFileSync("python3", ["-c", script, folder, join(own.directory, "s")], { encoding: "utf8" });
  expect(said.trim()).toBe("IPC_ADDRESS_IN_USE removed False");
});

describe.each([pythonConnection, pythonConnectionTcp])("a Python peer of $id", (transport) => {
  test("takes a negative length for an error, not for an empty message", async () => {
    const peer = await start(transport, await addressOf(transport));
    for (const length of [-2, -2_147_483_648]) {
      const rawClient = await rawClientAt(transport, peer.address);
      const header = Buffer.alloc(4);
      header.writeInt32BE(length);
      await rawClient.write(header);
      await untilEnded(rawClient);
    }
    await expectServed(peer);
  });
});
