import type { Socket } from "node:net";
import { type IpcError, toIpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { Mapping } from "../posix/mapping.ts";
import { ClosesOnce } from "../support/closing.ts";
import { Deadline } from "../support/deadline.ts";
import { type Admit, descriptorOf } from "../support/pipe-handle.ts";
import {
  checkLength,
  failure,
  fault,
  ID,
  KIND_BYTES,
  Kind,
  type Outbox,
  outbox,
  READ_BYTES,
} from "./seqpacket-records.ts";

const FLUSH_LIMIT_MS = 5000;
const EMPTY = new Uint8Array(0);
/**
 * Offset of the buffer in its page. The kernel's copies to the first bytes of a page, where `malloc` puts a large
 * buffer, take much longer on some CPUs (seen on an AMD EPYC): a round trip of 64 KiB then took 69 µs instead of 32.
 */
const ALIGNMENT = 64;
/** Buffer of all connections of this thread: a record is handled before the next is read. */
let incoming: Buffer | undefined;

/**
 * One end of a connection. Each read is one record. A side closes with a record `bye` and its end of file, then reads
 * (and discards) until the other side's: a socket closed with unread records would reset the other side.
 */
export class SeqpacketConnection extends ClosesOnce implements Connection {
  readonly #handler: ConnectionHandler;
  readonly #onEnd: () => void;
  readonly #socket: Socket;
  readonly #fd: number;
  readonly #outbox: Outbox = outbox();
  readonly #closed = Promise.withResolvers<void>();
  #state: "open" | "closing" | "ended" | "closed" = "open";
  /** True while a record waits in the stream's queue for room in the kernel. */
  #queued = false;
  #refused = false;
  #paused = false;
  #sentBye = false;
  /** True once the goodbye of the other side has come. */
  #gotBye = false;
  #error: IpcError | undefined;
  #deadline: Deadline | undefined;
  /** View delivered last: messages of one size need no new one. */
  #view: Uint8Array = EMPTY;

  /** @param adopt makes the stream of a connected socket */
  constructor(adopt: Admit, handler: ConnectionHandler, onEnd: () => void) {
    super();
    this.#handler = handler;
    this.#onEnd = onEnd;
    incoming ??= Buffer.from(Mapping.anonymous(ALIGNMENT + READ_BYTES).bytes.buffer, ALIGNMENT);
    const callback = (bytes: number, buffer: Uint8Array): boolean => {
      this.#receive(bytes, buffer);
      return !this.#paused;
    };
    this.#socket = adopt({ allowHalfOpen: true, onread: { buffer: incoming, callback } });
    this.#fd = descriptorOf(this.#socket);
    this.#socket.on("error", (error) => this.#fail(toIpcError(error, ID)));
    this.#socket.on("end", () => this.#inputEnded());
    this.#socket.on("close", () => this.#ended());
  }

  /** Begins delivering. */
  start(): void {
    this.#handler.onOpen(this);
    if (!this.#paused) this.#socket.resume();
  }

  #receive(bytes: number, buffer: Uint8Array): void {
    if (this.#state === "closed" || this.#error !== undefined) return;
    const kind = buffer[0] as number;
    const rest = (buffer[1] as number) | (buffer[2] as number) | (buffer[3] as number);
    const wrong = fault(bytes, rest === 0 ? kind : -1);
    if (wrong !== undefined) return this.#fail(wrong);
    if (kind === Kind.bye) return this.#byeCame();
    if (this.#state === "open") this.#handler.onMessage(this.#viewOf(buffer, bytes - KIND_BYTES), this);
  }

  #viewOf(buffer: Uint8Array, bytes: number): Uint8Array {
    if (this.#view.length !== bytes) this.#view = buffer.subarray(KIND_BYTES, KIND_BYTES + bytes);
    return this.#view;
  }

  send(message: Uint8Array): boolean {
    if (this.#state !== "open" || this.#error !== undefined) throw failure("IPC_CLOSED", "the connection is closed");
    checkLength(message.length);
    if (this.#queued) {
      this.#refused = true;
      return false;
    }
    this.#transmit(Kind.data, message);
    return true;
  }

  /** Sends a record; where the kernel has no room, the stream waits for it with a copy. */
  #transmit(kind: number, message: Uint8Array): void {
    try {
      if (this.#outbox.send(this.#fd, kind, message)) return;
    } catch (error) {
      const lost = toIpcError(error, ID);
      if (lost.code === "IPC_TOO_LARGE") throw lost;
      // In a later turn, since no callback may run inside `send`.
      setImmediate(() => this.#fail(lost));
      return;
    }
    this.#queued = true;
    // One record at a time: the stream would join two waiting ones.
    this.#socket.write(this.#outbox.refused(message.length), () => {
      this.#queued = false;
      if (this.#state !== "open" || this.#error !== undefined) return this.#hangUp();
      if (!this.#refused) return;
      this.#refused = false;
      this.#handler.onWritable(this);
    });
  }

  /** Sends our goodbye and ends our direction; called again after a record that was waiting has been sent. */
  #hangUp(): void {
    if (this.#queued || this.#socket.writableEnded || this.#socket.destroyed) return;
    if (!this.#sentBye) {
      this.#sentBye = true;
      this.#transmit(Kind.bye, EMPTY);
    }
    if (!this.#queued) this.#socket.end();
  }

  pause(): void {
    this.#paused = true;
    if (this.#state === "open") this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #byeCame(): void {
    if (this.#state === "open") {
      this.#state = "ended";
      const late = `nothing read what was queued within ${FLUSH_LIMIT_MS} ms`;
      this.#deadline = new Deadline(FLUSH_LIMIT_MS, () => this.#fail(failure("IPC_PEER_LOST", late)));
    }
    this.#gotBye = true;
    this.#hangUp();
  }

  #inputEnded(): void {
    if (this.#gotBye || this.#error !== undefined) return;
    this.#fail(failure("IPC_PEER_LOST", "the other side hung up without a goodbye, or sent an empty record"));
  }

  protected override async closeOnce(timeoutMs: number): Promise<void> {
    let late: IpcError | undefined;
    if (this.#state === "open") {
      this.#state = "closing";
      this.#paused = false;
      this.#hangUp();
      this.#socket.resume();
    }
    if (this.#state !== "closed") {
      this.#deadline?.clear();
      this.#deadline = new Deadline(timeoutMs, () => {
        late = failure("IPC_TIMEOUT", `the other side did not read everything and close within ${timeoutMs} ms`);
        this.#fail(late);
      });
    }
    await this.#closed.promise;
    if (late !== undefined) throw late;
  }

  #fail(error: IpcError): void {
    this.#error ??= error;
    this.#socket.destroy();
  }

  #ended(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#deadline?.clear();
    this.#onEnd();
    if (this.#error === undefined) this.#handler.onClose(this);
    else this.#handler.onClose(this, this.#error);
    this.#closed.resolve();
  }
}
