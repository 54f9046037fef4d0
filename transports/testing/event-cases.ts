import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { IpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, EventTransport } from "../contract/transport.ts";
import { watchLateness } from "./lateness.ts";
import { ServerBench, type Subject } from "./server-bench.ts";

export interface EventSubject extends Subject {
  /** Longest time until a client notices that its server was killed, beside the lateness of the machine. */
  readonly lossMs: number;
}

/** A client that collects what happens to it. */
class Client implements ConnectionHandler {
  connection: Connection | undefined;
  readonly messages: Buffer[] = [];
  readonly closed = Promise.withResolvers<IpcError | undefined>();
  #wake: () => void = () => {};
  #opened = 0;

  onOpen(connection: Connection): void {
    this.connection = connection;
    this.#opened++;
  }
  onMessage(message: Uint8Array): void {
    if (this.#opened !== 1) throw new Error(`a message after ${this.#opened} openings`);
    this.messages.push(Buffer.from(message));
    this.#wake();
  }
  onWritable(): void {
    this.#wake();
  }
  onClose(_connection: Connection, error?: IpcError): void {
    this.closed.resolve(error);
    this.#wake();
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const untilMs = performance.now() + 15_000;
    while (!condition()) {
      if (performance.now() > untilMs) throw new Error(`${what}: not within 15 s (${this.messages.length} messages)`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async send(message: Uint8Array): Promise<void> {
    const connection = this.connection as Connection;
    await this.until(() => connection.send(message), "room to send");
  }
}

/** Tests the promises of an event face, against a server in another process. */
export function eventCases(subject: EventSubject): void {
  const { transport, lossMs } = subject;
  const event = transport.event as EventTransport;
  const { maxMessageBytes } = transport.capabilities;
  const bench = new ServerBench(subject, "echo-server.ts");
  const clients: Client[] = [];

  afterAll(() => bench.end());
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.connection?.close(500).catch(() => undefined);
    await bench.clear();
  });

  async function connect(address: Address): Promise<Client> {
    const client = new Client();
    await event.connect(address, client);
    clients.push(client);
    return client;
  }

  describe(`${transport.id}, event mode, between processes`, () => {
    it("echoes messages of every size, empty ones too, bytes unchanged and in order", async () => {
      const address = await bench.fresh();
      await bench.serve(address);
      const client = await connect(address);
      const sizes = [0, 1, 3, 16, 80, 255, 257, 4096, 65_536, maxMessageBytes];
      const sent: Buffer[] = [];
      for (const size of sizes) {
        if (size > maxMessageBytes || size > 8 * 1024 * 1024) continue;
        const message = randomBytes(size);
        sent.push(message);
        await client.send(message);
        await client.until(() => client.messages.length === sent.length, `the echo of ${size} bytes`);
      }
      for (let i = 0; i < 500; i++) {
        sent.push(Buffer.from(`message ${i}`));
        await client.send(sent.at(-1) as Buffer);
      }
      await client.until(() => client.messages.length >= sent.length, "all echoes");
      expect(client.messages.length).toBe(sent.length);
      for (const [i, message] of sent.entries()) {
        if (Buffer.compare(message, client.messages[i] as Buffer) !== 0) throw new Error(`message ${i} is wrong`);
      }
      const connection = client.connection as Connection;
      expect(() => connection.send(new Uint8Array(maxMessageBytes + 1))).toThrow(
        expect.objectContaining({ code: "IPC_TOO_LARGE" }),
      );
    });

    it("pushes back on a server that does not read, loses nothing, and both ends see an orderly close", async () => {
      const address = await bench.fresh();
      const child = await bench.serve(address);
      const client = await connect(address);
      await client.send(Buffer.from("x"));
      await client.until(() => client.messages.length === 1, "the first echo");
      child.kill("SIGSTOP");
      const connection = client.connection as Connection;
      const message = new Uint8Array(Math.min(maxMessageBytes, 60_000));
      let taken = 0;
      for (let refusals = 0; taken < 20_000 && refusals < 3; ) {
        message[0] = taken;
        if (connection.send(message)) taken++;
        else refusals++;
      }
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(20_000);
      child.kill("SIGCONT");
      await client.until(() => client.messages.length === taken + 1, `${taken} echoes`);
      expect(client.messages.slice(1).every((echo, i) => echo.length === message.length && echo[0] === (i & 255))).toBe(
        true,
      );
      await connection.close();
      expect(await client.closed.promise).toBeUndefined();
      expect(() => connection.send(message)).toThrow(expect.objectContaining({ code: "IPC_CLOSED" }));
    });

    it("a client learns in time that its server was killed; the address is usable again at once", async () => {
      const address = await bench.fresh();
      const child = await bench.serve(address);
      const client = await connect(address);
      await client.send(Buffer.from("x"));
      await client.until(() => client.messages.length === 1, "the first echo");
      await expect(event.listen(address, new Client())).rejects.toMatchObject({ code: "IPC_ADDRESS_IN_USE" });
      const lateness = watchLateness();
      const startMs = performance.now();
      child.kill("SIGKILL");
      expect(await client.closed.promise).toMatchObject({ code: "IPC_PEER_LOST" });
      expect(performance.now() - startMs).toBeLessThan(lossMs + lateness());
      await expect(event.connect(address, new Client())).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
      await bench.serve(address);
      const again = await connect(address);
      await again.send(Buffer.from("y"));
      await again.until(() => again.messages.length === 1, "the echo of the new server");
    });

    it("an orderly end of the server closes its clients and leaves nothing behind", async () => {
      const address = await bench.fresh();
      const child = await bench.serve(address);
      const [client, other] = [await connect(address), await connect(address)];
      await other.send(Buffer.from("b"));
      await other.until(() => other.messages.length === 1, "an echo");
      const exited = once(child, "exit");
      await client.send(Buffer.from("quit"));
      expect(await client.closed.promise).toBeUndefined();
      expect(await other.closed.promise).toBeUndefined();
      expect((await exited)[0]).toBe(0);
      expect(await transport.residue(address)).toEqual([]);
    });
  });
}
