import type { Message, Subscriber, XPublisher } from "zeromq";
import type { Address, ConnectionHandler } from "../contract/transport.ts";
import { ZeromqConnection } from "./connection.ts";
import { commonOptions, highWaterMarks, type Library, reconnect } from "./library.ts";

const SUBSCRIBE = 1;
/** After the last subscriber has left, its last messages may still stand in the other socket: the end waits for silence. */
const QUIET_MS = 50;

/** A publisher and a subscriber: pub-sub carries messages one way, so each side has a socket for each direction. */
interface Sockets {
  readonly publisher: XPublisher;
  readonly subscriber: Subscriber;
}

/** Where clients publish to: the server subscribes there. Its own publications are at the address itself. */
export function inboundOf(address: Address): Address {
  return { ...address, name: `${address.name}.in` };
}

/** @param noDrop true: a full subscriber stops the publisher; false: it loses messages, as with a plain PUB socket */
function createSockets(library: Library, noDrop: boolean, extra: Partial<typeof reconnect>): Sockets {
  const { sendHighWaterMark, receiveHighWaterMark } = highWaterMarks;
  const publisher = new library.XPublisher({
    ...commonOptions(library),
    ...extra,
    sendHighWaterMark,
    noDrop,
    // Every subscription is reported, also the second and later ones to the same topic: they are counted here.
    verbosity: "allSubsUnsubs",
    sendTimeout: 0,
  });
  const subscriber = new library.Subscriber({ ...commonOptions(library), ...extra, receiveHighWaterMark });
  subscriber.subscribe();
  return { publisher, subscriber };
}

/** Reads a socket to its end, or until told to wait. */
class Reader {
  readonly #socket: Subscriber | XPublisher;
  readonly #take: (message: Message) => void;
  #paused = false;
  #wake: (() => void) | undefined;

  constructor(socket: Subscriber | XPublisher, take: (message: Message) => void) {
    this.#socket = socket;
    this.#take = take;
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#wake?.();
  }

  async run(): Promise<void> {
    while (!this.#socket.closed) {
      if (this.#paused) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      let message: Message | undefined;
      try {
        [message] = await this.#socket.receive();
      } catch {
        // Only closing makes an unlimited receive fail.
        return;
      }
      if (message !== undefined) this.#take(message);
    }
  }
}

function closeSockets({ publisher, subscriber }: Sockets, lingerMs: number): void {
  if (!publisher.closed) {
    publisher.linger = lingerMs;
    publisher.close();
  }
  if (!subscriber.closed) subscriber.close();
}

/**
 * The server: one connection stands for all clients, because a subscriber has no name. It opens with the first
 * subscription (or publication) and ends when the last subscriber has left.
 */
export class PubSubService {
  readonly sockets: Sockets;
  readonly #transport: string;
  readonly #handler: ConnectionHandler;
  readonly #reader: Reader;
  #subscribers = 0;
  #connection: ZeromqConnection | undefined;
  #quiet: NodeJS.Timeout | undefined;

  constructor(library: Library, transport: string, handler: ConnectionHandler, noDrop: boolean) {
    this.#transport = transport;
    this.#handler = handler;
    this.sockets = createSockets(library, noDrop, {});
    this.#reader = new Reader(this.sockets.subscriber, (message) => {
      this.#quiet?.refresh();
      this.#opened().deliver(message);
    });
  }

  async run(): Promise<void> {
    const subscriptions = new Reader(this.sockets.publisher, (message) => {
      if (message[0] === SUBSCRIBE) this.#joined();
      else this.#left();
    });
    await Promise.all([subscriptions.run(), this.#reader.run()]);
  }

  #opened(): ZeromqConnection {
    if (this.#connection !== undefined && !this.#connection.ended) return this.#connection;
    const { publisher } = this.sockets;
    const connection = new ZeromqConnection(
      {
        transport: this.#transport,
        transmit: (message) => publisher.send(message),
        setPaused: (paused) => this.#reader.setPaused(paused),
        release: () => this.#reader.setPaused(false),
      },
      this.#handler,
    );
    this.#connection = connection;
    connection.open();
    if (this.#subscribers === 0) this.#endWhenQuiet();
    return connection;
  }

  #joined(): void {
    this.#subscribers++;
    clearTimeout(this.#quiet);
    this.#quiet = undefined;
    this.#opened();
  }

  #left(): void {
    this.#subscribers = Math.max(0, this.#subscribers - 1);
    if (this.#subscribers === 0) this.#endWhenQuiet();
  }

  #endWhenQuiet(): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#connection?.end(), QUIET_MS);
  }

  async close(lingerMs: number): Promise<void> {
    clearTimeout(this.#quiet);
    await this.#connection?.close().catch(() => undefined);
    closeSockets(this.sockets, lingerMs);
  }
}

/** A client. What it sends before the server has subscribed waits in its outbox, as nobody would receive it. */
export function openPubSub(
  library: Library,
  urls: { readonly outbound: string; readonly inbound: string },
  transport: string,
  handler: ConnectionHandler,
  noDrop: boolean,
): ZeromqConnection {
  const sockets = createSockets(library, noDrop, reconnect);
  const { publisher, subscriber } = sockets;
  let subscribed = Promise.withResolvers<void>();
  let listens = false;
  const reader = new Reader(subscriber, (message) => connection.deliver(message));
  const connection = new ZeromqConnection(
    {
      transport,
      transmit: (message) =>
        listens ? publisher.send(message) : subscribed.promise.then(() => publisher.send(message)),
      setPaused: (paused) => reader.setPaused(paused),
      release(lingerMs) {
        closeSockets(sockets, lingerMs);
        reader.setPaused(false);
      },
    },
    handler,
  );
  const subscriptions = new Reader(publisher, (message) => {
    listens = message[0] === SUBSCRIBE;
    if (listens) subscribed.resolve();
    else subscribed = Promise.withResolvers<void>();
  });
  subscriber.connect(urls.outbound);
  publisher.connect(urls.inbound);
  // Only after `onOpen`, which the caller of this function triggers in the same turn.
  queueMicrotask(() => void Promise.all([subscriptions.run(), reader.run()]));
  return connection;
}
