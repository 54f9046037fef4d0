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
 * executes both, for the CLI and for the tests, also on a user's own transport.
 */
export interface Check {
  /** Stable, unique name: `conformance/exchange/boundaries`, `sequential-requests`. */
  readonly id: string;
  /** A sentence that states the claim. */
  readonly title: string;
  /** Consequence in production when the claim is false. */
  readonly why: string;
  /** `true` if it is a part of the short run of checks in `compare`. */
  readonly quick?: boolean;
  /** `true` if it reads clocks or CPU time, so that nothing else may run beside it. */
  readonly alone?: boolean;
  /** `true` if it leaves the server healthy: `startPeer()` may then return a server that other such checks use too. */
  readonly sharesPeer?: boolean;
  /** `true` if it kills its server. Such checks run after those that share one. */
  readonly killsPeer?: boolean;
  /** Typical duration, ms, for the prediction of a whole run; default 10. */
  readonly typicalMs?: number;
  /** Limit of the whole run, ms; default 20,000. The check fails when it is reached. */
  readonly timeoutMs?: number;
  /** Conditions that a transport must meet, all of them, for the claim to exist. */
  readonly needs: readonly Condition[];
  /** Resolves if the claim held; throws the observation otherwise. IPC_SHORTAGE means "unavailable", not "failed". */
  run(context: CheckContext): Promise<void>;
}

/** Returns `true`, or the reason why the claim does not exist for this transport. */
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
 * Thrown by `run` if the claim cannot be examined because this machine, this user or this peer does not allow it, and
 * only running could show that. The result is "not applicable" with the message as its reason.
 */
export class NotApplicable extends Error {
  override readonly name = "NotApplicable";
}

/** Operations that a check can use. After `run`, everything it started is ended, everything it allocated is swept. */
export interface CheckContext {
  readonly transport: Transport;
  /** Private directory of this check, inside the directory of the run, and the prefix of the run. */
  readonly place: Place;
  /** Aborts when the check's time is over. */
  readonly signal: AbortSignal;
  /** Returns a new address, and writes it to the journal before. */
  allocate(): Promise<Address>;
  /** Starts a server process running one of the peer programs; resolves when it listens. */
  startPeer(options?: PeerOptions): Promise<Peer>;
  /** Opens a request/reply client on a connection of its own; rendezvous `parent` and `process` allow one per peer. */
  connect(peer: Peer, options?: ClientOptions): Promise<CheckClient>;
  /**
   * Runs clients in several processes against a peer; resolves when all are done. With several processes, this process
   * is one of them; a single one is always another process.
   *
   * @throws IpcError IPC_SHORTAGE if this machine lacks something for so many clients
   * @param onConnected called once, when all are connected and none has begun
   */
  runClients(peer: Peer, load: ClientLoad, onConnected?: () => void): Promise<readonly ClientResult[]>;
  /** Makes the server publish one-way messages to subscribers in this process; resolves with the counts of each. */
  publish(peer: Peer, load: FanOutLoad): Promise<readonly StreamTotals[]>;
  /** Opens a client that outlives its server: it reconnects with back-off and repeats idempotent requests. */
  reconnecting(peer: Peer): Promise<ReconnectingClient>;
  /**
   * Starts a process that sends, closes and exits at once. Resolves when it listens or has connected.
   *
   * @param parent handler of the connection, if the process is launched (rendezvous `parent`)
   */
  startSender(plan: SenderPlan, parent?: ConnectionHandler): Promise<Sender>;
  /** Connects as the user `nobody` and returns the outcome. @throws NotApplicable if we may not become that user */
  connectAsNobody(peer: Peer): Promise<ForeignOutcome>;
  /**
   * Runs a server and a client in two sets of namespaces that share this directory and the named namespaces.
   *
   * @throws NotApplicable if this machine, or the user that runs this, cannot make namespaces
   */
  inContainers(shared: readonly Namespace[]): Promise<ContainerOutcome>;
  connectRaw(address: Address): Promise<RawClient>;
  /** Launches a child that writes raw bytes to this process (rendezvous `parent`). */
  launchRaw(handler: ConnectionHandler): Promise<LaunchedRawClient>;
  residue(address: Address): Promise<readonly OsObject[]>;
  /** Adds a figure to the result, which `check` prints and the report keeps. */
  note(name: string, value: string | number | boolean): void;
}

/** Namespaces of Linux that containers may share; `ipc` includes `/dev/shm`, as in container runtimes. */
export type Namespace = "network" | "ipc" | "pid";

export type ContainerOutcome =
  | {
      readonly works: true;
      /** Growth of the `/dev/shm` of this machine until the client was connected, bytes. */
      readonly sharedMemoryBytes: number;
    }
  | { readonly works: false; readonly error: string };

export interface PeerOptions {
  /** Address to listen at; default: a new one. The address of an ended peer restarts its server. */
  readonly address?: Address;
  readonly key?: Uint8Array;
  /** Wait mode of the server; default: the first of the transport's `modes`. */
  readonly mode?: WaitMode;
  /** Language of the server, one of the transport's `peers`; default: the language of the run. */
  readonly language?: string;
}

/** A running server process. */
export interface Peer {
  readonly address: Address;
  /** Process id of the server; for rendezvous `process` it is the driver's own. */
  readonly pid: number;
  /** Sends a signal (SIGKILL to make the server die). Resolves when the process is gone. */
  kill(signal: "SIGTERM" | "SIGKILL"): Promise<PeerExit>;
  /** Asks for an orderly end; resolves with the exit of the process. */
  stop(): Promise<PeerExit>;
  /** Settles when the process is gone, for any reason. */
  readonly exited: Promise<PeerExit>;
  /** Stops the server by SIGSTOP, so that it hangs. Resolves when all its threads stand still. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Usage of a user's program, read from outside; null if the system does not show it, and for our own servers. */
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
   * @param options.idempotent repeat the request on a new connection if the old one was lost before the reply. Other
   *   requests fail with the error of the lost connection, since the server may have handled them.
   * @throws IpcError as `CheckClient.request`; IPC_TIMEOUT if no server came back within `timeoutMs`
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

/** Methods of the echo program; the field `method` of the header contains the number. */
export const Method = {
  /** Replies with the same body. */
  echo: 0,
  /** Replies with the same body after a delay, ms: the u32 at the start of the body, or 0 for a short body. */
  echoLater: 1,
  /** Never replies. */
  ignore: 2,
  /** Ends the server process immediately, like a crash. */
  crash: 3,
  /** Begins an orderly shutdown: replies to all earlier requests and this one, refuses new ones, exits with 0. */
  shutdown: 4,
  /** Replies with JSON: {@link ServerStatistics}. */
  statistics: 5,
  /**
   * Replies with JSON: only the `usage` of the statistics, cheap enough before and after a measurement. If the body
   * is 1, a server on Node also keeps its compiler from working until the next such request.
   */
  usage: 6,
  /** Does the same as `echoLater` in a pool of {@link POOL} worker threads; replies `busy` if its queue is full. */
  pooled: 7,
  /** Replies with JSON: {@link StreamTotals}, and restarts the count. */
  streamTotals: 8,
  /** Takes a JSON {@link Descriptor} of data larger than a message; replies with the descriptor of a copy. */
  descriptor: 9,
  /** Throws an uncaught exception outside of any handler. */
  throws: 10,
  /** Decodes the body with the codec of the server, encodes the value again, and replies with the result. */
  recode: 11,
  /** Replies with the same body after CPU work; the u32 at the start of the body is its length, µs (at most 1 s). */
  work: 12,
  /** Replies with the recorded response of the message whose number is the `status` of the request. */
  replay: 13,
} as const;
export type Method = (typeof Method)[keyof typeof Method];

/** Largest JSON replies, bytes; a server whose messages are smaller replies `failed`. */
export const JSON_BYTES = { statistics: 240, streamTotals: 96 } as const;

/** Worker pool of `Method.pooled`: maximum numbers of running and of queued jobs; further jobs are refused. */
export const POOL = { workers: 4, queue: 4, maxBodyBytes: 4096 } as const;

/** Counts of one-way messages since the last request for them. The id in the header is the sequence number, from 0. */
export interface StreamTotals {
  readonly received: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
}

/** Description of data that both processes can read: a file in a private directory, best on a memory file system. */
export interface Descriptor {
  readonly path: string;
  readonly bytes: number;
  /** CRC-32 of all bytes. */
  readonly checksum: number;
}

/** Statistics of a server process; -1 for a value that its system does not provide. */
export interface ServerStatistics {
  readonly pid: number;
  readonly rssBytes: number;
  readonly descriptors: number;
  readonly threads: number;
  /** Requests and one-way messages received so far, including this request. */
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
  /** Time-out, ms, default 5000. After it the request rejects with IPC_TIMEOUT, and a late reply is dropped. */
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
  /** Messages so far that were not valid replies. */
  readonly corrupted: number;
  /** Settles when the connection has closed; with the error, if one ended it. */
  readonly closed: Promise<Error | undefined>;
  close(): Promise<void>;
}

export interface SenderPlan {
  /** `client`: connects to `address` and sends. `server`: listens there and sends to its first client. */
  readonly side: "client" | "server";
  readonly address: Address;
  readonly bodyBytes: number;
  /** Number of messages; fewer if `sendMs` ends before. At least one, unless this is 0. */
  readonly messages: number;
  readonly sendMs: number;
  /** Set if the process also reads: it pauses at its first message for this time, and closes after the other side. */
  readonly readsAfterMs?: number;
}

export interface Sender {
  /** Address at which the process listens; for a client, the address of the plan. */
  readonly address: Address;
  /** Starts the sending. */
  begin(): void;
  /** Settles when the process has exited. */
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
  /** Number of replies that belonged to no request, or to another than their id states. */
  readonly crossed: number;
  readonly failed: number;
  readonly firstError?: string;
  /** Resource that this machine lacked, if that ended a request. */
  readonly shortage?: string;
}
