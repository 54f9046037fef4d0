import type { Message, Router } from "zeromq";
import type { ConnectionHandler } from "../contract/transport.ts";
import { randomBytes } from "../support/crypto.ts";
import { ZeromqConnection } from "./connection.ts";
import { isControl, isQuestion } from "./farewell.ts";
import { commonOptions, highWaterMarks, type Library } from "./library.ts";

/** Bytes held for paused clients; at this number reading the socket stops, which stops every client. */
const HELD_BYTES = 1024 * 1024;
const HELD_MESSAGES = 1024;
/** ZMQ_DISCONNECT_MSG: the message the library delivers for a client whose connection has ended. */
const DISCONNECT_MESSAGE_OPTION = 111;

type ClientKey = number | string;

/** Returns a ROUTER's id (ZMQ_ROUTING_ID: a zero byte and a counter) as a number, to make no string per message. */
function keyOf(routingId: Message): ClientKey {
  return routingId.length === 5 && routingId[0] === 0 ? routingId.readUInt32BE(1) : routingId.toString("latin1");
}

/** State of one client. */
interface Client {
  readonly connection: ZeromqConnection;
  /** Routing id; for REQ clients also a request id and an empty delimiter, for which null is cheapest. */
  envelope: (Message | null)[];
  /** `true` for clients that answer a farewell. These are ours, which are the only ones to begin with a probe. */
  confirms: boolean;
  paused: boolean;
  /** Message bodies and actions that arrived while the client was paused, in order. */
  readonly held: (Message | (() => void))[];
}

/** Handler for a client that sends only a farewell to a new server, so that no connection is opened. */
const NOBODY: ConnectionHandler = { onOpen() {}, onMessage() {}, onWritable() {}, onClose() {} };

/**
 * The server of DEALER and REQ clients: one ROUTER, one {@link ZeromqConnection} per routing id.
 *
 * A REP socket is not used: it takes no further request from any client until the last one is answered, so one request
 * without a reply would end the service.
 */
export class RouterService {
  readonly socket: Router;
  readonly #transport: string;
  readonly #handler: ConnectionHandler;
  readonly #clients = new Map<ClientKey, Client>();
  /** Unguessable, so that no client can forge the farewell of another. */
  readonly #farewell = randomBytes(24);
  #heldBytes = 0;
  #heldMessages = 0;
  #closing = false;
  #wake: (() => void) | undefined;

  constructor(library: Library, transport: string, handler: ConnectionHandler) {
    this.#transport = transport;
    this.#handler = handler;
    // Mandatory: sending fails instead of losing the message if a client is gone or does not read. Time-out 0: it
    // fails without waiting, so that such a client never delays the replies to the others.
    this.socket = new library.Router({
      ...commonOptions(library),
      ...highWaterMarks,
      mandatory: true,
      sendTimeout: 0,
    });
    announceDisconnects(this.socket, this.#farewell);
  }

  async run(): Promise<void> {
    while (!this.socket.closed) {
      if (this.#heldBytes > HELD_BYTES || this.#heldMessages > HELD_MESSAGES) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      let parts: Message[];
      try {
        parts = await this.socket.receive();
      } catch {
        // Without a time limit, receiving fails only if the socket is closed.
        return;
      }
      this.#take(parts);
    }
  }

  #take(parts: Message[]): void {
    const key = keyOf(parts[0] as Message);
    const body = parts.pop() as Message;
    let client = this.#clients.get(key);
    if (body.length === this.#farewell.length && body.equals(this.#farewell)) {
      // Messages that the client sent before it left are delivered first.
      if (client !== undefined) this.#inTurn(client, () => client?.connection.end());
      return;
    }
    const control = parts.length > 1 && isControl(parts[parts.length - 1], body);
    if (control) parts.pop();
    if (client === undefined) {
      if (control ? !isQuestion(body) : this.#closing) return;
      client = this.#welcome(key, parts, control ? NOBODY : this.#handler);
      // An empty first message is the library's probe (ZMQ_PROBE_ROUTER), which announces a client and carries nothing.
      if (body.length === 0 && parts.length === 1) {
        client.confirms = true;
        return;
      }
    }
    client.envelope = parts.length === 1 ? parts : parts.map((part) => (part.length === 0 ? null : part));
    // Held messages go first, also after `resume`, which delivers them in a microtask.
    if (control) this.#inTurn(client, () => client?.connection.control(body));
    else if (client.paused || client.held.length > 0) this.#hold(client, body);
    else client.connection.deliver(body);
  }

  /** Calls `act` once everything that came before has been delivered. */
  #inTurn(client: Client, act: () => void): void {
    if (client.paused || client.held.length > 0) this.#hold(client, act);
    else act();
  }

  #welcome(key: ClientKey, envelope: Message[], handler: ConnectionHandler): Client {
    const { socket } = this;
    const connection = new ZeromqConnection(
      {
        transport: this.#transport,
        get confirms() {
          return client.confirms;
        },
        transmit: (message) =>
          socket.send(Array.isArray(message) ? [...client.envelope, ...message] : [...client.envelope, message]),
        setPaused: (paused) => {
          client.paused = paused;
          if (!paused && client.held.length > 0) queueMicrotask(() => this.#unhold(client));
        },
        release: () => {
          this.#clients.delete(key);
          this.#forget(client);
        },
      },
      handler,
    );
    const client: Client = { connection, envelope, confirms: false, paused: false, held: [] };
    this.#clients.set(key, client);
    connection.open();
    return client;
  }

  #hold(client: Client, next: Message | (() => void)): void {
    client.held.push(next);
    this.#heldMessages++;
    if (typeof next !== "function") this.#heldBytes += next.length;
  }

  #unholdOne(client: Client): Message | (() => void) | undefined {
    const next = client.held.shift();
    if (next !== undefined) this.#heldMessages--;
    if (next !== undefined && typeof next !== "function") this.#heldBytes -= next.length;
    return next;
  }

  #unhold(client: Client): void {
    while (!client.paused) {
      const next = this.#unholdOne(client);
      if (next === undefined) break;
      if (typeof next === "function") next();
      else client.connection.deliver(next);
    }
    this.#wake?.();
  }

  #forget(client: Client): void {
    while (this.#unholdOne(client) !== undefined);
    this.#wake?.();
  }

  async closeConnections(lingerMs: number): Promise<void> {
    this.#closing = true;
    await Promise.allSettled([...this.#clients.values()].map(({ connection }) => connection.close()));
    this.socket.linger = lingerMs;
  }

  closeSockets(): void {
    this.socket.close();
    this.#wake?.();
  }
}

/** Sets a draft option of libzmq. Without it, the server notices the end of a client when a reply to it fails. */
function announceDisconnects(socket: Router, farewell: Buffer): void {
  const options = socket as unknown as { setStringOption(option: number, value: Buffer): void };
  try {
    options.setStringOption(DISCONNECT_MESSAGE_OPTION, farewell);
  } catch {
    // Without the option there are no announcements.
  }
}
