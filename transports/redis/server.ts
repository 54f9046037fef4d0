import { setTimeout as delay } from "node:timers/promises";
import type { IpcError } from "../contract/errors.ts";
import type { Address, ConnectionHandler, OpenOptions, Server } from "../contract/transport.ts";
import { closableServer } from "../support/closable-server.ts";
import { checkOptions, unlessAborted } from "../support/opening.ts";
import { listenAtPath, removeSocket } from "../support/socket-path.ts";
import { UnaryCall } from "../support/unary.ts";
import { Broker } from "./broker.ts";
import { MAX_BYTES, REQUESTS, repliesOf } from "./client.ts";
import { type Envelope, Kind, unwrap, wrap } from "./envelope.ts";
import type { Lane, OpenLane } from "./lane.ts";
import { loadLibrary } from "./library.ts";

const CLOSE_LIMIT_MS = 1000;
/** Time between two checks for unread replies while the server closes, ms. */
const LOOK_MS = 5;
/** Time between two checks for replies that nobody has taken, ms. */
const FORGET_MS = 5000;

/** Starts a broker at the path, and serves the calls that arrive there. */
export async function listen(
  transport: string,
  openLane: OpenLane,
  address: Address,
  handler: ConnectionHandler,
  options?: OpenOptions,
): Promise<Server> {
  checkOptions(transport, options);
  const path = address.name;
  // Loaded before the broker accepts clients, because loading takes long.
  await loadLibrary();
  const broker = await listenAtPath(path, transport, () => Broker.start(transport, path));
  const calls = new Calls(transport, handler);
  try {
    await calls.open(openLane, path);
  } catch (error) {
    await broker.end();
    removeSocket(path);
    throw error;
  }
  const server = closableServer(address, async () => {
    await calls.close();
    await broker.end();
    removeSocket(path);
  });
  return unlessAborted(transport, options, server);
}

class Calls {
  readonly #transport: string;
  readonly #handler: ConnectionHandler;
  readonly #calls = new Set<UnaryCall>();
  /** Names to which replies went since the last look. */
  readonly #answered = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #lane: Lane | undefined;

  constructor(transport: string, handler: ConnectionHandler) {
    this.#transport = transport;
    this.#handler = handler;
  }

  async open(openLane: OpenLane, path: string): Promise<void> {
    this.#lane = await openLane({
      transport: this.#transport,
      path,
      side: "server",
      name: REQUESTS,
      take: (bytes) => this.#take(unwrap(bytes)),
      lost: (error) => this.#lost(error),
    });
  }

  /** Handles an envelope. Ignores any other bytes, because every process of this user may write to the broker. */
  #take(envelope: Envelope | undefined): void {
    if (envelope === undefined || envelope.message.length > MAX_BYTES) return;
    if (envelope.kind === Kind.question) void this.#send(wrap(envelope.client, 0, Kind.answer), envelope);
    if (envelope.kind === Kind.message) this.#begin(envelope);
  }

  #begin(envelope: Envelope): void {
    const { client, number } = envelope;
    const finish = (bytes: Buffer): void => {
      void this.#send(bytes, envelope).then(() => {
        this.#calls.delete(call);
        call.end();
      });
    };
    const call: UnaryCall = new UnaryCall({
      transport: this.#transport,
      handler: this.#handler,
      maxMessageBytes: MAX_BYTES,
      reply: (message) => finish(wrap(client, number, Kind.message, message)),
      fail: () => finish(wrap(client, number, Kind.refusal)),
    });
    this.#calls.add(call);
    call.begin(envelope.message);
  }

  /** Resolves when the broker has the bytes, or is lost. */
  async #send(bytes: Buffer, { client }: Envelope): Promise<void> {
    const name = repliesOf(client);
    this.#answered.add(name);
    this.#timer ??= setTimeout(() => this.#forget(), FORGET_MS).unref();
    await this.#lane?.send(name, bytes).catch(() => undefined);
  }

  /** Lets replies expire if their client is gone, because nobody else would remove them. */
  #forget(): void {
    this.#timer = undefined;
    for (const name of this.#answered) this.#lane?.forget(name).catch(() => undefined);
    this.#answered.clear();
  }

  #lost(error: IpcError): void {
    for (const call of this.#calls) call.end(error);
    this.#calls.clear();
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#calls].map((call) => call.close(CLOSE_LIMIT_MS)));
    clearTimeout(this.#timer);
    await this.#drained().catch(() => undefined);
    this.#lane?.close();
  }

  /** Waits until replies have been read, because the broker ends next. The wait has a limit. */
  async #drained(): Promise<void> {
    const names = [...this.#answered];
    const untilMs = performance.now() + CLOSE_LIMIT_MS;
    while ((await this.#lane?.isDrained(names)) === false && performance.now() < untilMs) await delay(LOOK_MS);
  }
}
