import { IpcError } from "../../transports/contract/errors.ts";
import { HEADER_BYTES, Kind, readId, readKind, readStatus, Status } from "../../transports/contract/frame.ts";
import type { Connection, ConnectionHandler } from "../../transports/contract/transport.ts";
import { Deadline } from "../../transports/support/deadline.ts";
import { buildFrame, copyOf, type Stampable } from "./message.ts";
import { arrivedIntact } from "./verify.ts";

/** Called once per issued request, with the verified reply frame (borrowed) or an error. */
export type ReplyCallback = (reply: Uint8Array | undefined, error: IpcError | undefined) => void;

export interface RequestOptions {
  readonly method?: number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const MAX_SLOTS = 1024;
const DEFAULT_TIMEOUT_MS = 5000;
/** Longest delay in noticing a deadline, ms: long enough to be cheap, far below the promised 50 ms. */
const SWEEP_MS = 10;

/**
 * Requests and replies over any connection: correlation ids, pipelining, deadlines, abort.
 *
 * A request occupies a slot of a fixed array. Its id consists of the slot and a generation, by which a late reply is
 * recognized and dropped. `issue` is the hot path and allocates nothing; `request` adds a promise to it.
 */
export class RpcClient implements ConnectionHandler {
  /** Number of replies that belonged to no request in flight. */
  unexpected = 0;
  /** Number of messages that were not valid replies. */
  corrupted = 0;
  #replies = 0;

  readonly #capacity: number;
  readonly #ids: Uint32Array;
  readonly #deadlines: Float64Array;
  readonly #limits: Float64Array;
  readonly #callbacks: (ReplyCallback | undefined)[];
  readonly #free: Uint16Array;
  #freeCount: number;
  #generation = 1;
  #connection: Connection | undefined;
  #lost: IpcError | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #nextSweep = Number.POSITIVE_INFINITY;
  readonly #writable: (() => void)[] = [];
  #settleClosed: (error: IpcError | undefined) => void = () => {};
  /** Settles when the connection has closed; with the error, if one ended it. */
  readonly closed: Promise<IpcError | undefined>;

  constructor(maxInFlight: number) {
    this.#capacity = Math.min(maxInFlight, MAX_SLOTS);
    this.#ids = new Uint32Array(this.#capacity);
    this.#deadlines = new Float64Array(this.#capacity).fill(Number.POSITIVE_INFINITY);
    this.#limits = new Float64Array(this.#capacity);
    this.#callbacks = new Array(this.#capacity).fill(undefined);
    this.#free = Uint16Array.from({ length: this.#capacity }, (_, slot) => this.#capacity - 1 - slot);
    this.#freeCount = this.#capacity;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  get connection(): Connection {
    if (this.#connection === undefined) throw new IpcError("IPC_CLOSED", "rpc: the connection is not open");
    return this.#connection;
  }

  get inFlight(): number {
    return this.#capacity - this.#freeCount;
  }

  /** True once a reply to a request has come. */
  get hasReply(): boolean {
    return this.#replies > 0;
  }

  /**
   * Sends a request. Returns its id, or -1 if no slot is free or the transport is full; then wait with `writable`.
   *
   * @param timeoutMs time-out; Infinity for none
   * @throws IpcError of `Connection.send`
   */
  issue(message: Stampable, timeoutMs: number, callback: ReplyCallback): number {
    if (this.#freeCount === 0) return -1;
    const slot = this.#free[this.#freeCount - 1] as number;
    const id = this.#nextId(slot);
    if (!this.connection.send(message.stamp(id))) return -1;
    this.#occupy(slot, id, timeoutMs, callback);
    return id;
  }

  /** Resolves when the transport may take more, or the connection is gone. */
  writable(): Promise<void> {
    if (this.#lost !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.#writable.push(resolve));
  }

  /** @throws IpcError IPC_TIMEOUT, IPC_PEER_LOST, IPC_CLOSED, IPC_TOO_LARGE, IPC_MALFORMED, IPC_ABORTED */
  async request(body: Uint8Array, options: RequestOptions = {}): Promise<Uint8Array> {
    const { method = 0, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      if (signal?.aborted) throw aborted();
      if (this.#lost !== undefined) throw this.#lost;
      const left = deadline - performance.now();
      if (left <= 0) throw new IpcError("IPC_TIMEOUT", `rpc: not sent within ${timeoutMs} ms`);
      if (this.#freeCount > 0) {
        const reply = this.#try(body, method, left, signal);
        if (reply !== undefined) return reply;
      }
      await this.#room(left);
    }
  }

  /** Sends a one-way message; resolves when the transport took it. */
  async oneWay(body: Uint8Array, sequence = 0): Promise<void> {
    const frame = buildFrame(Kind.oneWay, sequence, 0, 0, body);
    while (!this.connection.send(frame)) {
      await this.writable();
      if (this.#lost !== undefined) throw this.#lost;
    }
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  /** Returns undefined if the transport was full. */
  #try(body: Uint8Array, method: number, left: number, signal?: AbortSignal): Promise<Uint8Array> | undefined {
    const slot = this.#free[this.#freeCount - 1] as number;
    const id = this.#nextId(slot);
    if (!this.connection.send(buildFrame(Kind.request, id, method, 0, body))) return undefined;
    return new Promise((resolve, reject) => {
      const abort = (): void => this.#settle(slot, undefined, aborted());
      signal?.addEventListener("abort", abort, { once: true });
      this.#occupy(slot, id, left, (reply, error) => {
        signal?.removeEventListener("abort", abort);
        const problem = error ?? statusError(readStatus(reply as Uint8Array));
        if (problem !== undefined) reject(problem);
        else resolve(copyOf(reply as Uint8Array, HEADER_BYTES));
      });
    });
  }

  /** Waits for a free slot or a writable transport, at most `leftMs`. */
  #room(leftMs: number): Promise<void> {
    return new Promise((resolve) => {
      const deadline = new Deadline(leftMs, resolve);
      this.#writable.push(() => {
        deadline.clear();
        resolve();
      });
    });
  }

  #nextId(slot: number): number {
    this.#generation = (this.#generation + 1) >>> 0;
    return (Math.imul(this.#generation, MAX_SLOTS) | slot) >>> 0;
  }

  #occupy(slot: number, id: number, timeoutMs: number, callback: ReplyCallback): void {
    this.#freeCount--;
    this.#ids[slot] = id;
    this.#callbacks[slot] = callback;
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    const deadline = performance.now() + timeoutMs;
    this.#deadlines[slot] = deadline;
    this.#limits[slot] = timeoutMs;
    if (deadline < this.#nextSweep) this.#arm(deadline);
  }

  #settle(slot: number, reply: Uint8Array | undefined, error: IpcError | undefined): void {
    const callback = this.#callbacks[slot];
    if (callback === undefined) return;
    this.#callbacks[slot] = undefined;
    this.#deadlines[slot] = Number.POSITIVE_INFINITY;
    this.#free[this.#freeCount++] = slot;
    callback(reply, error);
    if (this.#writable.length > 0) this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#writable.splice(0)) resolve();
  }

  #arm(deadline: number): void {
    clearTimeout(this.#sweeper);
    this.#nextSweep = deadline;
    // One turn later, since a reply that came in time is still in the kernel if this process was busy.
    this.#sweeper = setTimeout(() => setImmediate(() => this.#sweep()), Math.max(1, deadline - performance.now()));
  }

  /** Settles every request past its deadline; one timer serves all. */
  #sweep(): void {
    this.#nextSweep = Number.POSITIVE_INFINITY;
    const now = performance.now();
    let earliest = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < this.#capacity; slot++) {
      const deadline = this.#deadlines[slot] as number;
      if (deadline <= now) this.#settle(slot, undefined, this.#unanswered(slot));
      else if (deadline < earliest) earliest = deadline;
    }
    if (earliest !== Number.POSITIVE_INFINITY) this.#arm(Math.max(earliest, now + SWEEP_MS));
  }

  /** States what came on this connection, which shows if the server is mute or lost or garbled a single message. */
  #unanswered(slot: number): IpcError {
    const came = this.#replies === 0 ? "none has come on this connection" : `${this.#replies} came to other requests`;
    const strays = this.unexpected === 0 ? "" : `, ${this.unexpected} to no open request`;
    const invalid = this.corrupted === 0 ? "" : `; messages that were no valid reply: ${this.corrupted}`;
    const limit = Math.round(this.#limits[slot] as number);
    return new IpcError("IPC_TIMEOUT", `rpc: no reply within ${limit} ms; ${came}${strays}${invalid}`);
  }

  onOpen(connection: Connection): void {
    this.#connection = connection;
  }

  onMessage(message: Uint8Array): void {
    if (!arrivedIntact(message) || readKind(message) !== Kind.reply) {
      this.corrupted++;
      return;
    }
    const id = readId(message);
    const slot = id & (MAX_SLOTS - 1);
    if (slot >= this.#capacity || this.#ids[slot] !== id || this.#callbacks[slot] === undefined) {
      this.unexpected++;
      return;
    }
    this.#replies++;
    this.#settle(slot, message, undefined);
  }

  onWritable(): void {
    this.#wake();
  }

  onClose(_connection: Connection, error?: IpcError): void {
    clearTimeout(this.#sweeper);
    this.#lost = error ?? new IpcError("IPC_CLOSED", "rpc: the connection was closed");
    const reason = error ?? new IpcError("IPC_PEER_LOST", "rpc: the connection closed before the reply came");
    for (let slot = 0; slot < this.#capacity; slot++) this.#settle(slot, undefined, reason);
    this.#wake();
    this.#settleClosed(error);
  }
}

/** Converts a reply's status to an error; undefined for `ok`. */
export function statusError(status: number): IpcError | undefined {
  switch (status) {
    case Status.ok:
      return undefined;
    case Status.corrupt:
      return new IpcError("IPC_MALFORMED", "rpc: the server received other bytes than the client sent");
    case Status.busy:
      return new IpcError("IPC_SYSTEM", "rpc: the server is busy", { errno: "EBUSY" });
    case Status.closing:
      return new IpcError("IPC_CLOSED", "rpc: the server is shutting down");
    case Status.unknownMethod:
      return new IpcError("IPC_UNKNOWN_METHOD", "rpc: the server has no such method");
    default:
      return new IpcError("IPC_SYSTEM", `rpc: the server answered with status ${status}`);
  }
}

function aborted(): IpcError {
  return new IpcError("IPC_ABORTED", "rpc: the caller aborted");
}
