import type { MessagePort } from "node:worker_threads";
import { IpcError, isIpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { ClosesOnce } from "../support/closing.ts";
import { Deadline } from "../support/deadline.ts";
import { Pair, replyRegion, requestRegion } from "./layout.ts";
import { largestMessage, RingReader, RingWriter } from "./ring.ts";

export const ID = "worker/atomics";
export const RING_BYTES: number = 4 * 1024 * 1024;
export const MAX_MESSAGE_BYTES: number = largestMessage(RING_BYTES);
/** Maximum number of messages delivered in one turn of the event loop, so that timers can run too. */
const BATCH = 64;
const WANTED = 1;
const FIRST_COPY_BYTES = 64 * 1024;

/** Words of each side: on one it sleeps and is woken; the others show that it waits for space, and that it closes. */
const Words = {
  client: { asleep: Pair.restWord, room: Pair.restWord + 1, closed: Pair.clientClosedWord },
  server: { asleep: Pair.clientCpuWord + 8, room: Pair.clientCpuWord + 9, closed: Pair.serverClosedWord },
} as const;

export interface AtomicsEnd {
  readonly memory: SharedArrayBuffer;
  /** Shows when the other thread ends, and keeps this one running; carries no messages. */
  readonly port: MessagePort;
  readonly isServer: boolean;
}

/** One end of two rings between threads. An end without work waits with `Atomics.waitAsync`; the other notifies it. */
export class AtomicsConnection extends ClosesOnce implements Connection {
  readonly #handler: ConnectionHandler;
  readonly #onEnd: () => void;
  readonly #port: MessagePort;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #reader: RingReader;
  readonly #writer: RingWriter;
  readonly #own: (typeof Words)["client" | "server"];
  readonly #peer: (typeof Words)["client" | "server"];
  readonly #closed = Promise.withResolvers<void>();
  #state: "open" | "closing" | "ended" = "open";
  #paused = false;
  #portClosed = false;
  #wantedBytes = -1;
  #scheduled: NodeJS.Immediate | undefined;
  /** True while a promise of `waitAsync` is pending; it is never abandoned. */
  #waiting = false;
  /** Ordinary memory for messages: many functions of Node refuse views of shared memory. */
  #copy = new Uint8Array(FIRST_COPY_BYTES);
  #view: Uint8Array = this.#copy.subarray(0, 0);

  constructor({ memory, port, isServer }: AtomicsEnd, handler: ConnectionHandler, onEnd: () => void) {
    super();
    this.#handler = handler;
    this.#onEnd = onEnd;
    this.#port = port;
    this.#words = new Int32Array(memory);
    const both = { bytes: new Uint8Array(memory), words: this.#words };
    const [requests, replies] = [requestRegion(both, RING_BYTES), replyRegion(both, RING_BYTES)];
    this.#reader = new RingReader(isServer ? requests : replies);
    this.#writer = new RingWriter(isServer ? replies : requests);
    this.#own = isServer ? Words.server : Words.client;
    this.#peer = isServer ? Words.client : Words.server;
    port.once("close", () => {
      this.#portClosed = true;
      this.#turn();
    });
    // Without a listener a port does not keep its thread running.
    port.ref();
  }

  start(): void {
    this.#handler.onOpen(this);
    this.#schedule();
  }

  send(message: Uint8Array): boolean {
    if (this.#state !== "open") throw failure("IPC_CLOSED", "the connection is closed");
    if (message.length > MAX_MESSAGE_BYTES) {
      throw failure("IPC_TOO_LARGE", `${message.length} bytes exceed ${MAX_MESSAGE_BYTES}, half a ring`);
    }
    if (!this.#writer.tryWrite(message)) {
      this.#wantedBytes = message.length;
      Atomics.store(this.#words, this.#own.room, WANTED);
      // Tried again: room may have been made before the other side could see that we wait.
      if (!this.#writer.tryWrite(message)) {
        this.#schedule();
        return false;
      }
      this.#wantedBytes = -1;
    }
    this.#wakePeer();
    return true;
  }

  #wakePeer(): void {
    const { asleep } = this.#peer;
    if (Atomics.load(this.#words, asleep) === 0) return;
    if (Atomics.exchange(this.#words, asleep, 0) !== 0) Atomics.notify(this.#words, asleep);
  }

  #schedule(): void {
    if (this.#state === "ended" || this.#scheduled !== undefined) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      this.#turn();
    });
  }

  /** Does what there is to do, then waits for more. */
  #turn(): void {
    try {
      for (let i = 0; i < BATCH && this.#state !== "ended"; i++) {
        this.#offerRoom();
        // Read before the ring, so that messages written before closing are seen.
        const gone = this.#portClosed || Atomics.load(this.#words, this.#peer.closed) !== 0;
        if (this.#deliverOne()) continue;
        if (gone && !this.#isHeld()) return this.#end(this.#farewell());
        if (this.#sleep()) return;
      }
      this.#schedule();
    } catch (error) {
      if (!isIpcError(error) || error.code !== "IPC_MALFORMED") throw error;
      this.#end(failure("IPC_MALFORMED", error.message));
    }
  }

  #offerRoom(): void {
    if (this.#wantedBytes < 0 || this.#state !== "open" || !this.#writer.hasRoom(this.#wantedBytes)) return;
    this.#wantedBytes = -1;
    Atomics.store(this.#words, this.#own.room, 0);
    this.#handler.onWritable(this);
  }

  /** True while messages wait for `resume`. One that waits for room that a dead thread cannot make is not held. */
  #isHeld(): boolean {
    return this.#state === "open" && this.#paused && !(this.#portClosed && this.#wantedBytes >= 0);
  }

  #deliverOne(): boolean {
    if (this.#state === "ended" || (this.#paused && this.#state === "open")) return false;
    const length = this.#reader.next();
    this.#giveRoom();
    if (length < 0) return false;
    const message = this.#copied(length);
    this.#reader.release();
    this.#giveRoom();
    // After our own end messages are discarded, so that the other side can go on to its end.
    if (this.#state === "open") this.#handler.onMessage(message, this);
    return true;
  }

  #copied(length: number): Uint8Array {
    if (length > this.#copy.length) this.#copy = new Uint8Array(2 ** Math.ceil(Math.log2(length)));
    if (this.#view.length !== length || this.#view.buffer !== this.#copy.buffer) {
      this.#view = this.#copy.subarray(0, length);
    }
    this.#view.set(this.#reader.message(length));
    return this.#view;
  }

  #giveRoom(): void {
    if (!this.#reader.freed) return;
    this.#reader.freed = false;
    if (Atomics.exchange(this.#words, this.#peer.room, 0) !== 0) this.#wakePeer();
  }

  /** Announces that we sleep, checks once more, and waits. @returns false if there is something to do */
  #sleep(): boolean {
    if (this.#state === "ended") return true;
    Atomics.store(this.#words, this.#own.asleep, WANTED);
    const isReady =
      (!this.#isHeld() && (this.#reader.isReady() || Atomics.load(this.#words, this.#peer.closed) !== 0)) ||
      (this.#wantedBytes >= 0 && this.#writer.hasRoom(this.#wantedBytes));
    if (isReady) {
      Atomics.store(this.#words, this.#own.asleep, 0);
      return false;
    }
    if (this.#waiting) return true;
    const wait = Atomics.waitAsync(this.#words, this.#own.asleep, WANTED);
    if (!wait.async) return false;
    this.#waiting = true;
    void wait.value.then(() => {
      this.#waiting = false;
      this.#turn();
    });
    return true;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#schedule();
  }

  /** Closes. The other side delivers what is in the ring, then closes its port, which shows here. */
  protected override async closeOnce(timeoutMs: number): Promise<void> {
    if (this.#state === "ended") return;
    this.#state = "closing";
    Atomics.store(this.#words, this.#own.closed, WANTED);
    this.#wakePeer();
    this.#schedule();
    let late: IpcError | undefined;
    const deadline = new Deadline(timeoutMs, () => {
      late = failure("IPC_TIMEOUT", `the other side did not read all messages within ${timeoutMs} ms`);
      this.#end(late);
    });
    await this.#closed.promise;
    deadline.clear();
    if (late !== undefined) throw late;
  }

  #farewell(): IpcError | undefined {
    if (Atomics.load(this.#words, this.#peer.closed) !== 0) return undefined;
    return failure("IPC_PEER_LOST", "the other thread is gone");
  }

  #end(error?: IpcError): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    clearImmediate(this.#scheduled);
    if (error === undefined) Atomics.store(this.#words, this.#own.closed, WANTED);
    this.#port.close();
    this.#wakePeer();
    // Our own promise too: one that is never settled would keep the memory.
    Atomics.store(this.#words, this.#own.asleep, 0);
    Atomics.notify(this.#words, this.#own.asleep);
    this.#onEnd();
    if (error === undefined) this.#handler.onClose(this);
    else this.#handler.onClose(this, error);
    this.#closed.resolve();
  }
}

export function failure(code: IpcError["code"], text: string): IpcError {
  return new IpcError(code, `${ID}: ${text}`, { transport: ID });
}
