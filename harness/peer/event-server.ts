import { Method } from "../../scenarios/check.ts";
import type { IpcError } from "../../transports/contract/errors.ts";
import { HEADER_BYTES, Kind, readId, readKind, readMethod, Status } from "../../transports/contract/frame.ts";
import type { Connection, ConnectionHandler } from "../../transports/contract/transport.ts";
import type { PeerPublish, Published, StreamReport } from "../process/messages.ts";
import { buildFrame, copyOf } from "../rpc/message.ts";
import { arrivedIntact } from "../rpc/verify.ts";
import type { Abilities } from "./abilities.ts";
import { delayMsOf, handleImmediately } from "./handlers.ts";
import { WorkerPool } from "./pool.ts";
import { Publisher } from "./publisher.ts";
import { turnIntoReply } from "./reply.ts";
import { StreamReceiver } from "./stream-receiver.ts";
import { work } from "./work.ts";

const EMPTY = new Uint8Array(0);

interface Client {
  /** Replies that the transport has refused so far. They are few: the connection is paused meanwhile. */
  readonly waiting: Uint8Array[];
}

/** The echo server over an event loop: replies to requests, counts one-way messages. */
export class EventServer implements ConnectionHandler {
  /** Resolves when a client has requested an orderly end and every request before it has its reply. */
  readonly shutdown: Promise<void>;
  readonly #clients = new Map<Connection, Client>();
  readonly #stream: StreamReceiver;
  #publisher: Publisher | undefined;
  #finish: () => void = () => {};
  #closing = false;
  /** Number of requests without a reply so far. */
  #pending = 0;
  #requests = 0;
  #pool: WorkerPool<Connection> | undefined;
  #scratch: Uint8Array = new Uint8Array(HEADER_BYTES + 64);

  readonly #maxMessageBytes: number;
  readonly #abilities: Abilities<Connection>;

  constructor(
    onStream: (report: StreamReport) => void,
    maxMessageBytes: number,
    abilities: Abilities<Connection> = {},
  ) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#abilities = abilities;
    this.#stream = new StreamReceiver(onStream);
    this.shutdown = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  onOpen(connection: Connection): void {
    this.#clients.set(connection, { waiting: [] });
  }

  onMessage(message: Uint8Array, connection: Connection): void {
    this.#requests++;
    const kind = message.length >= HEADER_BYTES ? readKind(message) : 0;
    if (kind === Kind.oneWay) this.#stream.take(message);
    else if (kind === Kind.request) this.#answer(message, connection);
    // Anything else is not a request and gets no reply.
  }

  /** Sends one-way messages to all present clients except the first, which is the driver's own. */
  publish(request: PeerPublish, onDone: (published: Published) => void): void {
    const connections = [...this.#clients.keys()];
    this.#publisher = new Publisher(
      request.distribution === "server" ? connections.slice(1) : connections,
      request,
      onDone,
    );
  }

  onWritable(connection: Connection): void {
    this.#publisher?.onWritable(connection);
    const waiting = this.#clients.get(connection)?.waiting ?? [];
    for (let frame = waiting[0]; frame !== undefined; frame = waiting[0]) {
      if (!isOffHand(connection, frame)) return;
      waiting.shift();
      this.#settled();
    }
    connection.resume();
  }

  onClose(connection: Connection): void {
    const client = this.#clients.get(connection);
    this.#clients.delete(connection);
    for (const _ of client?.waiting ?? []) this.#settled();
  }

  #answer(request: Uint8Array, connection: Connection): void {
    const method = readMethod(request);
    if (!arrivedIntact(request)) this.#reply(connection, request, Status.corrupt);
    else if (this.#closing) this.#reply(connection, request, Status.closing);
    else if (method === Method.echo) this.#echo(request, connection);
    else this.#other(method, request, connection);
  }

  #echo(request: Uint8Array, connection: Connection): void {
    // The request is borrowed and must not be changed. The scratch buffer is free again when `send` returns true.
    if (this.#scratch.length !== request.length) this.#scratch = new Uint8Array(request.length);
    this.#scratch.set(request);
    turnIntoReply(this.#scratch, Status.ok);
    this.#pending++;
    this.#send(connection, this.#scratch);
  }

  #other(method: number, request: Uint8Array, connection: Connection): void {
    switch (method) {
      case Method.echoLater: {
        const reply = copyOf(request);
        turnIntoReply(reply, Status.ok);
        this.#pending++;
        setTimeout(() => this.#send(connection, reply), delayMsOf(request));
        return;
      }
      case Method.ignore:
        return;
      case Method.crash:
        return process.kill(process.pid, "SIGKILL") as unknown as undefined;
      case Method.throws:
        setImmediate(() => {
          throw new Error("thrown because a client asked for it");
        });
        return;
      case Method.shutdown:
        this.#closing = true;
        return this.#reply(connection, request, Status.ok);
      case Method.pooled:
        return this.#toPool(request, connection);
      case Method.work:
        work(request);
        return this.#echo(request, connection);
      case Method.recode: {
        const { recoder } = this.#abilities;
        if (recoder === undefined) return this.#reply(connection, request, Status.unknownMethod);
        this.#scratch = recoder.answer(request, connection, this.#scratch);
        this.#pending++;
        return this.#send(connection, this.#scratch);
      }
      case Method.replay: {
        const { replayer } = this.#abilities;
        if (replayer === undefined) return this.#reply(connection, request, Status.unknownMethod);
        this.#pending++;
        return this.#send(connection, replayer.answer(request), true);
      }
      default: {
        const facts = {
          requests: this.#requests,
          clients: this.#clients.size,
          maxMessageBytes: this.#maxMessageBytes,
          takeTotals: () => this.#stream.takeTotals(),
        };
        const { status, body: answer } = handleImmediately(method, request, facts);
        return this.#reply(connection, request, status, answer);
      }
    }
  }

  #toPool(request: Uint8Array, connection: Connection): void {
    this.#pool ??= new WorkerPool(() => this.#fromPool());
    if (this.#pool.submit(request, connection)) this.#pending++;
    else this.#reply(connection, request, Status.busy);
  }

  #fromPool(): void {
    this.#pool?.collect((reply, connection) => {
      turnIntoReply(reply, Status.ok);
      this.#send(connection, reply);
    });
  }

  #reply(connection: Connection, request: Uint8Array, status: Status, body: Uint8Array = EMPTY): void {
    this.#pending++;
    this.#send(connection, buildFrame(Kind.reply, readId(request), readMethod(request), status, body));
  }

  /** @param isReused true for a frame that is used again, so that it is copied where it has to wait */
  #send(connection: Connection, frame: Uint8Array, isReused = frame === this.#scratch): void {
    const client = this.#clients.get(connection);
    if (client === undefined) return this.#settled();
    if (client.waiting.length === 0 && isOffHand(connection, frame)) return this.#settled();
    client.waiting.push(isReused ? frame.slice() : frame);
    connection.pause();
  }

  #settled(): void {
    this.#pending--;
    if (this.#closing && this.#pending === 0) this.#finish();
  }
}

/**
 * Sends a reply. Discards it if the connection is closing and `onClose` has not been called yet.
 *
 * @returns false if the transport has no room for it yet
 */
function isOffHand(connection: Connection, frame: Uint8Array): boolean {
  try {
    return connection.send(frame);
  } catch (error) {
    if ((error as Partial<IpcError>).code === "IPC_CLOSED") return true;
    throw error;
  }
}
