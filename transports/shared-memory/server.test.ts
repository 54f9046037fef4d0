import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { BlockingConnection, BlockingServer, Transport } from "../contract/transport.ts";
import type { SteppedTransport } from "../support/polled-event.ts";
import { Control, Pair } from "./layout.ts";
import { shmAdaptive, shmFutex } from "./shared-memory.ts";
import { sharedMemoryStore } from "./store.ts";

const RING_BYTES = 4096;
const LARGEST = RING_BYTES / 2 - 8;
const into = new Uint8Array(RING_BYTES);

/** Opens both ends in one thread, which works because a connection can be opened in steps. */
async function pair(
  transport: Transport = shmFutex,
): Promise<{ server: BlockingServer; client: BlockingConnection; name: string }> {
  const allocated = await transport.allocate({ directory: "/", prefix: `ipcmark-${randomBytes(8).toString("hex")}` });
  const address = { ...allocated, options: { ringBytes: RING_BYTES } };
  const blocking = transport.blocking as SteppedTransport;
  const server = blocking.listen(address);
  const opening = blocking.begin(address, 5000);
  for (;;) {
    const client = opening.step(0) as BlockingConnection | undefined;
    if (client !== undefined) return { server, client, name: address.name };
    server.receive(into, 0);
  }
}

describe.skipIf(process.platform !== "linux")("the server of the rings", () => {
  it("gives all room back when it has read everything, wherever the positions are", async () => {
    const { server, client } = await pair();
    for (let round = 0; round < 200; round++) {
      // At all places of the ring: also where the largest message needs every byte that small ones took just before.
      for (let i = 0; i < round % 40; i++) {
        expect(client.send(new Uint8Array(190), 0)).toBe(true);
        expect(server.receive(into, 0)).toBe(190);
      }
      expect(server.receive(into, 0)).toBe(-1);
      expect(client.send(new Uint8Array(LARGEST), 0), `round ${round}`).toBe(true);
      expect(server.receive(into, 0)).toBe(LARGEST);
      expect(server.receive(into, 0)).toBe(-1);
    }
    client[Symbol.dispose]();
    server[Symbol.dispose]();
  });

  it("an adaptive server goes on waiting when the client heard last has left, whose memory is gone", async () => {
    const { server, client } = await pair(shmAdaptive);
    client.send(Buffer.from("last words"), 0);
    expect(server.receive(into, 0)).toBe(10);
    client[Symbol.dispose]();
    // The first wait finds out that the client has left; the others would check the CPU that it stated.
    for (let wait = 0; wait < 4; wait++) expect(server.receive(into, 60)).toBe(-1);
    server[Symbol.dispose]();
  });

  it("forgets a client that writes nonsense into its rings, and serves the others", async () => {
    const { server, client, name } = await pair();
    client.send(Buffer.from("before"), 0);
    expect(server.receive(into, 0)).toBe(6);
    // A foreign client that claims a slot and shows a segment that is no pair of rings is refused.
    const control = sharedMemoryStore.open(name, Control.bytes);
    const fake = sharedMemoryStore.create(`${name}-1`, 8192);
    fake.mapping.words[Pair.magicWord] = Pair.magic;
    fake.mapping.words[Pair.capacityWord] = 1 << 30;
    control.mapping.words[Control.firstSlotWord + 1] = (77 << 2) | 2;
    Atomics.add(control.mapping.words, Control.arrivalsWord, 1);
    expect(server.receive(into, 0)).toBe(-1);
    expect(control.mapping.words[Control.firstSlotWord + 1]).toBe(0);
    client.send(Buffer.from("after it"), 0);
    expect(server.receive(into, 0)).toBe(8);
    expect(sharedMemoryStore.inspect(`${name}-1`)).toBeUndefined();
    fake.close();
    control.close();
    client[Symbol.dispose]();
    server[Symbol.dispose]();
  });
});
