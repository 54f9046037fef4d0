import { beforeEach, describe, expect, it } from "vitest";
import { IpcError } from "../../transports/contract/errors.ts";
import { Kind, readId } from "../../transports/contract/frame.ts";
import type { Connection } from "../../transports/contract/transport.ts";
import { RpcClient } from "./client.ts";
import { buildFrame, ReusableMessage } from "./message.ts";

const BODY = new Uint8Array([1, 2, 3, 4]);

/** A connection without a mechanism: what was sent is kept, and the test plays the server. */
class FakeConnection implements Connection {
  sent: Uint8Array[] = [];
  full = false;
  send(message: Uint8Array): boolean {
    if (this.full) return false;
    this.sent.push(message.slice());
    return true;
  }
  pause(): void {}
  resume(): void {}
  async close(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

let connection: FakeConnection;
let client: RpcClient;

beforeEach(() => {
  connection = new FakeConnection();
  client = new RpcClient(4);
  client.onOpen(connection);
});

const idOf = (index: number): number => readId(connection.sent[index] as Uint8Array);
const reply = (id: number, body = BODY, status = 0): void =>
  client.onMessage(buildFrame(Kind.reply, id, 0, status, body));

describe("the request/reply client", () => {
  it("gives each request its own reply, also when replies come out of order", async () => {
    const first = client.request(new Uint8Array([1]));
    const second = client.request(new Uint8Array([2]));
    reply(idOf(1), new Uint8Array([22]));
    reply(idOf(0), new Uint8Array([11]));
    expect(await first).toEqual(new Uint8Array([11]));
    expect(await second).toEqual(new Uint8Array([22]));
  });

  it("drops a late reply instead of giving it to the next request in the same slot", async () => {
    await expect(client.request(BODY, { timeoutMs: 5 })).rejects.toMatchObject({ code: "IPC_TIMEOUT" });
    const next = client.request(BODY);
    reply(idOf(0), new Uint8Array([66]));
    expect(client.unexpected).toBe(1);
    reply(idOf(1), new Uint8Array([77]));
    expect(await next).toEqual(new Uint8Array([77]));
  });

  it("counts a second reply to one request, and a reply to none, as unexpected", async () => {
    const only = client.request(BODY);
    reply(idOf(0));
    reply(idOf(0));
    reply(0);
    await only;
    expect(client.unexpected).toBe(2);
  });

  it("does not take a reply whose bytes changed on the way", async () => {
    const waiting = client.request(BODY, { timeoutMs: 20 });
    const frame = buildFrame(Kind.reply, idOf(0), 0, 0, BODY);
    frame[17] = (frame[17] as number) ^ 1;
    client.onMessage(frame);
    expect(client.corrupted).toBe(1);
    await expect(waiting).rejects.toMatchObject({ code: "IPC_TIMEOUT" });
  });

  it("states at a time-out what did come: nothing, replies to others, strays, invalid bytes", async () => {
    const told = client.request(BODY, { timeoutMs: 5 });
    await expect(told).rejects.toThrow("rpc: no reply within 5 ms; none has come on this connection");
    const answered = client.request(BODY);
    reply(idOf(1));
    reply(idOf(0));
    await answered;
    const garbled = client.request(BODY, { timeoutMs: 5 });
    client.onMessage(BODY);
    await expect(garbled).rejects.toThrow(
      "within 5 ms; 1 came to other requests, 1 to no open request; messages that were no valid reply: 1",
    );
  });

  it("waits for a free slot when as many requests are out as the mechanism takes", async () => {
    const all = Array.from({ length: 5 }, (_, index) => client.request(new Uint8Array([index])));
    expect(connection.sent).toHaveLength(4);
    reply(idOf(2));
    await all[2];
    expect(connection.sent).toHaveLength(5);
    for (const index of [0, 1, 3, 4]) reply(idOf(index));
    await Promise.all(all);
    expect(client.inFlight).toBe(0);
  });

  it("waits while the transport is full, and goes on when it is writable", async () => {
    connection.full = true;
    const waiting = client.request(BODY);
    expect(connection.sent).toHaveLength(0);
    connection.full = false;
    client.onWritable();
    await new Promise(setImmediate);
    reply(idOf(0));
    expect(await waiting).toEqual(BODY);
  });

  it("issues nothing and says -1 when every slot is taken", () => {
    const message = new ReusableMessage(Kind.request, 0, BODY);
    for (let slot = 0; slot < 4; slot++)
      expect(client.issue(message, Number.POSITIVE_INFINITY, () => {})).toBeGreaterThan(0);
    expect(client.issue(message, Number.POSITIVE_INFINITY, () => {})).toBe(-1);
  });

  it("fails every request in flight with the error that ended the connection, and later ones too", async () => {
    const waiting = client.request(BODY);
    client.onClose(connection, new IpcError("IPC_PEER_LOST", "gone"));
    await expect(waiting).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
    await expect(client.request(BODY)).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
    expect(await client.closed).toMatchObject({ code: "IPC_PEER_LOST" });
  });

  it("ends a request when its caller aborts", async () => {
    const controller = new AbortController();
    const waiting = client.request(BODY, { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: "IPC_ABORTED" });
    expect(client.inFlight).toBe(0);
  });

  it("hands out bytes of its own, also when the transport lends a Buffer that it uses again", async () => {
    const waiting = client.request(BODY);
    const lent = Buffer.from(buildFrame(Kind.reply, idOf(0), 0, 0, BODY));
    client.onMessage(lent);
    lent.fill(0);
    expect([...(await waiting)]).toEqual([...BODY]);
  });

  it("turns a status that is not ok into an error", async () => {
    const waiting = client.request(BODY);
    reply(idOf(0), new Uint8Array(0), 2);
    await expect(waiting).rejects.toMatchObject({ code: "IPC_SYSTEM", errno: "EBUSY" });
  });
});
