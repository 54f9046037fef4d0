import type { Capabilities, WaitMode } from "../transports/contract/capabilities.ts";
import type { IpcErrorCode } from "../transports/contract/errors.ts";
import type {
  Address,
  Connection,
  ConnectionHandler,
  LaunchedRawClient,
  OsObject,
  Place,
  RawClient,
  Transport,
  TransportDescription,
} from "../transports/contract/transport.ts";

/**
 * Common format of conformance cases (promises of the API) and scenarios (behaviour between processes). One runner
 * executes both, for the CLI, for the tests and on a user's own transport.
 */
export interface Check {
  /** Stable, unique name: `conformance/exchange/boundaries`, `sequential-requests`. */
  readonly id: string;
  /** A sentence that states the claim. */
  readonly title: string;
  /** Consequence in production when the claim is false. */
  readonly why: string;
  /** `true` for a part of the short run that `compare` does. */
  readonly quick?: boolean;
  /** `true` when it reads clocks or CPU time, so that nothing else may run beside it. */
  readonly alone?: boolean;
  /** `true` when it leaves the server healthy: `startPeer()` may return one that other such checks use too. */
  readonly sharesPeer?: boolean;
  /** `true` when it kills its server, which others may have shared: such checks run after them. */
  readonly killsPeer?: boolean;
  /** Typical duration, ms, for the prediction of a whole run; default 10. */
  readonly typicalMs?: number;
  /** Limit of the whole run, ms; default 20,000. The check fails when it is reached. */
  readonly timeoutMs?: number;
  /** Conditions that a transport must all meet for the claim to exist. */
  readonly needs: readonly Condition[];
  /** Resolves when the claim held; throws the observation otherwise. IPC_SHORTAGE means "unavailable", not failed. */
  run(context: CheckContext): Promise<void>;
}

/** Returns `true`, or the reason why a claim does not exist for such a transport. */
export type Condition = (capabilities: Capabilities, transport: TransportDescription) => true | string;

/** Returns the reason of the first unmet condition; undefined when the check applies to the transport. */
export function unmetNeed({ needs }: Check, transport: TransportDescription): string | undefined {
  for (const need of needs) {
    const answer = need(transport.capabilities, transport);
    if (answer !== true) return answer;
  }
  return undefined;
}

/**
 * Thrown by `run` when only running could show that the claim cannot be examined: this machine, this user or this
 * peer does not allow it. The result is "not applicable" with the message as its reason.
 */
export class NotApplicable extends Error {
  override readonly name = "NotApplicable";
}

/** Operations of a check. Once `run` settles, everything it started is ended and everything it allocated is swept. */
export interface CheckContext {
  readonly transport: Transport;
  /** Private directory of this check inside the run's, and the run's prefix. */
  readonly place: Place;
  /** Aborts when the check's time is over. */
  readonly signal: AbortSignal;
  /** A fresh address, written to the journal before it is returned. */
  allocate(): Promise<Address>;
  /** Starts a server process running one of the peer programs; resolves when it listens. */
  startPeer(options?: PeerOptions): Promise<Peer>;
  /** Opens a request/reply client on a connection of its own; rendezvous `parent` and `process` allow one per peer. */
  connect(peer: Peer, options?: ClientOptions): Promise<CheckClient>;
  /**
   * Runs clients in several processes against a peer; resolves when all are done. This process is one of several; a
   * single one is another process.
   *
   * @throws IpcError IPC_SHORTAGE when this machine is short of something for so many
   * @param onConnected called once, when all are connected and none has begun
   */
  runClients(peer: Peer, load: ClientLoad, onConnected?: () => void): Promise<readonly ClientResult[]>;
  /** Lets the server publish one-way messages to subscribers in this process; resolves with each one's counts. */
  publish(peer: Peer, load: FanOutLoad): Promise<readonly StreamTotals[]>;
  /** Opens a client that outlives its server: it reconnects with back-off and repeats idempotent requests. */
  reconnecting(peer: Peer): Promise<ReconnectingClient>;
  /**
   * Starts a process that sends, closes and exits at once. Resolves when it listens or has connected.
   *
   * @param parent handler of the connection when the process is launched (rendezvous `parent`)
   */
  startSender(plan: SenderPlan, parent?: ConnectionHandler): Promise<Sender>;
  /** Connects as the user `nobody` and returns the outcome. @throws NotApplicable unless we may change to that user */
  connectAsNobody(peer: Peer): Promise<ForeignOutcome>;
  connectRaw(address: Address): Promise<RawClient>;
  /** Launches a child that writes raw bytes to this process (rendezvous `parent`). */
  launchRaw(handler: ConnectionHandler): Promise<LaunchedRawClient>;
  residue(address: Address): Promise<readonly OsObject[]>;
  /** Adds a figure to the result: printed by `check`, kept in the report. */
  note(name: string, value: string | number | boolean): void;
}

export interface PeerOptions {
  /** Address to listen at; default: a fresh one. That of an ended peer restarts the server there. */
  readonly address?: Address;
  readonly key?: Uint8Array;
  /** Wait mode of the server; default: the first of the transport's `modes`. */
  readonly mode?: WaitMode;
  /** Language of the server, one of the transport's `peers`; default: that of the run. */
  readonly language?: string;
}

/** A running server process. */
export interface Peer {
  readonly address: Address;
  /** Its process id; the driver's own for rendezvous `process`. */
  readonly pid: number;
  /** Sends a signal; SIGKILL is how a check makes a server die. Resolves when the process is gone. */
  kill(signal: "SIGTERM" | "SIGKILL"): Promise<PeerExit>;
  /** Asks for an orderly end; resolves with the exit of the process. */
  stop(): Promise<PeerExit>;
  /** Settles when the process is gone, for any reason. */
  readonly exited: Promise<PeerExit>;
  /** Stops it by SIGSTOP, as a server that hangs. Resolves when all of it stands still. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Usage of a user's program, seen from outside; null where the system has none, and for our own servers. */
  usage(): Promise<ServerStatistics["usage"] | null>;
}

export interface PeerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Outcome of an attempt to connect as another user, after the same process had connected as ourselves. */
export interface ForeignOutcome {
  readonly connected: boolean;
  /** Code and message of the refusal. */
  readonly refusal?: string;
}

export interface ReconnectingClient {
  /**
   * @param options.idempotent repeat it on a new connection when the old one was lost before the reply. Other requests
   *   fail with the error of the lost connection, since the server may have handled them.
   * @throws IpcError as `CheckClient.request`; IPC_TIMEOUT when no server came back within `timeoutMs`
   */
  request(body: Uint8Array, options: RequestOptions & { readonly idempotent: boolean }): Promise<Uint8Array>;
  /** Number of connections opened so far. */
  readonly connections: number;
  /** Number of failed attempts to connect. */
  readonly failedAttempts: number;
  close(): Promise<void>;
}

export interface ClientOptions {
  readonly key?: Uint8Array;
  readonly signal?: AbortSignal;
}

/** Methods of the echo program; the number travels in the header's `method`. */
export const Method = {
  /** Replies with the same body. */
  echo: 0,
  /** Replies with the same body after a delay, ms: the u32 at the start of the body, or 0 for a short body. */
  echoLater: 1,
  /** Never replies. */
  ignore: 2,
  /** Ends the server process at once, as a crash would. */
  crash: 3,
  /** Begins an orderly shutdown: replies to all earlier requests and this one, refuses new ones, exits with 0. */
  shutdown: 4,
  /** Replies with JSON: {@link ServerStatistics}. */
  statistics: 5,
  /**
   * Replies with JSON: `usage` of the statistics alone, cheap enough before and after a measurement. With 1 as its body
   * a server on Node keeps its compiler from working until it is asked again.
   */
  usage: 6,
  /** Replies as `echoLater` does, from a pool of {@link POOL} worker threads; `busy` at once when its queue is full. */
  pooled: 7,
  /** Replies with JSON: {@link StreamTotals}, and restarts the count. */
  streamTotals: 8,
  /** Takes a JSON {@link Descriptor}, for data larger than a message; replies with that of an echo beside it. */
  descriptor: 9,
  /** Throws an uncaught exception outside of any handler. */
  throws: 10,
  /** Decodes the body with the codec the server was started with, encodes the value again, and replies with that. */
  recode: 11,
  /** Replies with the same body after CPU work, µs: the u32 at the start of the body, at most a second. */
  work: 12,
} as const;
export type Method = (typeof Method)[keyof typeof Method];

/** Largest JSON replies, bytes; a server whose messages are smaller replies `failed`. */
export const JSON_BYTES = { statistics: 240, streamTotals: 96 } as const;

/** Worker pool behind `Method.pooled`: number of running and of queued jobs; the next one is refused. */
export const POOL = { workers: 4, queue: 4, maxBodyBytes: 4096 } as const;

/** Counts of one-way messages since the last request for them; a header's id is its sequence number, from 0. */
export interface StreamTotals {
  readonly received: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
}

/** Data in memory that both processes reach: a file in a private directory, best on a memory file system. */
export interface Descriptor {
  readonly path: string;
  readonly bytes: number;
  /** CRC-32 of all bytes. */
  readonly checksum: number;
}

/** Statistics of a server process; -1 where its system does not provide one. */
export interface ServerStatistics {
  readonly pid: number;
  readonly rssBytes: number;
  readonly descriptors: number;
  readonly threads: number;
  /** Requests and one-way messages received so far, this one included. */
  readonly requests: number;
  readonly clients: number;
  /** Usage since the process started. */
  readonly usage: {
    readonly cpuMicros: number;
    readonly voluntarySwitches: number;
    readonly involuntarySwitches: number;
    readonly peakMemoryBytes: number;
    readonly gcPauseNs: number;
  };
}

export interface RequestOptions {
  readonly method?: Method;
  /** Time-out, ms, default 5000. Then the request rejects with IPC_TIMEOUT, and a late reply is dropped. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The request/reply client that checks use. */
export interface CheckClient {
  readonly connection: Connection;
  /** Resolves with the body of the verified reply. Waits for a free slot when `maxInFlight` requests are outstanding.
   *  @throws IpcError IPC_TIMEOUT, IPC_PEER_LOST, IPC_CLOSED, IPC_TOO_LARGE, IPC_MALFORMED, IPC_ABORTED */
  request(body: Uint8Array, options?: RequestOptions): Promise<Uint8Array>;
  /** Sends without asking for a reply; resolves when the transport took it. */
  oneWay(body: Uint8Array, sequence?: number): Promise<void>;
  /** Replies so far that belonged to no request in flight, such as duplicates and late ones. */
  readonly unexpected: number;
  /** Messages so far that were no valid reply. */
  readonly corrupted: number;
  /** Settles when the connection has closed; with the error, if one ended it. */
  readonly closed: Promise<Error | undefined>;
  close(): Promise<void>;
}

export interface SenderPlan {
  /** `client`: it connects to `address`. `server`: it listens there and sends to its first client. */
  readonly side: "client" | "server";
  readonly address: Address;
  readonly bodyBytes: number;
  /** Number of messages; fewer when `sendMs` ends before. At least one, unless this is 0. */
  readonly messages: number;
  readonly sendMs: number;
  /** Set when it also reads: it pauses at its first message for this time, and closes when the other side has. */
  readonly readsAfterMs?: number;
}

export interface Sender {
  /** Address it listens at; the plan's for a client. */
  readonly address: Address;
  /** Starts the sending. */
  begin(): void;
  /** Settles when its process has exited. */
  readonly outcome: Promise<SenderOutcome>;
}

export interface SenderOutcome {
  /** Number of messages that `send` took; the u32 at the start of each is its number. */
  readonly taken: number;
  readonly received: number;
  /** Result of `close`. */
  readonly close: "resolved" | IpcErrorCode;
}

export interface FanOutLoad {
  readonly subscribers: number;
  readonly messages: number;
  readonly bodyBytes: number;
}

export interface ClientLoad {
  readonly processes: number;
  readonly connectionsEach: number;
  readonly requestsEach: number;
  readonly bodyBytes: number;
}

/** Result of one client process; every reply was verified against its own request. */
export interface ClientResult {
  readonly completed: number;
  /** Number of replies that matched no request, or another than they claimed. */
  readonly crossed: number;
  readonly failed: number;
  readonly firstError?: string;
  /** Resource this machine was short of, when that ended a request. */
  readonly shortage?: string;
}
