import type { Capabilities } from "./capabilities.ts";
import type { IpcError } from "./errors.ts";

/** A private directory (mode 0700) and an unguessable name prefix. Every run has its own. */
export interface Place {
  /** Absolute path of a directory that belongs to this run alone. */
  readonly directory: string;
  /** `ipcmark-` and 16 hexadecimal digits: start of the names of kernel objects outside the directory (shm, queues). */
  readonly prefix: string;
}

/** Address of a server: plain data, sent between the processes as JSON. */
export interface Address {
  /** Id of the transport that allocated it. */
  readonly transport: string;
  /** A path, a `host:port` or a kernel name, as the transport defines it. All names in the OS are derived from this. */
  readonly name: string;
  readonly options?: Readonly<Record<string, string | number | boolean>>;
}

export interface OpenOptions {
  /** Ends a pending `listen` or `connect` with IPC_ABORTED. */
  readonly signal?: AbortSignal;
  /** Shared secret, for transports whose capabilities list `shared-key`. */
  readonly key?: Uint8Array;
}

/**
 * Callbacks for the owner of a connection. The owner passes them when it opens the connection, so that it misses no
 * message. No callback is called from inside `send`.
 */
export interface ConnectionHandler {
  /** Called first, on both sides. From here on `send` is allowed, so a server may send first. */
  onOpen(connection: Connection): void;
  /** Gets one whole message, borrowed until this call returns: copy what you keep. */
  onMessage(message: Uint8Array, connection: Connection): void;
  /** Called when the owner can retry a `send` that returned false. */
  onWritable(connection: Connection): void;
  /** Called exactly once, last; `error` is absent after an orderly close by either side. */
  onClose(connection: Connection, error?: IpcError): void;
}

/** One end of an open exchange in event mode: it never blocks the thread. */
export interface Connection extends AsyncDisposable {
  /**
   * Takes one whole message or nothing.
   *
   * @returns true: the message was taken and the buffer may be reused. false: nothing was taken; `onWritable` follows.
   * @throws IpcError IPC_TOO_LARGE (above `maxMessageBytes`), IPC_CLOSED, IPC_UNSUPPORTED (no such direction here)
   */
  send(message: Uint8Array): boolean;
  /** Stops `onMessage`; at most one more message follows. A receiver that cannot reply should pause and not queue. */
  pause(): void;
  /** Undoes `pause`. */
  resume(): void;
  /**
   * Delivers the messages taken, then closes. Resolves when the other side has all of them, so that this process may
   * exit, or when the other side has died; `onClose` then gets the error. Later calls return the same promise, and
   * `onClose` has been called before it settles.
   *
   * @param timeoutMs default 5000. Afterwards the connection is cut and the promise rejects with IPC_TIMEOUT. Only time
   *   in which this process could run counts.
   */
  close(timeoutMs?: number): Promise<void>;
}

/** A listening end in event mode. */
export interface Server extends AsyncDisposable {
  /** Address where clients connect; differs from the requested one where the OS chose a part, such as a TCP port. */
  readonly address: Address;
  /** Refuses newcomers, closes every connection and removes what the server created. Idempotent. */
  close(): Promise<void>;
}

/** The face for event loops. */
export interface EventTransport {
  /** @throws IpcError IPC_ADDRESS_IN_USE (live server, or not ours), IPC_ABORTED, IPC_SHORTAGE, IPC_SYSTEM */
  listen(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server>;
  /** @throws IpcError IPC_PEER_LOST, IPC_AUTH_FAILED, IPC_ABORTED, IPC_TIMEOUT, IPC_SHORTAGE, IPC_SYSTEM */
  connect(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Connection>;
  /** Starts the peer process (rendezvous `parent`) and returns the connection to it. The caller reaps `pid`. */
  launch?(
    command: readonly [string, ...string[]],
    handler: ConnectionHandler,
    options?: LaunchOptions,
  ): Promise<LaunchedPeer>;
}

export interface LaunchOptions extends OpenOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Result of `launch`. The peer's control channel (JSON lines, both ways) is its file descriptor 3. */
export interface LaunchedPeer<Opened = Connection> {
  readonly connection: Opened;
  readonly pid: number;
  /** The parent's end of the peer's descriptor 3. */
  readonly control: import("node:stream").Duplex;
  /** Settles when the process has ended; `code` is null when a signal ended it. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** One end of a connection in blocking mode. Calls may sleep or spin; they allocate nothing per message. */
export interface BlockingConnection extends Disposable {
  /**
   * @returns false when the time ran out before any byte was sent. If a part of the message was sent, returns true, and
   *   the next call sends the rest first.
   * @throws IpcError IPC_TOO_LARGE, IPC_CLOSED, IPC_PEER_LOST
   */
  send(message: Uint8Array, timeoutMs: number): boolean;
  /**
   * @returns the length copied to the start of `into`, or -1 when the time ran out.
   * @throws IpcError IPC_PEER_LOST, IPC_CLOSED, IPC_MALFORMED, IPC_TOO_LARGE (`into` is too small; the message is gone)
   */
  receive(into: Uint8Array, timeoutMs: number): number;
}

/** A listening end in blocking mode. */
export interface BlockingServer extends Disposable {
  readonly address: Address;
  /** Receives the next message of any client and accepts newcomers meanwhile. Does the same as
   *  `BlockingConnection.receive`, but a lost client is no error: the server forgets it and waits on. */
  receive(into: Uint8Array, timeoutMs: number): number;
  /** Sender of the message that `receive` returned last; undefined before the first. */
  readonly from: BlockingConnection | undefined;
}

/** The face for threads that may sleep. */
export interface BlockingTransport {
  /** @throws IpcError as `EventTransport.listen` */
  listen(address: Address, options?: OpenOptions): BlockingServer;
  /** @throws IpcError as `EventTransport.connect` */
  connect(address: Address, timeoutMs: number, options?: OpenOptions): BlockingConnection;
  /** Starts the peer process, as `EventTransport.launch`, and returns a blocking connection to it. */
  launch?(command: readonly [string, ...string[]], options?: LaunchOptions): Promise<LaunchedPeer<BlockingConnection>>;
}

/** Result of a probe: a version receipt, or the reason why the mechanism does not work here, with its remedy. */
export type Availability =
  | { readonly available: true; readonly version: string }
  | { readonly available: false; readonly reason: string };

/** Object that the operating system holds on behalf of an address. */
export interface OsObject {
  readonly kind: "path" | "shm" | "queue" | "semaphore" | "port" | "pipe";
  readonly name: string;
  /** Permission bits such as 0o600, where the object has any. */
  readonly mode?: number;
}

/** A client without our framing, which sends raw bytes (or raw messages) for the security checks. */
export interface RawClient extends AsyncDisposable {
  /** Resolves when the OS took the bytes; rejects when the other side is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** Settles when the server has closed the connection. */
  readonly closed: Promise<void>;
}

/** Launched child that writes raw bytes instead of messages. `closed` settles when the parent closed the connection. */
export interface LaunchedRawClient extends RawClient {
  readonly pid: number;
}

/** A program that runs as a server, and is the child of whoever started it. */
export interface ProgramServer {
  /** Process id; the process leads a group of its own. */
  readonly pid: number;
  /** Settles when that process has ended; `code` is null when a signal ended it. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Signals all processes of its group; no error when they have ended. */
  signal(name: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
  /** Returns a sentence about the program: its id, its command, `what` it did, and the last line of its output. */
  account(what: string): string;
}

/** Server that is a program with its own protocol and only replies to requests. Its transport adapts the client. */
export interface ServerProgram {
  /**
   * Starts the program and resolves when it is ready.
   *
   * @param signal ends a pending start with IPC_ABORTED, and the program with it
   * @throws IpcError IPC_ADDRESS_IN_USE, IPC_TIMEOUT, IPC_SYSTEM; nothing of the program runs on
   */
  start(address: Address, signal: AbortSignal): Promise<ProgramServer>;
}

/**
 * Description of a transport, available without running it. When it comes from another process it is plain data, and
 * `event` and `blocking` show only that the faces exist.
 */
export interface TransportDescription {
  /** Stable name used everywhere: `unix`, `shm/futex`. */
  readonly id: string;
  readonly capabilities: Capabilities;
  /** Id of a transport that runs the same code on this platform: the results of one are valid for the other. */
  readonly sameAs?: string;
  readonly event?: { readonly launch?: unknown };
  readonly blocking?: object;
  /**
   * True if open connections use CPU time even while nobody sends: they ping, poll or scan. The harness then keeps no
   * idle connection of this transport open while it measures others.
   */
  readonly activeWhenIdle?: true;
  /** True if the messages of a launched peer travel on its standard output. Anything else it prints is malformed. */
  readonly usesStandardOutput?: true;
  /** Peers in other languages: name -> command that starts one, for example `python`. */
  readonly peers?: Readonly<Record<string, readonly [string, ...string[]]>>;
  /** Measuring clients in other languages, as `peers`. */
  readonly clients?: Readonly<Record<string, readonly [string, ...string[]]>>;
  /** Server that is not part of the harness, started instead of one of our peers. Only for the event face. */
  readonly program?: object;
  /** Present if raw bytes can be sent without our framing, to an address or by a launched child. */
  readonly connectRaw?: unknown;
  readonly launchRaw?: unknown;
}

/**
 * One IPC mechanism. Importing the module that defines it loads no library of the mechanism and never fails.
 * At least one of `event` and `blocking` is present.
 */
export interface Transport extends TransportDescription {
  /** Never throws. */
  probe(): Promise<Availability>;
  /** Returns a new address at this place; creates nothing except directories inside it, where needed. */
  allocate(place: Place): Promise<Address>;
  readonly event?: EventTransport;
  readonly blocking?: BlockingTransport;
  readonly program?: ServerProgram;
  /** Opens a connection that sends raw bytes; absent if the mechanism offers no way around our framing. */
  connectRaw?(address: Address): Promise<RawClient>;
  /** Launches a child that writes raw bytes; for rendezvous `parent`. `handler` is the same as for `launch`. */
  launchRaw?(handler: ConnectionHandler): Promise<LaunchedRawClient>;
  /** Lists all objects that the OS holds for this address, also while it is in use; empty after a clean end. */
  residue(address: Address): Promise<readonly OsObject[]>;
  /** Removes the objects that a crash left behind. Idempotent. Not called while a server of this address lives. */
  sweep(address: Address): Promise<void>;
}
