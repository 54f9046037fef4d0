import type { Capabilities } from "./capabilities.ts";
import type { IpcError } from "./errors.ts";

/** A private directory (mode 0700) and an unguessable name prefix; one of each per run. */
export interface Place {
  /** Absolute path of a directory that belongs to this run alone. */
  readonly directory: string;
  /** `ipcmark-` and 16 hexadecimal digits: start of the names of kernel objects outside the directory (shm, queues). */
  readonly prefix: string;
}

/** Address of a server. Plain data, which travels between the processes as JSON. */
export interface Address {
  /** Id of the transport that allocated it. */
  readonly transport: string;
  /** A path, a `host:port` or a kernel name, as the transport defines it. Every OS name is a pure function of this. */
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
 * Callbacks for the owner of a connection. Handed over when opening, so that no message can be missed.
 * Never called from inside `send`.
 */
export interface ConnectionHandler {
  /** Called first, on both sides. From here on `send` is allowed, so a server may send first. */
  onOpen(connection: Connection): void;
  /** Gets one whole message, borrowed until this call returns: copy what you keep. */
  onMessage(message: Uint8Array, connection: Connection): void;
  /** Called when a `send` that returned false can be tried again. */
  onWritable(connection: Connection): void;
  /** Called exactly once, last; `error` is absent after an orderly close by either side. */
  onClose(connection: Connection, error?: IpcError): void;
}

/** One end of an open exchange in event mode: it never blocks the thread. */
export interface Connection extends AsyncDisposable {
  /**
   * Takes one whole message or nothing.
   *
   * @returns true: taken, and the buffer may be reused at once. false: nothing was taken, and `onWritable` follows.
   * @throws IpcError IPC_TOO_LARGE (above `maxMessageBytes`), IPC_CLOSED, IPC_UNSUPPORTED (no such direction here)
   */
  send(message: Uint8Array): boolean;
  /** Stops `onMessage`; at most one more message follows. A receiver that cannot answer should pause, not queue. */
  pause(): void;
  /** Undoes `pause`. */
  resume(): void;
  /**
   * Delivers what was taken, then closes. Resolves when the other side has it all, so that this process may exit. Also
   * resolves when the other side died; `onClose` gets the error. Idempotent: later calls return the same promise.
   *
   * @param timeoutMs default 5000; after it the connection is torn down and the promise rejects with IPC_TIMEOUT. Only
   *   time in which this process could run counts.
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
export interface LaunchedPeer {
  readonly connection: Connection;
  readonly pid: number;
  /** The parent's end of the peer's descriptor 3. */
  readonly control: import("node:stream").Duplex;
  /** Settles when the process has ended; `code` is null when a signal ended it. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** One end in blocking mode: calls may sleep or spin, and allocate nothing per message. */
export interface BlockingConnection extends Disposable {
  /**
   * @returns false when the time ran out and nothing of it was sent. If a part was sent, it returns true, and the next
   *   call sends the rest first.
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
  /** Receives the next message of any client and accepts newcomers meanwhile. As `BlockingConnection.receive`, except
   *  that a lost client is not an error of the server: it is forgotten and waiting goes on. */
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

/** A client below our framing: raw bytes (or raw messages), for the security checks. */
export interface RawClient extends AsyncDisposable {
  /** Resolves when the OS took the bytes; rejects when the other side is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** Settles when the server has hung up. */
  readonly closed: Promise<void>;
}

/** Child of its launcher that writes raw bytes where its messages belong. `closed` settles when the parent hung up. */
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
  /** One sentence about it: the id, the command, `what` it did, and the last line of its output. */
  account(what: string): string;
}

/** Server that is a program with its own protocol and answers requests alone. Its transport adapts the client. */
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
 * Description of a transport, available without running it. From another process it is plain data, and its faces show
 * only that they exist.
 */
export interface TransportDescription {
  /** Stable name used everywhere: `unix`, `shm/futex`. */
  readonly id: string;
  readonly capabilities: Capabilities;
  /** Id of the transport that has the same code on this platform: results of one hold for the other. */
  readonly sameAs?: string;
  readonly event?: { readonly launch?: unknown };
  readonly blocking?: object;
  /**
   * True where open connections work even while nobody sends: they ping, poll or scan. The harness then keeps none of
   * them idle while it measures others.
   */
  readonly activeWhenIdle?: true;
  /** Peers in other languages: name -> command that starts one, for example `python`. */
  readonly peers?: Readonly<Record<string, readonly [string, ...string[]]>>;
  /** Server that the harness did not write: started instead of one of our peers. Event face only. */
  readonly program?: object;
  /** Present where raw bytes can be sent below our framing, at an address or by the child that is launched. */
  readonly connectRaw?: unknown;
  readonly launchRaw?: unknown;
}

/**
 * One IPC mechanism. Importing the module that defines it loads no library of the mechanism and never fails.
 * At least one of `event` and `blocking` is there.
 */
export interface Transport extends TransportDescription {
  /** Never throws. */
  probe(): Promise<Availability>;
  /** Returns a fresh address at this place; creates nothing but, where needed, directories inside it. */
  allocate(place: Place): Promise<Address>;
  readonly event?: EventTransport;
  readonly blocking?: BlockingTransport;
  readonly program?: ServerProgram;
  /** Opens a connection that speaks raw bytes; absent where the mechanism has no way in below our framing. */
  connectRaw?(address: Address): Promise<RawClient>;
  /** Launches a child that writes raw bytes, where the child is the way in (`parent`). `handler` is as for `launch`. */
  launchRaw?(handler: ConnectionHandler): Promise<LaunchedRawClient>;
  /** Lists all that the OS holds for this address, also while in use; empty after a clean end. */
  residue(address: Address): Promise<readonly OsObject[]>;
  /** Removes what a crash left behind. Idempotent. Never called while a server of this address lives. */
  sweep(address: Address): Promise<void>;
}
