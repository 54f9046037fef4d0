import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError } from "../contract/errors.ts";
import type {
  Address,
  Connection,
  ConnectionHandler,
  EventTransport,
  OpenOptions,
  Server,
  Transport,
} from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { ClosesOnce } from "../support/closing.ts";
import { Deadline } from "../support/deadline.ts";
import { distinctName } from "../support/distinct-name.ts";

const ID = "loopback";
/** Bytes one direction may hold before `send` returns false. */
const OUTBOX_BYTES = 1024 * 1024;

const RESOLVED = Promise.resolve();

/** Servers of this process by address name; no other process can reach them. */
const listening = new Map<string, LoopbackServer>();

/** Connection that delivers a message in the next microtask: never inside `send`, never through a timer. */
class LoopbackConnection extends ClosesOnce implements Connection {
  #peer: LoopbackConnection | undefined;
  readonly #handler: ConnectionHandler;
  /** Copies of messages from the other side, not delivered yet; index `#head` is next. */
  readonly #inbox: Uint8Array[] = [];
  #head = 0;
  #inboxBytes = 0;
  #scheduled = false;
  #paused = false;
  #open = true;
  #blocked = false;
  #spare: Uint8Array | undefined;
  readonly #drained: (() => void)[] = [];
  readonly #deliver = (): void => this.#drain();

  constructor(handler: ConnectionHandler) {
    super();
    this.#handler = handler;
  }

  static pair(a: ConnectionHandler, b: ConnectionHandler): [LoopbackConnection, LoopbackConnection] {
    const left = new LoopbackConnection(a);
    const right = new LoopbackConnection(b);
    left.#peer = right;
    right.#peer = left;
    return [left, right];
  }

  send(message: Uint8Array): boolean {
    if (message.length > UNBOUNDED_MESSAGE_BYTES) throw tooLarge(message.length);
    const peer = this.#peer;
    if (!this.#open || peer === undefined)
      throw new IpcError("IPC_CLOSED", "loopback: the connection is closed", { transport: ID });
    if (peer.#inboxBytes > 0 && peer.#inboxBytes + message.length > OUTBOX_BYTES) {
      this.#blocked = true;
      return false;
    }
    peer.#take(message);
    return true;
  }

  #take(message: Uint8Array): void {
    // Reuses one buffer of the last size, so that a ping-pong allocates nothing, as with a real transport.
    let copy = this.#spare;
    if (copy?.length === message.length) this.#spare = undefined;
    else copy = new Uint8Array(message.length);
    copy.set(message);
    this.#inbox.push(copy);
    this.#inboxBytes += message.length;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused) return;
    this.#scheduled = true;
    // Not `queueMicrotask`: Node wraps each call in an async resource, which costs twice as much as the delivery.
    void RESOLVED.then(this.#deliver);
  }

  #drain(): void {
    this.#scheduled = false;
    while (!this.#paused && this.#head < this.#inbox.length) {
      const message = this.#inbox[this.#head++] as Uint8Array;
      this.#inboxBytes -= message.length;
      if (this.#head === this.#inbox.length) {
        this.#inbox.length = 0;
        this.#head = 0;
      }
      if (this.#open) this.#handler.onMessage(message, this);
      this.#spare = message;
    }
    if (this.#inbox.length > 0) return;
    const peer = this.#peer;
    if (peer !== undefined) peer.#unblock();
    if (this.#drained.length > 0) for (const settle of this.#drained.splice(0)) settle();
  }

  #unblock(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#handler.onWritable(this);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#inbox.length > 0) this.#schedule();
  }

  protected override async closeOnce(timeoutMs: number): Promise<void> {
    const peer = this.#peer;
    if (!this.#open || peer === undefined) return;
    this.#open = false;
    const late = Promise.withResolvers<"late">();
    const deadline = new Deadline(timeoutMs, () => late.resolve("late"));
    const empty =
      peer.#inbox.length === 0 ? Promise.resolve() : new Promise<void>((resolve) => peer.#drained.push(resolve));
    const outcome = await Promise.race([empty, late.promise]);
    deadline.clear();
    this.#end();
    peer.#open = false;
    peer.#end();
    if (outcome === "late") {
      throw new IpcError("IPC_TIMEOUT", `loopback: the other end did not read for ${timeoutMs} ms`, { transport: ID });
    }
  }

  #ended = false;

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#peer = undefined;
    this.#inbox.length = 0;
    this.#handler.onClose(this);
  }

  open(): void {
    this.#handler.onOpen(this);
  }
}

class LoopbackServer implements Server {
  readonly address: Address;
  readonly handler: ConnectionHandler;
  readonly connections = new Set<LoopbackConnection>();

  constructor(address: Address, handler: ConnectionHandler) {
    this.address = address;
    this.handler = handler;
  }

  async close(): Promise<void> {
    if (listening.get(this.address.name) === this) listening.delete(this.address.name);
    await Promise.all([...this.connections].map((connection) => connection.close()));
    this.connections.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const event: EventTransport = {
  async listen(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
    refuseAborted(options);
    if (listening.has(address.name)) {
      throw new IpcError("IPC_ADDRESS_IN_USE", `loopback: a server is listening at ${address.name}`, { transport: ID });
    }
    const server = new LoopbackServer(address, handler);
    listening.set(address.name, server);
    return server;
  },

  async connect(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Connection> {
    refuseAborted(options);
    const server = listening.get(address.name);
    if (server === undefined) {
      throw new IpcError("IPC_PEER_LOST", `loopback: nobody listens at ${address.name}`, { transport: ID });
    }
    const [client, accepted] = LoopbackConnection.pair(handler, server.handler);
    server.connections.add(accepted);
    accepted.open();
    client.open();
    return client;
  },
};

function refuseAborted(options: OpenOptions | undefined): void {
  if (options?.signal?.aborted) throw new IpcError("IPC_ABORTED", "loopback: aborted", { transport: ID });
}

function tooLarge(bytes: number): IpcError {
  return new IpcError("IPC_TOO_LARGE", `loopback: ${bytes} bytes exceed the limit of ${UNBOUNDED_MESSAGE_BYTES}`, {
    transport: ID,
  });
}

/**
 * Both ends in one process: messages are copied and handed over in a microtask.
 * The reference implementation of the contract; its times are the cost of the harness itself.
 */
export const loopback: Transport = {
  id: ID,
  capabilities: streamCapabilities({
    rendezvous: "process",
    boundaries: "library",
    backpressure: "outbox",
    auth: [],
    platforms: ["linux", "darwin", "win32"],
    languages: [],
  }),
  async probe() {
    return { available: true, version: `node ${process.versions.node}` };
  },
  async allocate() {
    return { transport: ID, name: `loopback-${distinctName()}` };
  },
  event,
  async residue() {
    return [];
  },
  async sweep() {},
};
