import { IpcError, toIpcError } from "../contract/errors.ts";
import type {
  Address,
  BlockingConnection,
  BlockingServer,
  BlockingTransport,
  Connection,
  ConnectionHandler,
  Server,
} from "../contract/transport.ts";
import { ClosesOnce } from "./closing.ts";

/** Blocking server that also lists its clients, which the contract does not ask for. */
export interface ObservableServer extends BlockingServer {
  readonly connections: readonly BlockingConnection[];
  /** True if the last `receive` returned -1 although messages may be left: it skipped some that were for others. */
  readonly hasMore?: boolean;
}

/** Blocking connection that also tells an orderly end from a death, which the contract does not ask for. */
export interface ObservableConnection extends BlockingConnection {
  readonly endedOrderly: boolean;
  /** True if a message of that size fits now. Without this function, senders must retry even if there is no room. */
  hasRoom(bytes: number): boolean;
}

/** A connection that is opened in steps, which do not wait. */
export interface Opening {
  /** @returns the connection once it is open @throws IpcError, and then leaves nothing behind */
  step(waitMs: number): BlockingConnection | undefined;
  abandon(): void;
}

/** Blocking transport that can also connect without blocking the event loop. */
export interface SteppedTransport extends BlockingTransport {
  begin(address: Address, timeoutMs: number): Opening;
}

/** Decides when there may be something to do. */
export interface PollSchedule {
  /** Calls `turn` from time to time, and again immediately while it returns true. */
  start(turn: () => boolean): void;
  /** Calls `turn` soon: a message could not be sent, and no event announces room for it. */
  hurry(): void;
  stop(): void;
}

export interface Limits {
  readonly id: string;
  readonly maxMessageBytes: number;
}

/** Maximum number of messages taken in one turn, so that timers can run too. */
const BATCH = 64;

/** A connection in event mode over a blocking one, which is only polled. */
export class PolledEventConnection extends ClosesOnce implements Connection {
  readonly #limits: Limits;
  readonly #connection: BlockingConnection;
  readonly #handler: ConnectionHandler;
  readonly #schedule: PollSchedule;
  readonly #buffer: Uint8Array | undefined;
  readonly #onEnd: (() => void) | undefined;
  #open = true;
  /** Size of the message that was refused last; -1 when no sender waits for room. */
  #wantedBytes = -1;
  paused = false;

  /** @param onEnd passed by a server, which then receives for all its connections */
  constructor(
    limits: Limits,
    connection: BlockingConnection,
    handler: ConnectionHandler,
    schedule: PollSchedule,
    onEnd?: () => void,
  ) {
    super();
    this.#limits = limits;
    this.#connection = connection;
    this.#handler = handler;
    this.#onEnd = onEnd;
    this.#buffer = onEnd === undefined ? new Uint8Array(limits.maxMessageBytes) : undefined;
    this.#schedule = schedule;
  }

  start(): void {
    this.#schedule.start(() => this.#receive());
  }

  send(message: Uint8Array): boolean {
    if (!this.#open || this.isClosing) throw closed(this.#limits.id);
    const taken = this.#connection.send(message, 0);
    if (!taken) {
      this.#wantedBytes = message.length;
      this.#schedule.hurry();
    }
    return taken;
  }

  offerRoom(): void {
    if (this.#wantedBytes < 0 || !this.#open || this.isClosing) return;
    const { hasRoom } = this.#connection as Partial<ObservableConnection>;
    if (hasRoom?.call(this.#connection, this.#wantedBytes) === false) return this.#schedule.hurry();
    this.#wantedBytes = -1;
    this.#handler.onWritable(this);
  }

  deliver(message: Uint8Array): void {
    if (this.#open && !this.isClosing) this.#handler.onMessage(message, this);
  }

  #receive(): boolean {
    this.offerRoom();
    const buffer = this.#buffer as Uint8Array;
    try {
      for (let i = 0; i < BATCH; i++) {
        if (this.paused || !this.#open) return false;
        const length = this.#connection.receive(buffer, 0);
        if (length < 0) return i > 0;
        this.deliver(buffer.subarray(0, length));
      }
      return true;
    } catch (error) {
      this.end(error);
      return false;
    }
  }

  /** @param error the reason, if the other side did not end the connection in order */
  end(error?: unknown): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#onEnd === undefined) this.#schedule.stop();
    const orderly = error === undefined || (this.#connection as Partial<ObservableConnection>).endedOrderly === true;
    this.#connection[Symbol.dispose]();
    this.#onEnd?.();
    if (orderly) this.#handler.onClose(this);
    else this.#handler.onClose(this, toIpcError(error, this.#limits.id));
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#schedule.hurry();
  }

  protected override async closeOnce(): Promise<void> {
    // `onClose` must not run inside the call of `close`, only after it.
    await Promise.resolve();
    this.end();
  }
}

/** A server in event mode over a blocking one. */
export class PolledEventServer extends ClosesOnce implements Server {
  readonly #limits: Limits;
  readonly #server: BlockingServer;
  readonly #handler: ConnectionHandler;
  readonly #connections = new Map<BlockingConnection, PolledEventConnection>();
  readonly #schedule: PollSchedule;
  readonly #buffer: Uint8Array;

  constructor(limits: Limits, server: BlockingServer, handler: ConnectionHandler, schedule: PollSchedule) {
    super();
    this.#limits = limits;
    this.#server = server;
    this.#handler = handler;
    this.#buffer = new Uint8Array(limits.maxMessageBytes);
    this.#schedule = schedule;
    schedule.start(() => this.#turn());
  }

  get address(): Server["address"] {
    return this.#server.address;
  }

  #turn(): boolean {
    for (const connection of this.#connections.values()) connection.offerRoom();
    let taken = 0;
    let hasMore = false;
    // A blocking server cannot skip a client, so one paused connection stops them all: good enough for checks.
    while (taken < BATCH && !this.#isPaused()) {
      const length = this.#server.receive(this.#buffer, 0);
      const { from } = this.#server;
      if (length < 0) {
        hasMore = (this.#server as Partial<ObservableServer>).hasMore === true;
        break;
      }
      taken++;
      if (from !== undefined) this.#connectionOf(from).deliver(this.#buffer.subarray(0, length));
      if (this.isClosing) return false;
    }
    this.#observe();
    return taken > 0 || hasMore;
  }

  #isPaused(): boolean {
    for (const connection of this.#connections.values()) if (connection.paused) return true;
    return false;
  }

  #connectionOf(connection: BlockingConnection): PolledEventConnection {
    const known = this.#connections.get(connection);
    if (known !== undefined) return known;
    const forget = (): void => void this.#connections.delete(connection);
    const bridged = new PolledEventConnection(this.#limits, connection, this.#handler, this.#schedule, forget);
    this.#connections.set(connection, bridged);
    this.#handler.onOpen(bridged);
    return bridged;
  }

  /** Finds newcomers before their first message, and clients that are gone. */
  #observe(): void {
    const present = (this.#server as Partial<ObservableServer>).connections;
    if (present === undefined) return;
    for (const connection of present) this.#connectionOf(connection);
    for (const [connection, bridged] of [...this.#connections]) {
      if (!present.includes(connection))
        bridged.end(new IpcError("IPC_PEER_LOST", `${this.#limits.id}: the client is gone`));
    }
  }

  protected override async closeOnce(): Promise<void> {
    this.#schedule.stop();
    await Promise.resolve();
    for (const connection of [...this.#connections.values()]) connection.end();
    this.#server[Symbol.dispose]();
  }
}

function closed(id: string): IpcError {
  return new IpcError("IPC_CLOSED", `${id}: this end is closed`, { transport: id });
}
