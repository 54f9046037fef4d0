import type { Message, Subscriber, XPublisher } from "zeromq";
import type { Address, ConnectionHandler } from "../contract/transport.ts";
import { Deadline } from "../support/deadline.ts";
import { ZeromqConnection } from "./connection.ts";
import { answerFarewell, BODY_BYTES, isControl, MARK, type Outgoing } from "./farewell.ts";
import { commonOptions, highWaterMarks, type Library, reconnect } from "./library.ts";

const SUBSCRIBE = 1;
/** Silence before the end, ms: after the last subscriber has left, its last messages may be in the other socket. */
const QUIET_MS = 50;

/**
 * Subscribes to every message. A subscriber can send subscriptions only. So at the start it subscribes to the mark of
 * farewells, too: this announces that it answers them. It answers a farewell by a subscription to its body.
 */
const ALL = Buffer.alloc(0);

/** A publisher and a subscriber. Pub-sub carries messages one way, so each side has a socket for each direction. */
interface Sockets {
  readonly publisher: XPublisher;
  readonly subscriber: Subscriber;
}

/** Returns the address to which clients publish. The server publishes at the address itself. */
export function inboundOf(address: Address): Address {
  return { ...address, name: `${address.name}.in` };
}

/** @param noDrop true: a full subscriber stops the publisher; false: a full subscriber loses messages, as with PUB */
function createSockets(library: Library, noDrop: boolean, extra: Partial<typeof reconnect>): Sockets {
  const { sendHighWaterMark, receiveHighWaterMark } = highWaterMarks;
  const publisher = new library.XPublisher({
    ...commonOptions(library),
    ...extra,
    sendHighWaterMark,
    noDrop,
    // Reports every subscription, also repeated ones to the same topic, because they are counted here.
    verbosity: "allSubsUnsubs",
    sendTimeout: 0,
  });
  const subscriber = new library.Subscriber({ ...commonOptions(library), ...extra, receiveHighWaterMark });
  subscriber.subscribe(ALL, MARK);
  return { publisher, subscriber };
}

/** Reads a socket to its end, or until paused. Answers farewells. */
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
      let parts: Message[];
      try {
        parts = await this.#socket.receive();
      } catch {
        // Without a time limit, receiving fails only if the socket is closed.
        return;
      }
      const [message, body] = parts;
      if (body !== undefined && isControl(message, body)) this.#answer(body);
      else if (message !== undefined) this.#take(message);
    }
  }

  #answer(question: Buffer): void {
    if (this.#socket.closed || !("subscribe" in this.#socket)) return;
    this.#socket.subscribe(question);
    this.#socket.unsubscribe(question);
  }
}

/** Returns the answer to a farewell that this subscription means, as the control message for the connection. */
function answerIn(subscription: Message): Buffer | undefined {
  if (subscription[0] !== SUBSCRIBE || subscription.length !== 1 + BODY_BYTES) return undefined;
  return answerFarewell(subscription.subarray(1))[1];
}

function closeSockets({ publisher, subscriber }: Sockets): void {
  if (!publisher.closed) publisher.close();
  if (!subscriber.closed) subscriber.close();
}

/**
 * The server. It has one connection for all clients, because subscribers have no names. The connection opens with the
 * first subscription or publication and ends when the last subscriber has left.
 */
export class PubSubService {
  readonly sockets: Sockets;
  readonly #transport: string;
  readonly #handler: ConnectionHandler;
  readonly #reader: Reader;
  readonly #noDrop: boolean;
  #subscribers = 0;
  /** Number of subscribers that answer farewells. */
  #answering = 0;
  #answered = 0;
  #connection: ZeromqConnection | undefined;
  #quiet: Deadline | undefined;

  constructor(library: Library, transport: string, handler: ConnectionHandler, noDrop: boolean) {
    this.#transport = transport;
    this.#handler = handler;
    this.#noDrop = noDrop;
    this.sockets = createSockets(library, noDrop, {});
    this.#reader = new Reader(this.sockets.subscriber, (message) => {
      if (this.#quiet !== undefined) this.#endWhenQuiet();
      this.#opened().deliver(message);
    });
  }

  async run(): Promise<void> {
    const subscriptions = new Reader(this.sockets.publisher, (message) => this.#subscription(message));
    await Promise.all([subscriptions.run(), this.#reader.run()]);
  }

  #subscription(message: Message): void {
    const change = message[0] === SUBSCRIBE ? 1 : -1;
    const topic = message.subarray(1);
    const answer = answerIn(message);
    if (topic.equals(MARK)) this.#answering += change;
    else if (topic.length === 0) this.#changed(change);
    else if (answer !== undefined && ++this.#answered >= this.#answering) this.#connection?.control(answer);
  }

  /** `true` if every subscriber answers; otherwise nothing shows that all have read everything. */
  get #confirms(): boolean {
    return this.#noDrop && this.#answering > 0 && this.#answering >= this.#subscribers;
  }

  #opened(): ZeromqConnection {
    if (this.#connection !== undefined && !this.#connection.ended) return this.#connection;
    const service = this;
    const { publisher } = this.sockets;
    const connection = new ZeromqConnection(
      {
        transport: this.#transport,
        get confirms() {
          return service.#confirms;
        },
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

  #changed(change: number): void {
    this.#subscribers = Math.max(0, this.#subscribers + change);
    if (this.#subscribers === 0) return this.#endWhenQuiet();
    this.#quiet?.clear();
    this.#quiet = undefined;
    this.#opened();
  }

  #endWhenQuiet(): void {
    this.#quiet?.clear();
    this.#quiet = new Deadline(QUIET_MS, () => this.#connection?.end());
  }

  async closeConnections(lingerMs: number): Promise<void> {
    this.#quiet?.clear();
    await this.#connection?.close().catch(() => undefined);
    this.sockets.publisher.linger = lingerMs;
  }

  closeSockets(): void {
    closeSockets(this.sockets);
  }
}

/** Opens a client. Messages wait in its outbox until the server has subscribed: earlier ones would be lost. */
export function openPubSub(
  library: Library,
  urls: { readonly outbound: string; readonly inbound: string },
  transport: string,
  handler: ConnectionHandler,
  { noDrop, confirms }: { readonly noDrop: boolean; readonly confirms: boolean },
): ZeromqConnection {
  const sockets = createSockets(library, noDrop, reconnect);
  const { publisher, subscriber } = sockets;
  let subscribed = Promise.withResolvers<void>();
  let listens = false;
  const reader = new Reader(subscriber, (message) => connection.deliver(message));
  const connection = new ZeromqConnection(
    {
      transport,
      confirms,
      transmit: (message: Outgoing) =>
        listens ? publisher.send(message) : subscribed.promise.then(() => publisher.send(message)),
      setPaused: (paused) => reader.setPaused(paused),
      release(lingerMs) {
        if (!publisher.closed) publisher.linger = lingerMs;
        closeSockets(sockets);
        reader.setPaused(false);
      },
    },
    handler,
  );
  const subscriptions = new Reader(publisher, (message) => {
    const answer = answerIn(message);
    if (answer !== undefined) connection.control(answer);
    if (message.length > 1) return;
    listens = message[0] === SUBSCRIBE;
    if (listens) subscribed.resolve();
    else subscribed = Promise.withResolvers<void>();
  });
  subscriber.connect(urls.outbound);
  publisher.connect(urls.inbound);
  // Must come after `onOpen`, which the caller of this function triggers in the same turn.
  queueMicrotask(() => void Promise.all([subscriptions.run(), reader.run()]));
  return connection;
}
