import type { SenderOutcome } from "../../transports/contract/check.ts";
import { isIpcError } from "../../transports/contract/errors.ts";
import type { Address, Connection, ConnectionHandler, Transport } from "../../transports/contract/transport.ts";
import type { FromDriver } from "../process/messages.ts";
import type { SenderWork } from "../process/sender-messages.ts";
import { withEventFace } from "./checks/event-face.ts";

/** The process of a check that sends, closes and exits at once: whatever it has not delivered by then is lost. */
export async function runSender(
  plain: Transport,
  work: SenderWork,
  send: (message: FromDriver) => void,
): Promise<void> {
  const { event } = await withEventFace(plain);
  if (event === undefined) throw new Error(`${plain.id} has no event face`);
  const ready = (address: Address): void => send({ type: "sender-ready", address });
  const sender = new SendingSide(work);
  if (work.side === "client") {
    ready(work.address);
    await event.connect(work.address, sender);
    send({ type: "sender-done", ...(await sender.outcome) });
    return;
  }
  const server = await event.listen(work.address, sender);
  ready(server.address);
  const outcome = await sender.outcome;
  await server.close();
  send({ type: "sender-done", ...outcome });
}

/** Sends on the first connection that opens. */
class SendingSide implements ConnectionHandler {
  readonly outcome: Promise<SenderOutcome>;
  readonly #work: SenderWork;
  readonly #body: Buffer;
  readonly #settle: (outcome: SenderOutcome | Promise<SenderOutcome>) => void;
  #connection: Connection | undefined;
  #room: () => void = () => {};

  constructor(work: SenderWork) {
    this.#work = work;
    this.#body = Buffer.alloc(work.bodyBytes);
    const { promise, resolve } = Promise.withResolvers<SenderOutcome>();
    this.outcome = promise;
    this.#settle = resolve;
  }

  onOpen(connection: Connection): void {
    if (this.#connection !== undefined) return;
    this.#connection = connection;
    // Not from inside the callback: the transport has not finished opening.
    setImmediate(() => this.#settle(this.#run(connection)));
  }
  onMessage(): void {}
  onWritable(): void {
    this.#room();
  }
  onClose(): void {
    this.#room();
  }

  async #run(connection: Connection): Promise<SenderOutcome> {
    const taken = await this.#sendAll(connection);
    try {
      await connection.close();
      return { taken, close: "resolved" };
    } catch (error) {
      if (isIpcError(error)) return { taken, close: error.code };
      throw error;
    }
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

  /** @returns false when there was no room in time */
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
