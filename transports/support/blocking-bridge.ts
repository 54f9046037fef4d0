import { IpcError, isIpcError, toIpcError } from "../contract/errors.ts";
import type {
  BlockingConnection,
  BlockingServer,
  BlockingTransport,
  Connection,
  ConnectionHandler,
  EventTransport,
  OpenOptions,
  Server,
  Transport,
} from "../contract/transport.ts";

/**
 * An event face for a mechanism that only blocks, so that one set of checks serves both. It asks without waiting on every
 * turn of the event loop, and every millisecond when nothing comes: in checks only, never in a measurement.
 *
 * Connecting does block, in short slices; a server in the same process would get no turn meanwhile.
 */
export function bridgeBlocking(transport: Transport): EventTransport {
  const { blocking } = transport;
  if (blocking === undefined) throw new TypeError(`${transport.id} has no blocking face to bridge`);
  const limits = { id: transport.id, maxMessageBytes: transport.capabilities.maxMessageBytes };
  return {
    async listen(address, handler, options) {
      refuseAborted(transport.id, options);
      return new BridgedServer(limits, blocking.listen(address, options), handler);
    },
    async connect(address, handler, options) {
      const connection = await connectInSlices(transport.id, blocking, address, options);
      const bridged = new BridgedConnection(limits, connection, handler);
      handler.onOpen(bridged);
      bridged.start();
      return bridged;
    },
  };
}

/** What a blocking server may tell beyond the contract; with it the bridge sees clients come and go. */
export interface ObservableServer extends BlockingServer {
  readonly connections: readonly BlockingConnection[];
}

/** What a blocking connection may tell beyond the contract: its end was a goodbye, not a death. */
export interface ObservableConnection extends BlockingConnection {
  readonly endedOrderly: boolean;
}

interface Limits {
  readonly id: string;
  readonly maxMessageBytes: number;
}

const CONNECT_SLICE_MS = 250;
const CONNECT_TIMEOUT_MS = 5000;
const IDLE_MS = 1;
/** Messages taken in one turn, so that timers get theirs. */
const BATCH = 64;

async function connectInSlices(
  id: string,
  blocking: BlockingTransport,
  address: Parameters<BlockingTransport["connect"]>[0],
  options: OpenOptions | undefined,
): Promise<BlockingConnection> {
  const untilMs = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    refuseAborted(id, options);
    try {
      return blocking.connect(address, CONNECT_SLICE_MS, options);
    } catch (error) {
      const again = isIpcError(error) && error.code === "IPC_TIMEOUT" && performance.now() < untilMs;
      if (!again) throw toIpcError(error, id);
    }
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  }
}

/** Calls `turn` again and again: at once while it returns true, after a pause when not. */
class Ticker {
  readonly #turn: () => boolean;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = true;

  constructor(turn: () => boolean) {
    this.#turn = turn;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#schedule(true);
  }

  stop(): void {
    this.#stopped = true;
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
  }

  #schedule(busy: boolean): void {
    const run = (): void => {
      const more = this.#turn();
      if (!this.#stopped) this.#schedule(more);
    };
    if (busy) this.#immediate = setImmediate(run);
    else this.#timer = setTimeout(run, IDLE_MS);
  }
}

class BridgedConnection implements Connection {
  readonly #limits: Limits;
  readonly #connection: BlockingConnection;
  readonly #handler: ConnectionHandler;
  readonly #ticker: Ticker;
  readonly #buffer: Uint8Array | undefined;
  readonly #onEnd: () => void;
  #open = true;
  #wantsRoom = false;
  paused = false;

  /** @param onEnd given by a server, which then does the receiving for all its connections */
  constructor(limits: Limits, connection: BlockingConnection, handler: ConnectionHandler, onEnd?: () => void) {
    this.#limits = limits;
    this.#connection = connection;
    this.#handler = handler;
    this.#onEnd = onEnd ?? (() => {});
    this.#buffer = onEnd === undefined ? new Uint8Array(limits.maxMessageBytes) : undefined;
    this.#ticker = new Ticker(() => this.#receive());
  }

  start(): void {
    this.#ticker.start();
  }

  send(message: Uint8Array): boolean {
    if (!this.#open) throw closed(this.#limits.id);
    const taken = this.#connection.send(message, 0);
    if (!taken) this.#wantsRoom = true;
    return taken;
  }

  /** There is no telling from outside whether there is room: the owner tries again, and may be refused again. */
  offerRoom(): void {
    if (!this.#wantsRoom || !this.#open) return;
    this.#wantsRoom = false;
    this.#handler.onWritable(this);
  }

  deliver(message: Uint8Array): void {
    if (this.#open) this.#handler.onMessage(message, this);
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

  /** @param error why, when the other side did not end it in an orderly way */
  end(error?: unknown): void {
    if (!this.#open) return;
    this.#open = false;
    this.#ticker.stop();
    const orderly = error === undefined || (this.#connection as Partial<ObservableConnection>).endedOrderly === true;
    this.#connection[Symbol.dispose]();
    this.#onEnd();
    if (orderly) this.#handler.onClose(this);
    else this.#handler.onClose(this, toIpcError(error, this.#limits.id));
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  async close(): Promise<void> {
    // Never from inside the caller's own turn: `onClose` follows the call, it does not interrupt it.
    await Promise.resolve();
    this.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class BridgedServer implements Server {
  readonly #limits: Limits;
  readonly #server: BlockingServer;
  readonly #handler: ConnectionHandler;
  readonly #connections = new Map<BlockingConnection, BridgedConnection>();
  readonly #ticker: Ticker;
  readonly #buffer: Uint8Array;
  #closing: Promise<void> | undefined;

  constructor(limits: Limits, server: BlockingServer, handler: ConnectionHandler) {
    this.#limits = limits;
    this.#server = server;
    this.#handler = handler;
    this.#buffer = new Uint8Array(limits.maxMessageBytes);
    this.#ticker = new Ticker(() => this.#turn());
    this.#ticker.start();
  }

  get address(): Server["address"] {
    return this.#server.address;
  }

  #turn(): boolean {
    for (const connection of this.#connections.values()) connection.offerRoom();
    let taken = 0;
    // The server hands over whatever comes next, so one that pauses holds up the others: enough for checks.
    while (taken < BATCH && !this.#isPaused()) {
      const length = this.#server.receive(this.#buffer, 0);
      const { from } = this.#server;
      if (length < 0) break;
      taken++;
      if (from !== undefined) this.#connectionOf(from).deliver(this.#buffer.subarray(0, length));
      if (this.#closing !== undefined) return false;
    }
    this.#observe();
    return taken > 0;
  }

  #isPaused(): boolean {
    for (const connection of this.#connections.values()) if (connection.paused) return true;
    return false;
  }

  #connectionOf(connection: BlockingConnection): BridgedConnection {
    const known = this.#connections.get(connection);
    if (known !== undefined) return known;
    const forget = (): void => void this.#connections.delete(connection);
    const bridged = new BridgedConnection(this.#limits, connection, this.#handler, forget);
    this.#connections.set(connection, bridged);
    this.#handler.onOpen(bridged);
    return bridged;
  }

  /** Sees newcomers before their first message, and those that are gone. */
  #observe(): void {
    const present = (this.#server as Partial<ObservableServer>).connections;
    if (present === undefined) return;
    for (const connection of present) this.#connectionOf(connection);
    for (const [connection, bridged] of [...this.#connections]) {
      if (!present.includes(connection))
        bridged.end(new IpcError("IPC_PEER_LOST", `${this.#limits.id}: the client is gone`));
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#ticker.stop();
    await Promise.resolve();
    for (const connection of [...this.#connections.values()]) connection.end();
    this.#server[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function refuseAborted(id: string, options: OpenOptions | undefined): void {
  if (options?.signal?.aborted) throw new IpcError("IPC_ABORTED", `${id}: aborted`, { transport: id });
}

function closed(id: string): IpcError {
  return new IpcError("IPC_CLOSED", `${id}: this end is closed`, { transport: id });
}
