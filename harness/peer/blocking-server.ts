import { Method } from "../../scenarios/check.ts";
import { HEADER_BYTES, Kind, readId, readKind, readMethod, Status } from "../../transports/contract/frame.ts";
import type { BlockingConnection, BlockingServer } from "../../transports/contract/transport.ts";
import type { StreamReport } from "../process/messages.ts";
import { buildFrame, copyOf } from "../rpc/message.ts";
import { arrivedIntact } from "../rpc/verify.ts";
import type { Abilities } from "./abilities.ts";
import { delayMsOf, handleImmediately } from "./handlers.ts";
import { WorkerPool } from "./pool.ts";
import { turnIntoReply } from "./reply.ts";
import { STREAM_QUIET_MS, StreamCounter } from "./stream-counter.ts";
import { work } from "./work.ts";

/** Longest wait in one call, ms; after it the loop checks if its parent lives. */
const SLICE_MS = 100;
/** Longest wait in one call while a reply is due later, ms. */
const DELAYED_SLICE_MS = 2;
/** Least time between two checks of the parent, ms, since a spinning receive returns often. */
const PARENT_EVERY_MS = 50;
const SEND_TIMEOUT_MS = 100;
/** First size of the receive buffer; it grows when a message needs more. */
const FIRST_BUFFER_BYTES = 1024 * 1024;

interface Delayed {
  readonly atMs: number;
  readonly to: BlockingConnection;
  readonly reply: Uint8Array;
}

/** The echo server for mechanisms that sleep or spin in a call. It occupies its thread and runs no event loop. */
export class BlockingEchoServer {
  readonly #server: BlockingServer;
  readonly #onStream: (report: StreamReport) => void;
  readonly #stopAsked: () => boolean | undefined;
  readonly #abilities: Abilities<BlockingConnection>;
  #recoded: Uint8Array = new Uint8Array(0);
  readonly #maxMessageBytes: number;
  readonly #buffer: Uint8Array;
  readonly #stream = new StreamCounter();
  readonly #parent = process.ppid;
  readonly #delayed: Delayed[] = [];
  #pool: WorkerPool<BlockingConnection> | undefined;
  #closing = false;
  #requests = 0;
  #lookedAt = performance.now();
  #quietSince = 0;

  /**
   * @param hooks.stopAsked returns, without waiting, `true` if the process that started this one wants it to end,
   *   and undefined if only the event loop can find out
   */
  constructor(
    server: BlockingServer,
    maxMessageBytes: number,
    hooks: { readonly onStream: (report: StreamReport) => void; readonly stopAsked: () => boolean | undefined },
    abilities: Abilities<BlockingConnection> = {},
  ) {
    this.#server = server;
    this.#onStream = hooks.onStream;
    this.#stopAsked = hooks.stopAsked;
    this.#abilities = abilities;
    this.#maxMessageBytes = maxMessageBytes;
    // The system commits no untouched memory, so a buffer for the largest message costs nothing until it is used.
    this.#buffer = new Uint8Array(Math.max(maxMessageBytes, FIRST_BUFFER_BYTES));
  }

  /**
   * Serves until an orderly shutdown, until a stop is requested, or until the parent is gone.
   *
   * @returns false if the event loop must find out whether a stop is requested; call it again if not
   */
  serve(): boolean {
    while (!(this.#closing && !this.#owing)) {
      const length = this.#server.receive(this.#buffer, this.#owing ? DELAYED_SLICE_MS : SLICE_MS);
      if (length >= 0) this.#handle(this.#buffer.subarray(0, length), this.#server.from);
      if (length < 0 || (this.#requests & 0xff) === 0) {
        const isOver = this.#housekeeping(length < 0);
        if (isOver !== undefined) return isOver;
      }
      if (this.#delayed.length > 0) this.#sendDue();
      if (this.#pool !== undefined) this.#fromPool(this.#pool);
    }
    return true;
  }

  /** `true` while replies are due that do not wait for a message. */
  get #owing(): boolean {
    return this.#delayed.length > 0 || (this.#pool !== undefined && this.#pool.pending > 0);
  }

  /** Returns the result of `serve` if it must return, otherwise undefined. */
  #housekeeping(idle: boolean): boolean | undefined {
    const now = performance.now();
    if (idle && this.#stream.active) this.#endQuietStream(now);
    if (!idle) this.#quietSince = 0;
    if (now - this.#lookedAt < PARENT_EVERY_MS) return undefined;
    this.#lookedAt = now;
    // The check costs a system call, so it is not made while messages come and latency is measured.
    const asked = idle ? this.#stopAsked() : false;
    if (asked !== false) return asked === true;
    return process.ppid === this.#parent ? undefined : true;
  }

  #endQuietStream(now: number): void {
    if (this.#quietSince === 0) this.#quietSince = now;
    if (now - this.#quietSince < STREAM_QUIET_MS) return;
    this.#quietSince = 0;
    this.#onStream(this.#stream.take());
  }

  #handle(message: Uint8Array, from: BlockingConnection | undefined): void {
    this.#requests++;
    if (from === undefined || message.length < HEADER_BYTES) return;
    const kind = readKind(message);
    if (kind === Kind.oneWay) {
      if (this.#stream.count(message)) this.#onStream(this.#stream.take());
    } else if (kind === Kind.request) {
      this.#answer(message, from);
    }
  }

  #answer(request: Uint8Array, from: BlockingConnection): void {
    const method = readMethod(request);
    if (!arrivedIntact(request)) return this.#reply(from, request, Status.corrupt);
    if (this.#closing) return this.#reply(from, request, Status.closing);
    if (method === Method.work) work(request);
    else if (method !== Method.echo) return this.#other(method, request, from);
    // The buffer is our own, so the request is turned into its reply in place.
    turnIntoReply(request, Status.ok);
    this.#send(from, request);
  }

  #other(method: number, request: Uint8Array, from: BlockingConnection): void {
    switch (method) {
      case Method.echoLater: {
        const reply = copyOf(request);
        turnIntoReply(reply, Status.ok);
        this.#delayed.push({ atMs: performance.now() + delayMsOf(request), to: from, reply });
        return;
      }
      case Method.ignore:
        return;
      case Method.crash:
        process.kill(process.pid, "SIGKILL");
        return;
      case Method.throws:
        throw new Error("thrown because a client asked for it");
      case Method.shutdown:
        this.#closing = true;
        return this.#reply(from, request, Status.ok);
      case Method.pooled:
        this.#pool ??= new WorkerPool(() => {});
        if (!this.#pool.submit(request, from)) this.#reply(from, request, Status.busy);
        return;
      case Method.recode: {
        const { recoder } = this.#abilities;
        if (recoder === undefined) return this.#reply(from, request, Status.unknownMethod);
        this.#recoded = recoder.answer(request, from, this.#recoded);
        return this.#send(from, this.#recoded);
      }
      case Method.replay: {
        const { replayer } = this.#abilities;
        if (replayer === undefined) return this.#reply(from, request, Status.unknownMethod);
        return this.#send(from, replayer.answer(request));
      }
      default: {
        const facts = {
          requests: this.#requests,
          // A blocking server does not notice clients that leave, so it cannot count them.
          clients: -1,
          maxMessageBytes: this.#maxMessageBytes,
          takeTotals: () => this.#stream.takeTotals(),
        };
        const { status, body } = handleImmediately(method, request, facts);
        return this.#reply(from, request, status, body);
      }
    }
  }

  #fromPool(pool: WorkerPool<BlockingConnection>): void {
    pool.collect((reply, to) => {
      turnIntoReply(reply, Status.ok);
      this.#send(to, reply);
    });
  }

  #sendDue(): void {
    const now = performance.now();
    for (let at = this.#delayed.length - 1; at >= 0; at--) {
      const due = this.#delayed[at];
      if (due === undefined || due.atMs > now) continue;
      this.#delayed.splice(at, 1);
      this.#send(due.to, due.reply);
    }
  }

  #reply(to: BlockingConnection, request: Uint8Array, status: Status, body: Uint8Array = new Uint8Array(0)): void {
    this.#send(to, buildFrame(Kind.reply, readId(request), readMethod(request), status, body));
  }

  /** Sends a reply; waits while the client does not read. A lost client gets no reply. */
  #send(to: BlockingConnection, frame: Uint8Array): void {
    try {
      while (!to.send(frame, SEND_TIMEOUT_MS)) {
        if (process.ppid !== this.#parent) return;
      }
    } catch {
      // The client left without waiting for its reply.
    }
  }
}
