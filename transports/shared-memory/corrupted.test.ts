import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { type IpcError, isIpcError } from "../contract/errors.ts";
import type { Address, BlockingConnection, BlockingServer, EventTransport, Transport } from "../contract/transport.ts";
import type { Opening, SteppedTransport } from "../support/polled-event.ts";
import { makePlace, within } from "../testing/harness.ts";
import { shmDescriptor } from "./descriptor.ts";
import { shmDoorbell } from "./doorbell.ts";
import { slotName } from "./kind.ts";
import { Control, pairBytes, SlotState } from "./layout.ts";
import { mmapSemaphore, shmFutex, shmSemaphore } from "./shared-memory.ts";
import { mappedFileStore, type Segment, sharedMemoryStore } from "./store.ts";

const RING_BYTES = 4096;
const SEEDS = Array.from({ length: 12 }, (_, seed) => seed);
const ignore = (): void => undefined;
const into = new Uint8Array(RING_BYTES);

/** Returns bytes that are the same for every run, so that a failure can be repeated. */
function rubbish(bytes: number, seed: number): Uint8Array {
  return createHash("shake256", { outputLength: bytes }).update(`rubbish ${seed}`).digest();
}

/** Overwrites everything that both sides agree in, and the beginning of the data. */
function fill({ mapping }: Segment, seed: number): void {
  mapping.bytes.set(rubbish(Math.min(mapping.byteLength, 16 * 1024), seed));
}

interface Bench {
  readonly transport: Transport;
  readonly address: Address;
  readonly server: BlockingServer & { readonly connections: readonly BlockingConnection[] };
  readonly control: Segment;
  begin(): Opening;
  /** Lets both sides run until the client is let in. */
  finish(opening: Opening): BlockingConnection;
  segmentOf(slot: number, create?: "create"): Segment;
  expectEcho(client: BlockingConnection, text: string): void;
}

/** Runs both ends in this thread; afterwards nothing may be left. */
async function withServer(transport: Transport, body: (bench: Bench) => void): Promise<void> {
  await using place = await makePlace();
  const allocated = await transport.allocate({ ...place, prefix: `ipcmark-${randomBytes(8).toString("hex")}` });
  const address = { ...allocated, options: { ringBytes: RING_BYTES } };
  const store = transport.id.startsWith("shm/") ? sharedMemoryStore : mappedFileStore;
  const blocking = transport.blocking as SteppedTransport;
  const server = blocking.listen(address) as Bench["server"];
  const control = store.open(address.name, Control.bytes);
  const bench: Bench = {
    transport,
    address,
    server,
    control,
    begin: () => blocking.begin(address, 5000),
    finish(opening) {
      for (;;) {
        server.receive(into, 0);
        const client = opening.step(0);
        if (client !== undefined) return client;
      }
    },
    segmentOf(slot, create) {
      const name = slotName(address.name, slot);
      return create ? store.create(name, pairBytes(RING_BYTES)) : store.open(name, pairBytes(RING_BYTES));
    },
    expectEcho(client, text) {
      expect(client.send(Buffer.from(text), 0)).toBe(true);
      const length = server.receive(into, 1000);
      expect(server.from?.send(into.slice(0, length), 0)).toBe(true);
      expect(Buffer.from(into.subarray(0, client.receive(into, 1000))).toString()).toBe(text);
    },
  };
  try {
    body(bench);
  } finally {
    server[Symbol.dispose]();
    control.close();
  }
  expect(await transport.residue(address)).toEqual([]);
}

/** Runs `work` and returns an error of ours, which corruption may end in; anything else is a fault. */
function quietly(work: () => unknown): IpcError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!isIpcError(error)) throw error;
    return error;
  }
}

describe.skipIf(process.platform !== "linux")("rings that somebody has scribbled over", () => {
  for (const transport of [shmFutex, shmSemaphore, mmapSemaphore]) {
    it.each(Object.entries({ free: 0, ...SlotState, without: 77 << 2 }))(
      `${transport.id}: a corrupted pair in a slot that is %s blocks no newcomer, and is gone after close`,
      async (state, word) => {
        await withServer(transport, ({ begin, finish, control, segmentOf, expectEcho }) => {
          const fake = segmentOf(0, "create");
          fill(fake, 1);
          Atomics.store(control.mapping.words, Control.firstSlotWord, state === "free" ? 0 : (99 << 2) | word);
          const clients = [finish(begin()), finish(begin())];
          for (const [index, client] of clients.entries()) expectEcho(client, `client ${index}`);
          for (const client of clients) client[Symbol.dispose]();
          fake.close();
        });
      },
    );

    it(`${transport.id}: a corrupted pair ends that client alone`, async () => {
      await withServer(transport, ({ begin, finish, server, segmentOf, expectEcho }) => {
        const honest = finish(begin());
        for (const seed of SEEDS) {
          const opening = begin();
          opening.step(0);
          const segment = segmentOf(1);
          // Half of them before the server has let the client in.
          if (seed % 2 === 0) fill(segment, seed);
          const victim = seed % 2 === 0 ? undefined : finish(opening);
          fill(segment, seed);
          for (let turn = 0; turn < 3; turn++) server.receive(into, 0);
          expect(server.connections, `seed ${seed}`).toHaveLength(1);
          expectEcho(honest, `seed ${seed}`);
          if (victim === undefined) opening.abandon();
          else {
            const error = quietly(() => victim.receive(into, 100));
            expect(["IPC_MALFORMED", "IPC_PEER_LOST"]).toContain(error?.code);
            victim[Symbol.dispose]();
          }
          segment.close();
        }
        honest[Symbol.dispose]();
      });
    });

    it(`${transport.id}: after rubbish in the control segment clients are served, and newcomers get in`, async () => {
      await withServer(transport, ({ begin, finish, control, server, expectEcho }) => {
        const honest = finish(begin());
        for (const seed of SEEDS.slice(0, 4)) {
          const opening = begin();
          opening.step(0);
          fill(control, seed);
          server.receive(into, 60);
          const newcomer = finish(opening);
          expectEcho(honest, `seed ${seed}`);
          expectEcho(newcomer, `newcomer ${seed}`);
          newcomer[Symbol.dispose]();
        }
        honest[Symbol.dispose]();
        fill(control, 99);
      });
    });
  }
});

/** Runs the client's half of the handshake until it has the segment and has not answered. */
async function greet(address: Address): Promise<{ socket: Socket; answer: Buffer; segment: Segment }> {
  const socket = createConnection(address.name);
  socket.on("error", ignore);
  await once(socket, "connect");
  socket.write("shm2");
  let greeting = Buffer.alloc(0);
  while (greeting.length < 16) greeting = Buffer.concat([greeting, (await once(socket, "data"))[0] as Buffer]);
  const key = greeting.subarray(8, 16).toString("hex");
  const name = slotName(`/${basename(address.name)}-${key}`, greeting.readUInt32LE(0));
  return { socket, answer: greeting.subarray(4, 8), segment: sharedMemoryStore.open(name, 4096) };
}

describe.skipIf(process.platform !== "linux")("agreed segments that somebody has scribbled over", () => {
  const moments = ["while it has not answered", "when it answers", "when it hangs up", "when it is connected"] as const;
  for (const transport of [shmDoorbell, shmDescriptor]) {
    it.each(moments)(
      `${transport.id}: a client that corrupts it %s harms nobody else, and nothing is left`,
      async (when) => {
        await using place = await makePlace();
        const event = transport.event as EventTransport;
        const address = await transport.allocate(place);
        const ended = Promise.withResolvers<IpcError | undefined>();
        const server = await event.listen(address, {
          onOpen: ignore,
          onWritable: ignore,
          onMessage: (message, connection) => void connection.send(message),
          onClose: (_connection, error) => error && ended.resolve(error),
        });
        const { socket, answer, segment } = await within("the greeting", greet(address));
        if (when !== "when it is connected") fill(segment, 3);
        if (when === "when it answers" || when === "when it is connected") socket.write(answer);
        if (when === "when it hangs up") socket.destroy();
        expect(await within("an echo", echo(event, address, "honest"))).toBe("honest");
        if (when === "when it is connected") {
          fill(segment, 3);
          socket.write(randomBytes(12));
        }
        expect(await within("an echo", echo(event, address, "late"))).toBe("late");
        if (when === "when it is connected" || (when === "when it answers" && transport === shmDoorbell)) {
          expect(await within("the end of the hostile client", ended.promise)).toMatchObject({ code: "IPC_MALFORMED" });
        }
        await server.close();
        expect(await transport.residue(address)).toEqual([]);
        socket.destroy();
        segment.close();
      },
    );
  }
});

async function echo(event: EventTransport, address: Address, text: string): Promise<string> {
  const heard = Promise.withResolvers<string>();
  const connection = await event.connect(address, {
    onOpen: ignore,
    onWritable: ignore,
    onMessage: (message) => heard.resolve(Buffer.from(message).toString()),
    onClose: (_connection, error) => heard.reject(error ?? new Error("closed")),
  });
  connection.send(Buffer.from(text));
  const answer = await heard.promise;
  await connection.close();
  return answer;
}
