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
 * The one format of everything that can pass or fail: conformance cases (promises of the API) and scenarios (behaviour
 * between processes). One runner executes both, for the CLI, for the tests and on a user's own transport.
 */
export interface Check {
  /** Stable and unique: `conformance/exchange/boundaries`, `sequential-requests`. */
  readonly id: string;
  /** A sentence that states the claim. */
  readonly title: string;
  /** What goes wrong in production when the claim is false. */
  readonly why: string;
  /** Part of the short run that `compare` does. */
  readonly quick?: boolean;
  /** Reads clocks or CPU time, so nothing else may run beside it. */
  readonly alone?: boolean;
  /** Leaves the server as healthy as it found it: `startPeer()` may hand out one that other such checks use too. */
  readonly sharesPeer?: boolean;
  /** Kills its server, which may be the one that others have shared: such checks come after them. */
  readonly killsPeer?: boolean;
  /** How long it takes with an ordinary mechanism, for the prediction of a whole run; default 10. */
  readonly typicalMs?: number;
  /** Limit of the whole run; default 20,000. The check fails when it is reached. */
  readonly timeoutMs?: number;
  /** The claim exists for transports that meet all of them. */
  readonly needs: readonly Condition[];
  /** Resolves when the claim held; throws what was seen instead. Behind an IPC_SHORTAGE the result is "unavailable" and no failure. */
  run(context: CheckContext): Promise<void>;
}

/** True, or the reason why a claim does not exist for such a transport. */
export type Condition = (capabilities: Capabilities, transport: TransportDescription) => true | string;

/** The reason of the first need that the transport does not meet; undefined when the check applies to it. */
export function unmetNeed({ needs }: Check, transport: TransportDescription): string | undefined {
  for (const need of needs) {
    const answer = need(transport.capabilities, transport);
    if (answer !== true) return answer;
  }
  return undefined;
}

/**
 * Thrown by `run` when only running could tell that the claim cannot be examined here: this machine, this user or this
 * peer does not allow it. The result is "not applicable" with the message as its reason.
 */
export class NotApplicable extends Error {
  override readonly name = "NotApplicable";
}

/** What a check may do. Everything it starts is ended, and everything it allocates is swept, when `run` has settled. */
export interface CheckContext {
  readonly transport: Transport;
  /** A directory of this check's own inside the run's; the prefix is the run's. */
  readonly place: Place;
  /** Aborts when the check's time is over. */
  readonly signal: AbortSignal;
  /** A fresh address, written to the journal before it is returned. */
  allocate(): Promise<Address>;
  /** Starts a server process running one of the peer programs; resolves when it listens. */
  startPeer(options?: PeerOptions): Promise<Peer>;
  /** A request/reply client on a connection of its own. Transports of rendezvous `parent` and `process` have one per peer. */
  connect(peer: Peer, options?: ClientOptions): Promise<CheckClient>;
  /**
   * Runs clients in so many processes against a peer; resolves when all are done. One of several processes is this one; a single one is not.
   *
   * @throws IpcError IPC_SHORTAGE when this machine has not enough of something for so many
   * @param onConnected called once, when all are connected and none has begun
   */
  runClients(peer: Peer, load: ClientLoad, onConnected?: () => void): Promise<readonly ClientResult[]>;
  /** Lets the server publish one-way messages to subscribers of this process; resolves with what each of them heard. */
  publish(peer: Peer, load: FanOutLoad): Promise<readonly StreamTotals[]>;
  /** A client that outlives its server: it connects again with back-off and repeats what may be repeated. */
  reconnecting(peer: Peer): Promise<ReconnectingClient>;
  /**
   * Starts a process that sends, closes and exits at once. Resolves when it listens or has connected.
   *
   * @param parent rendezvous `parent`: it is launched, and this is the handler of its parent's connection
   */
  startSender(plan: SenderPlan, parent?: ConnectionHandler): Promise<Sender>;
  /** What a process of the user `nobody` meets when it connects. @throws NotApplicable unless we may become him */
  connectAsNobody(peer: Peer): Promise<ForeignOutcome>;
  connectRaw(address: Address): Promise<RawClient>;
  /** Rendezvous `parent`: a child that writes raw bytes to this process. */
  launchRaw(handler: ConnectionHandler): Promise<LaunchedRawClient>;
  residue(address: Address): Promise<readonly OsObject[]>;
  /** Adds a figure to the result: printed by `check`, kept in the report. */
  note(name: string, value: string | number | boolean): void;
}

export interface PeerOptions {
  /** Default: a fresh one. Passing the address of an ended peer restarts the server where it was. */
  readonly address?: Address;
  readonly key?: Uint8Array;
  /** How the server waits; default: the first of the transport's `modes`. */
  readonly mode?: WaitMode;
  /** One of the transport's `peers`; default: the language of the run. */
  readonly language?: string;
}

/** A running server process. */
export interface Peer {
  readonly address: Address;
  /** Its process id; the driver's own for rendezvous `process`. */
  readonly pid: number;
  /** Sends a signal; SIGKILL is how a check makes a server die. Resolves when the process is gone. */
  kill(signal: "SIGTERM" | "SIGKILL"): Promise<PeerExit>;
  /** Asks for an orderly end; resolves with what the process exited with. */
  stop(): Promise<PeerExit>;
  /** Settles when the process is gone, whatever ended it. */
  readonly exited: Promise<PeerExit>;
  /** SIGSTOP and SIGCONT: a server that hangs. Resolves when all of it stands still. */
  freeze(): Promise<void>;
  thaw(): void;
}

export interface PeerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The result of one attempt to connect as another user, after the same process had connected as ourselves. */
export interface ForeignOutcome {
  readonly connected: boolean;
  /** Code and message of the refusal. */
  readonly refusal?: string;
}

export interface ReconnectingClient {
  /**
   * @param options.idempotent repeat it on a new connection when the old one was lost before the reply came. Anything else
   *   fails with the error of the lost connection, since the server may have done it.
   * @throws IpcError as `CheckClient.request`; IPC_TIMEOUT when no server came back within `timeoutMs`
   */
  request(body: Uint8Array, options: RequestOptions & { readonly idempotent: boolean }): Promise<Uint8Array>;
  /** Connections opened so far. */
  readonly connections: number;
  /** Attempts to connect that failed. */
  readonly failedAttempts: number;
  close(): Promise<void>;
}

export interface ClientOptions {
  readonly key?: Uint8Array;
  readonly signal?: AbortSignal;
}

/** What the echo program does with a request; the number travels in the header's `method`. */
export const Method = {
  /** Replies with the same body. */
  echo: 0,
  /** Replies with the same body after as many milliseconds as the u32 at the start of the body says; at once without one. */
  echoLater: 1,
  /** Never replies. */
  ignore: 2,
  /** Ends the server process at once, as a crash would. */
  crash: 3,
  /** Begins an orderly shutdown: answers this and all requests before it, refuses new ones, exits with 0. */
  shutdown: 4,
  /** Replies with JSON: {@link ServerStatistics}. */
  statistics: 5,
  /** Replies with JSON: `usage` of the statistics alone, cheap enough to ask before and after a measurement. */
  usage: 6,
  /** As `echoLater`, but done by a pool of {@link POOL} worker threads; `busy` at once when its queue is full. */
  pooled: 7,
  /** Replies with JSON: {@link StreamTotals}, and begins to count afresh. */
  streamTotals: 8,
  /** The body is a JSON {@link Descriptor}; replies with that of an echo beside it. For data larger than a message may be. */
  descriptor: 9,
  /** Throws, outside of any handler, an exception that nobody catches. */
  throws: 10,
  /** Decodes the body with the codec the server was started with, encodes the value afresh, and replies with that. */
  recode: 11,
  /** Replies with the same body after using as many microseconds of CPU as the u32 at the start of the body says, at most a second. */
  work: 12,
} as const;
export type Method = (typeof Method)[keyof typeof Method];

/** So large is a reply that is JSON, at most; a server whose messages are smaller answers `failed`. */
export const JSON_BYTES = { statistics: 240, streamTotals: 96 } as const;

/** Size of the worker pool behind `Method.pooled`: so many run, so many wait, the next one is refused. */
export const POOL = { workers: 4, queue: 4, maxBodyBytes: 4096 } as const;

/** One-way messages since the last time somebody asked; their header's id is their sequence number, from 0. */
export interface StreamTotals {
  readonly received: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
}

/** Data that lies in memory both processes reach: a file in a private directory, best on a memory file system. */
export interface Descriptor {
  readonly path: string;
  readonly bytes: number;
  /** CRC-32 of all bytes. */
  readonly checksum: number;
}

/** What a server says of itself; -1 where its system does not tell. */
export interface ServerStatistics {
  readonly pid: number;
  readonly rssBytes: number;
  readonly descriptors: number;
  readonly threads: number;
  /** Requests and one-way messages received so far, this one included. */
  readonly requests: number;
  readonly clients: number;
  /** Since the process started. */
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
  /** Default 5000; then the request rejects with IPC_TIMEOUT, and a late reply is dropped. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The request/reply client as checks see it. */
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
  /** It sends so many, or what it gets rid of within `sendMs`; at least one, unless this is 0. */
  readonly messages: number;
  readonly sendMs: number;
  /** It also reads: pauses at its first message for so long, and closes when the other side has. */
  readonly readsAfterMs?: number;
}

export interface Sender {
  /** Where it listens; the plan's for a client. */
  readonly address: Address;
  /** Lets it send. */
  begin(): void;
  /** Settles when its process has exited. */
  readonly outcome: Promise<SenderOutcome>;
}

export interface SenderOutcome {
  /** Messages that `send` took; the number of each is the u32 at its start. */
  readonly taken: number;
  readonly received: number;
  /** How `close` ended. */
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

/** What one client process saw; every reply was verified against its own request. */
export interface ClientResult {
  readonly completed: number;
  /** Replies that belonged to nobody, or to another request than they claimed. */
  readonly crossed: number;
  readonly failed: number;
  readonly firstError?: string;
  /** What this machine had too little of, when that ended a request. */
  readonly shortage?: string;
}
