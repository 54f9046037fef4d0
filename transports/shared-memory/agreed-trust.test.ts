import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { IpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, EventTransport, Transport } from "../contract/transport.ts";
import { SharedMemory } from "../posix/shared-memory.ts";
import { makePlace, within } from "../testing/harness.ts";
import { type Agreed, namedSegments } from "./agreed-segment.ts";
import { shmDescriptor } from "./descriptor.ts";
import { shmDoorbell } from "./doorbell.ts";
import { Pair } from "./layout.ts";
import { HEAD_WORDS } from "./ring.ts";
import { shmFutex, shmSpin } from "./shared-memory.ts";

const event = (transport: Transport): EventTransport => transport.event as EventTransport;
const ignore = (): void => undefined;
const silent: ConnectionHandler = { onOpen: ignore, onMessage: ignore, onWritable: ignore, onClose: ignore };

/** Opens a server and a client that does not keep to the rules. */
async function withHostile(
  transport: Transport,
  onMessage: ConnectionHandler["onMessage"],
  act: (hostile: Agreed, connection: Connection, closed: Promise<IpcError | undefined>) => Promise<void>,
): Promise<void> {
  await using place = await makePlace();
  const address = await transport.allocate(place);
  const opened = Promise.withResolvers<Connection>();
  const closed = Promise.withResolvers<IpcError | undefined>();
  const handler = {
    ...silent,
    onOpen: opened.resolve,
    onMessage,
    onClose: (_connection: Connection, error?: IpcError) => closed.resolve(error),
  };
  await using server = await event(transport).listen(address, handler);
  expect(server.address).toEqual(address);
  const kind = { id: transport.id, capacity: 4096, maxClients: transport.capabilities.maxClients };
  const hostile = await namedSegments.connect(kind, address);
  try {
    hostile.socket.on("error", ignore).resume();
    await act(hostile, await within("the server's connection", opened.promise), closed.promise);
  } finally {
    hostile.socket.destroy();
    hostile.segment.close();
  }
}

/** Returns the answer that a client gets from the server at an address. */
async function ask(transport: Transport, address: Address): Promise<string> {
  const heard = Promise.withResolvers<string>();
  const connection = await event(transport).connect(address, {
    ...silent,
    onMessage: (message) => heard.resolve(Buffer.from(message).toString()),
    onClose: (_connection, error) => heard.reject(error ?? new Error("closed")),
  });
  connection.send(Buffer.from("who?"));
  const text = await within("an answer", heard.promise);
  await connection.close();
  return text;
}

// Issue 7: fields of the other side were trusted, and failures were not reported.
describe.skipIf(process.platform !== "linux")("ends that agree over a socket", () => {
  it("a descriptor of more than a message may have ends that connection, and is never delivered", async () => {
    const { maxMessageBytes } = shmDescriptor.capabilities;
    let delivered = 0;
    const echo = (message: Uint8Array, connection: Connection): void => {
      delivered++;
      connection.send(message);
    };
    await withHostile(shmDescriptor, echo, async (hostile, _connection, closed) => {
      const record = Buffer.alloc(12);
      record.writeUInt32LE(1, 0);
      record.writeUInt32LE(maxMessageBytes + 1, 8);
      hostile.socket.write(record);
      expect(await within("the end", closed)).toMatchObject({ code: "IPC_MALFORMED", transport: "shm/descriptor" });
      expect(delivered).toBe(0);
    });
  });

  it("a client's position that makes no sense lets send return false, and onClose says why", async () => {
    await withHostile(shmDoorbell, ignore, async (hostile, connection, closed) => {
      hostile.segment.mapping.words[Pair.repliesWord + HEAD_WORDS] = 0x123_4567;
      const results: boolean[] = [];
      for (let i = 0; i < 6; i++) results.push(connection.send(new Uint8Array(2 ** 20)));
      expect(results.at(-1)).toBe(false);
      expect(await within("the end", closed)).toMatchObject({ code: "IPC_MALFORMED", transport: "shm/doorbell" });
      expect(() => connection.send(new Uint8Array(1))).toThrow(expect.objectContaining({ code: "IPC_CLOSED" }));
    });
  });

  for (const transport of [shmDoorbell, shmDescriptor]) {
    it(`${transport.id}: servers at sockets of one name in two directories do not mix up their clients`, async () => {
      await using place = await makePlace();
      const addresses = ["a", "b"].map((directory) => {
        mkdirSync(join(place.directory, directory));
        return { transport: transport.id, name: join(place.directory, directory, place.prefix) };
      });
      // Another path to the first directory.
      symlinkSync(join(place.directory, "a"), join(place.directory, "c"));
      const servers = await Promise.all(
        addresses.map((address) =>
          event(transport).listen(address, {
            ...silent,
            onMessage: (_message, connection) => void connection.send(Buffer.from(address.name)),
          }),
        ),
      );
      const linked = { transport: transport.id, name: join(place.directory, "c", place.prefix) };
      for (let round = 0; round < 5; round++) {
        const answers = await Promise.all([...addresses, linked].map((address) => ask(transport, address)));
        expect(answers).toEqual([...addresses, ...addresses.slice(0, 1)].map(({ name }) => name));
      }
      for (const server of servers) await server.close();
      for (const address of addresses) expect(await transport.residue(address)).toEqual([]);
    });

    it(`${transport.id}: without memory for a client connect reports ENOSPC and how to get more`, ({ skip }) => {
      const file = join(import.meta.dirname, transport === shmDoorbell ? "doorbell.ts" : "descriptor.ts");
      const name = transport === shmDoorbell ? "shmDoorbell" : "shmDescriptor";
      const script = `import { writeSync, readdirSync } from "node:fs";
        const { ${name}: transport } = await import(${JSON.stringify(file)});
        const nothing = () => {};
        const handler = { onOpen: nothing, onMessage: nothing, onWritable: nothing, onClose: nothing };
        const address = { transport: transport.id, name: "/dev/shm/socket" };
        const server = await transport.event.listen(address, handler);
        let seen;
        try { await transport.event.connect(address, handler); } catch (error) { seen = error; }
        await server.close();
        const { code, errno, message } = seen;
        writeSync(1, JSON.stringify({ code, errno, message, left: readdirSync("/dev/shm") }));`;
      const small = 'mount -t tmpfs -o size=64k none /dev/shm && exec "$@"';
      const node = [process.execPath, "--input-type=module", "-e", script];
      const run = spawnSync("unshare", ["-rm", "sh", "-c", small, "sh", ...node], {
        encoding: "utf8",
        timeout: 20_000,
      });
      if (run.status !== 0 && run.stdout === "") skip(`no namespace of mounts here: ${run.stderr}`);
      const message = expect.stringMatching(/\/dev\/shm has .* free of 64 KiB: .*remount,size=1G/);
      expect(JSON.parse(run.stdout)).toEqual({ code: "IPC_SHORTAGE", errno: "ENOSPC", message, left: [] });
    });

    it(`${transport.id}: a taken path reports EADDRINUSE and what to do`, async () => {
      await using place = await makePlace();
      const address = await transport.allocate(place);
      const refused = (advice: RegExp): object =>
        expect.objectContaining({
          code: "IPC_ADDRESS_IN_USE",
          errno: "EADDRINUSE",
          message: expect.stringMatching(advice),
        });
      await using server = await event(transport).listen(address, silent);
      await expect(event(transport).listen(address, silent)).rejects.toEqual(refused(/; stop it first/));
      await server.close();
      writeFileSync(address.name, "precious");
      await expect(event(transport).listen(address, silent)).rejects.toEqual(refused(/remove it yourself/));
      expect(existsSync(address.name)).toBe(true);
    });
  }

  it("a client refuses a segment of the agreed name that is not the one the server made", async () => {
    await using place = await makePlace();
    const address = await shmDoorbell.allocate(place);
    await using server = await event(shmDoorbell).listen(address, silent);
    expect(server.address).toEqual(address);
    const { open } = SharedMemory;
    SharedMemory.open = (name, minimumBytes) => {
      const segment = open(name, minimumBytes);
      segment.mapping.words[Pair.tokenWord] = (segment.mapping.words[Pair.tokenWord] as number) ^ 1;
      return segment;
    };
    try {
      await expect(event(shmDoorbell).connect(address, silent)).rejects.toMatchObject({ code: "IPC_MALFORMED" });
    } finally {
      SharedMemory.open = open;
    }
  });

  it("residue and sweep answer impossible names with an IpcError", async () => {
    for (const transport of [shmDoorbell, shmDescriptor, shmFutex]) {
      for (const name of [`/${"z".repeat(300)}`, "/with\0zero"]) {
        const refused = expect.objectContaining({ name: "IpcError", code: "IPC_SYSTEM" });
        await expect(transport.residue({ transport: transport.id, name })).rejects.toEqual(refused);
        await expect(transport.sweep({ transport: transport.id, name })).rejects.toEqual(refused);
      }
    }
  });
});

describe.skipIf(process.platform !== "linux")("shm/spin", () => {
  it("on one CPU it states that it is not available, and why", async () => {
    const script = `
      const { shmSpin, shmFutex } = await import(${JSON.stringify(join(import.meta.dirname, "shared-memory.ts"))});
      const affinity = ${JSON.stringify(join(import.meta.dirname, "../posix/affinity.ts"))};
      const { setAffinity, getAffinity } = await import(affinity);
      setAffinity(getAffinity().slice(0, 1));
      process.stdout.write(JSON.stringify([await shmSpin.probe(), await shmFutex.probe()]));`;
    const args = ["--input-type=module", "-e", script];
    const run = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
    const [spin, futex] = JSON.parse(run.stdout);
    expect(spin).toEqual({
      available: false,
      reason: expect.stringMatching(/only one CPU may be used here: each end would spin/),
    });
    expect(futex).toMatchObject({ available: true });
    expect(shmSpin.capabilities.modes).toEqual(["polling"]);
  });
});
