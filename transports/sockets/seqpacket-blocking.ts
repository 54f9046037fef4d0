import { closeSync } from "node:fs";
import type { IpcError } from "../contract/errors.ts";
import { isIpcError } from "../contract/errors.ts";
import type { BlockingTransport } from "../contract/transport.ts";
import { libc } from "../posix/binding.ts";
import { EAGAIN, EINTR, errnoName } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { Mapping } from "../posix/mapping.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL, POLLIN, POLLOUT, setSocketTimeouts } from "../posix/unix-socket.ts";
import { type ServedConnection, SLICE_MS } from "../support/blocking-stream.ts";
import { BlockingStreamServer } from "../support/blocking-stream-server.ts";
import { checkOptions } from "../support/opening.ts";
import { WordCopy } from "../support/word-copy.ts";
import { connectBlocking, doorwayAt } from "./blocking-doorway.ts";
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

export const MAX_CLIENTS = 1024;
const EMPTY = new Uint8Array(0);
/** Longest time that closing waits for room for its goodbye, ms. */
const CLOSE_MS = 100;
/** Most records that closing discards: a socket closed with unread records would reset the other side. */
const MOST_DISCARDED = 1024;

/** One end of a connection in blocking mode. Records stay whole, so one call sends or receives a message. */
class BlockingRecords implements ServedConnection {
  readonly fd: number;
  readonly outFd: number;
  /** Records are sent whole or not at all. */
  readonly isSending = false;
  readonly #libc: Libc = libc();
  readonly #outbox: Outbox = outbox();
  readonly #incoming = Mapping.anonymous(READ_BYTES + 3);
  readonly #start = this.#incoming.pointer(0);
  readonly #copy = new WordCopy(this.#incoming.bytes, this.#incoming.words);
  readonly #poll = Mapping.anonymous(8);
  /** Length of the message that was read and not taken; -1 if there is none. */
  #ready = -1;
  #over: IpcError | undefined;
  #open = true;
  /** True if the other side sent its goodbye. */
  endedOrderly = false;

  /** @param fd connected, blocking; closed with this object */
  constructor(fd: number) {
    setSocketTimeouts(fd, SLICE_MS);
    this.fd = fd;
    this.outFd = fd;
  }

  get isOver(): boolean {
    return this.#over !== undefined || !this.#open;
  }

  send(message: Uint8Array, timeoutMs: number): boolean {
    this.#check();
    checkLength(message.length);
    const mayWait = timeoutMs >= SLICE_MS;
    const flags = mayWait ? MSG_NOSIGNAL : MSG_NOSIGNAL | MSG_DONTWAIT;
    // The clock is read only after a slice in which nothing was sent.
    let startMs = mayWait ? 0 : performance.now();
    while (!this.#outbox.send(this.fd, Kind.data, message, flags)) {
      if (startMs === 0) startMs = performance.now() - SLICE_MS;
      const leftMs = startMs + timeoutMs - performance.now();
      if (leftMs <= 0) return false;
      if (!mayWait) this.#wait(POLLOUT, leftMs);
    }
    return true;
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    this.#check();
    const mayWait = timeoutMs >= SLICE_MS;
    let startMs = mayWait ? 0 : performance.now();
    for (;;) {
      if (this.fill(!mayWait)) return this.takeBuffered(into);
      if (startMs === 0) startMs = performance.now() - SLICE_MS;
      const leftMs = startMs + timeoutMs - performance.now();
      if (leftMs <= 0) return -1;
      if (!mayWait) this.#wait(POLLIN, leftMs);
    }
  }

  fill(withoutWaiting: boolean): boolean {
    if (this.#ready >= 0) return true;
    const bytes = withoutWaiting
      ? this.#libc.recv(this.fd, this.#start, READ_BYTES, MSG_DONTWAIT)
      : this.#libc.read(this.fd, this.#start, READ_BYTES);
    if (bytes < 0) {
      const errno = this.#libc.errno();
      if (errno === EAGAIN || errno === EINTR) return false;
      throw this.#end(failure("IPC_PEER_LOST", `the other side is gone (${errnoName(errno)})`, errnoName(errno)));
    }
    if (bytes === 0) {
      const text = "the other side hung up without a goodbye, or sent an empty record";
      throw this.#end(failure("IPC_PEER_LOST", text));
    }
    const kind = this.#incoming.words[0] as number;
    const wrong = fault(bytes, kind);
    if (wrong !== undefined) throw this.#end(wrong);
    if (kind === Kind.bye) {
      this.endedOrderly = true;
      throw this.#end(failure("IPC_PEER_LOST", "the other side closed the connection"));
    }
    this.#ready = bytes - KIND_BYTES;
    return true;
  }

  takeBuffered(into: Uint8Array): number {
    const length = this.#ready;
    if (length < 0) return -1;
    this.#ready = -1;
    if (length > into.length) {
      throw failure("IPC_TOO_LARGE", `a message of ${length} bytes does not fit in ${into.length}`);
    }
    this.#copy.read(into, KIND_BYTES, length);
    return length;
  }

  flush(): void {}

  hasRoom(): boolean {
    // The next `send` throws the reason.
    return this.isOver || this.#wait(POLLOUT, 0);
  }

  #wait(events: number, timeoutMs: number): boolean {
    this.#poll.words[0] = this.fd;
    this.#poll.words[1] = events;
    return this.#libc.poll(this.#poll.pointer(0), 1, Math.ceil(timeoutMs)) > 0;
  }

  #end(error: IpcError): IpcError {
    this.#over = error;
    return error;
  }

  #check(): void {
    if (!this.#open) throw failure("IPC_CLOSED", "this end is closed");
    if (this.#over !== undefined) throw this.#over;
  }

  close(): void {
    if (!this.#open) return;
    this.#sendGoodbye();
    this.#open = false;
    for (let i = 0; i < MOST_DISCARDED; i++) {
      if (this.#libc.recv(this.fd, this.#start, READ_BYTES, MSG_DONTWAIT) <= 0) break;
    }
    closeSync(this.fd);
    this.#incoming.close();
    this.#poll.close();
  }

  #sendGoodbye(): void {
    try {
      const untilMs = performance.now() + CLOSE_MS;
      while (!this.#outbox.send(this.fd, Kind.bye, EMPTY)) {
        const leftMs = untilMs - performance.now();
        if (leftMs <= 0) return;
        this.#wait(POLLOUT, leftMs);
      }
    } catch (error) {
      // The other side is gone, so nobody needs it.
      if (!isIpcError(error)) throw error;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export const seqpacketBlocking: BlockingTransport = {
  listen(address, options) {
    checkOptions(ID, options);
    const doorway = doorwayAt(ID, address.name, "seqpacket", (fd) => new BlockingRecords(fd));
    return new BlockingStreamServer(ID, address, doorway, MAX_CLIENTS);
  },

  connect(address, timeoutMs, options) {
    checkOptions(ID, options);
    return new BlockingRecords(connectBlocking(ID, address.name, timeoutMs, "seqpacket"));
  },
};
