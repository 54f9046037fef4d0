import type { SenderOutcome } from "../../scenarios/check.ts";
import { isIpcError } from "../../transports/contract/errors.ts";
import type { Connection, ConnectionHandler, Transport } from "../../transports/contract/transport.ts";
import type { FromDriver } from "../process/messages.ts";
import type { SenderWork } from "../process/sender-messages.ts";
import { withEventFace } from "./checks/event-face.ts";

/** Runs the process of a check that sends, closes and exits immediately, so that undelivered messages are lost. */
export async function runSender(
  plain: Transport,
  work: SenderWork,
  send: (message: FromDriver) => void,
  begun: () => Promise<unknown>,
): Promise<void> {
  const { event } = await withEventFace(plain);
  if (event === undefined) throw new Error(`${plain.id} has no event face`);
  const sender = new SendingSide(work);
  const server = work.side === "server" ? await event.listen(work.address, sender) : undefined;
  if (server === undefined) await event.connect(work.address, sender);
  send({ type: "sender-ready", address: server?.address ?? work.address });
  await begun();
  const outcome = await sender.run();
  await server?.close();
  send({ type: "sender-done", ...outcome });
}

/** Sends on the first connection that opens, and reads the messages that come on it. */
class SendingSide implements ConnectionHandler {
  readonly #work: SenderWork;
  readonly #body: Buffer;
  readonly #opened = Promise.withResolvers<Connection>();
  readonly #closed = Promise.withResolvers<void>();
  #received = 0;
  #room: () => void = () => {};

  constructor(work: SenderWork) {
    this.#work = work;
    // Not zeros, since JSON needs six characters for each.
    this.#body = Buffer.alloc(work.bodyBytes, "x");
  }

  onOpen(connection: Connection): void {
    this.#opened.resolve(connection);
  }
  onMessage(_message: Uint8Array, connection: Connection): void {
    const { readsAfterMs } = this.#work;
    this.#received++;
    if (readsAfterMs === undefined || this.#received > 1) return;
    connection.pause();
    setTimeout(() => connection.resume(), readsAfterMs);
  }
  onWritable(): void {
    this.#room();
  }
  onClose(): void {
    this.#room();
    this.#closed.resolve();
  }

  async run(): Promise<SenderOutcome> {
    const connection = await this.#opened.promise;
    const taken = await this.#sendAll(connection);
    if (this.#work.readsAfterMs !== undefined) await this.#closed.promise;
    const close = await closed(connection);
    return { taken, received: this.#received, close };
  }

  async #sendAll(connection: Connection): Promise<number> {
    const { messages, sendMs } = this.#work;
    const untilMs = performance.now() + sendMs;
    let taken = 0;
    while (taken < messages && (taken === 0 || performance.now() < untilMs)) {
      this.#body.writeUInt32LE(taken, 0);
      if (connection.send(this.#body)) taken++;
      else if (!(await this.#writable(untilMs))) break;
    }
    return taken;
  }

  /** Waits for space. @returns false if there was none in time */
  #writable(untilMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, untilMs - performance.now()), false);
      this.#room = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}

async function closed(connection: Connection): Promise<SenderOutcome["close"]> {
  try {
    await connection.close();
    return "resolved";
  } catch (error) {
    if (isIpcError(error)) return error.code;
    throw error;
  }
}
