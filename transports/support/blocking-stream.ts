import { IpcError } from "../contract/errors.ts";
import type { BlockingConnection } from "../contract/transport.ts";
import { libc } from "../posix/binding.ts";
import { EAGAIN, EINTR, systemError } from "../posix/errno.ts";
import type { Libc, Pointer } from "../posix/libc.ts";
import { Mapping } from "../posix/mapping.ts";
import { POLLIN, POLLOUT } from "../posix/unix-socket.ts";
import { WordCopy } from "./word-copy.ts";

const PREFIX_BYTES = 4;
const FIRST_BUFFER_BYTES = 64 * 1024;
/** Longest wait of one call of a channel. A caller with at least this timeout needs no `poll` before the call. */
export const SLICE_MS = 50;
const CLOSE_MS = 100;
const POLL_ENTRY_WORDS = 2;

/** Descriptors that carry a stream: one socket, or two pipes. */
export interface ByteChannel {
  readonly inFd: number;
  readonly outFd: number;
  /** Returns the bytes read, 0 at the end, -1 with `errno` (EAGAIN: none). @param mayWait allows {@link SLICE_MS} */
  read(into: Pointer, bytes: number, mayWait: boolean): number;
  /** Returns the bytes written, or -1 with `errno` (EAGAIN: no room). @param mayWait allows {@link SLICE_MS} */
  write(from: Pointer, bytes: number, mayWait: boolean): number;
  close(): void;
}

/** Connection that a blocking server can serve together with others. */
export interface ServedConnection extends BlockingConnection {
  /** Readable when there is something to receive. */
  readonly fd: number;
  /** Writable when there is room for what `flush` sends. */
  readonly outFd: number;
  /** True while a part of a taken message is not sent yet. */
  readonly isSending: boolean;
  readonly isOver: boolean;
  /** Reads once. @returns true when something came @throws IpcError IPC_PEER_LOST at the end */
  fill(withoutWaiting: boolean): boolean;
  /** Takes a message that was read already. @returns its length, or -1 */
  takeBuffered(into: Uint8Array): number;
  flush(): void;
  close(): void;
}

/** Mapped memory that grows. `recv` and `send` use it by its address, our copies by its words. */
class Buffered {
  mapping: Mapping = Mapping.anonymous(FIRST_BUFFER_BYTES);
  copy: WordCopy = new WordCopy(this.mapping.bytes, this.mapping.words);
  start = 0;
  end = 0;

  get bytes(): number {
    return this.end - this.start;
  }

  /** Moves the content to the front. If `bytes` do not fit behind it, takes at least twice the memory. */
  makeRoom(bytes: number): void {
    const { mapping } = this;
    if (this.bytes + bytes > mapping.byteLength) {
      let size = mapping.byteLength;
      while (size < this.bytes + bytes) size *= 2;
      this.mapping = Mapping.anonymous(size);
      this.mapping.bytes.set(mapping.bytes.subarray(this.start, this.end));
      this.copy = new WordCopy(this.mapping.bytes, this.mapping.words);
      mapping.close();
    } else if (this.start > 0) mapping.bytes.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
  }

  clear(): void {
    this.start = 0;
    this.end = 0;
  }
}

/** One end of a byte stream in blocking mode; messages behind a u32 little-endian length, as in event mode. */
export class BlockingStream implements ServedConnection {
  readonly #id: string;
  readonly #libc: Libc;
  readonly #limit: number;
  readonly #incoming = new Buffered();
  readonly #outgoing = new Buffered();
  readonly #channel: ByteChannel;
  /** `struct pollfd` of the reading descriptor, and of the writing one if that is another. */
  readonly #poll = Mapping.anonymous(2 * POLL_ENTRY_WORDS * 4);
  #over: IpcError | undefined;
  /** Error that ended sending. What the other side sent before it left can still be received. */
  #unsendable: IpcError | undefined;
  #open = true;
  /** True if the other side hung up between two messages, as a killed process may do too. */
  endedOrderly = false;

  /** @param channel closed with this object */
  constructor(id: string, channel: ByteChannel, limit: number) {
    this.#id = id;
    this.#channel = channel;
    this.#limit = limit;
    this.#libc = libc();
  }

  /** Readable when there is something to receive. */
  get fd(): number {
    return this.#channel.inFd;
  }

  /** Writable when there is room for what {@link flush} sends. */
  get outFd(): number {
    return this.#channel.outFd;
  }

  /** True while a part of a taken message is not sent yet. */
  get isSending(): boolean {
    return this.#outgoing.bytes > 0;
  }

  get isOver(): boolean {
    return this.#over !== undefined || !this.#open;
  }

  send(message: Uint8Array, timeoutMs: number): boolean {
    this.#check();
    if (this.#unsendable !== undefined) throw this.#unsendable;
    const { length } = message;
    if (length > this.#limit) {
      throw new IpcError("IPC_TOO_LARGE", `${this.#id}: ${length} bytes exceed the limit of ${this.#limit}`, {
        transport: this.#id,
      });
    }
    const startMs = timeoutMs < SLICE_MS || this.#outgoing.bytes > 0 ? performance.now() : 0;
    if (this.#outgoing.bytes > 0 && !this.#flush(timeoutMs, startMs)) return false;
    const out = this.#outgoing;
    if (PREFIX_BYTES + length > out.mapping.byteLength) out.makeRoom(PREFIX_BYTES + length);
    out.mapping.words[0] = length;
    out.copy.write(message, PREFIX_BYTES);
    out.end = PREFIX_BYTES + length;
    this.#flush(timeoutMs, startMs);
    // A message that is sent in part counts as taken. One that is not is dropped, since no byte of it was sent.
    if (out.start > 0 || out.bytes === 0) return true;
    out.clear();
    return false;
  }

  /** Sends as much as it can of a message sent in part, without waiting. @throws IpcError IPC_PEER_LOST */
  flush(): void {
    this.#flush(0, performance.now());
  }

  /** Sends the outgoing bytes. @returns true when all of them are sent */
  #flush(timeoutMs: number, startMs: number): boolean {
    const out = this.#outgoing;
    while (out.bytes > 0) {
      const sent = this.#channel.write(out.mapping.pointer(out.start), out.bytes, timeoutMs >= SLICE_MS);
      if (sent >= 0) {
        out.start += sent;
        continue;
      }
      const failure = this.#libc.errno();
      if (failure !== EAGAIN && failure !== EINTR) {
        out.clear();
        this.#unsendable = this.#errorOf("write");
        throw this.#unsendable;
      }
      if (startMs === 0) startMs = performance.now() - SLICE_MS;
      const leftMs = startMs + timeoutMs - performance.now();
      if (leftMs <= 0) return false;
      if (timeoutMs < SLICE_MS) this.#wait(POLLOUT, leftMs);
    }
    out.clear();
    return true;
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    this.#check();
    const length = this.#take(into);
    if (length >= 0) return length;
    // A frame that is sent in part must be complete before a reply to it can arrive.
    const isFlushing = this.#outgoing.bytes > 0;
    const isShort = timeoutMs < SLICE_MS || isFlushing;
    let startMs = isShort ? performance.now() : 0;
    for (;;) {
      if (isFlushing) this.#flush(0, startMs);
      if (this.fill(isShort)) {
        const bytes = this.#take(into);
        if (bytes >= 0) return bytes;
      }
      if (startMs === 0) startMs = performance.now() - SLICE_MS;
      const leftMs = startMs + timeoutMs - performance.now();
      if (leftMs <= 0) return -1;
      if (isShort) this.#wait(this.#outgoing.bytes > 0 ? POLLIN | POLLOUT : POLLIN, Math.min(leftMs, SLICE_MS));
    }
  }

  /** Takes the next message if all of it is here. @returns its length, or -1 */
  #take(into: Uint8Array): number {
    const { start, end, mapping } = this.#incoming;
    if (end - start < PREFIX_BYTES) return -1;
    const { bytes } = mapping;
    const length =
      (start & 3) === 0
        ? (mapping.words[start >>> 2] as number) >>> 0
        : new DataView(bytes.buffer, bytes.byteOffset).getUint32(start, true);
    if (length > this.#limit) {
      const text = `${this.#id}: the other side sent a length of ${length} bytes; the limit is ${this.#limit}`;
      this.#over = new IpcError("IPC_MALFORMED", text, { transport: this.#id });
      throw this.#over;
    }
    const at = start + PREFIX_BYTES;
    if (at + length > end) return -1;
    this.#incoming.start = at + length;
    if (length > into.length) {
      const text = `${this.#id}: a message of ${length} bytes does not fit in ${into.length}`;
      throw new IpcError("IPC_TOO_LARGE", text, { transport: this.#id });
    }
    if ((at & 3) === 0) this.#incoming.copy.read(into, at, length);
    else into.set(bytes.subarray(at, at + length));
    if (this.#incoming.start === end) this.#incoming.clear();
    return length;
  }

  /** Takes a message that was read already, without a call of the kernel. */
  takeBuffered(into: Uint8Array): number {
    return this.#take(into);
  }

  /** Reads once. @returns true when something came @throws IpcError IPC_PEER_LOST at the end */
  fill(withoutWaiting: boolean): boolean {
    const incoming = this.#incoming;
    // Memory grows as the bytes of a large message arrive, not by the length in its prefix.
    if (incoming.end === incoming.mapping.byteLength) incoming.makeRoom(FIRST_BUFFER_BYTES);
    const room = incoming.mapping.byteLength - incoming.end;
    const got = this.#channel.read(incoming.mapping.pointer(incoming.end), room, !withoutWaiting);
    if (got > 0) {
      incoming.end += got;
      return true;
    }
    if (got === 0) {
      this.endedOrderly = incoming.bytes === 0;
      const how = this.endedOrderly ? "the other side hung up" : "the other side hung up in the middle of a message";
      this.#over = new IpcError("IPC_PEER_LOST", `${this.#id}: ${how}`, { transport: this.#id });
      throw this.#over;
    }
    const failure = this.#libc.errno();
    if (failure === EAGAIN || failure === EINTR) return false;
    this.#over = this.#errorOf("read");
    throw this.#over;
  }

  #wait(events: number, timeoutMs: number): void {
    const { inFd, outFd } = this.#channel;
    const { words } = this.#poll;
    const one = inFd === outFd;
    // An entry without events would still report the other side's end again and again; -1 leaves it out.
    words[0] = one || (events & POLLIN) !== 0 ? inFd : -1;
    words[1] = one ? events : POLLIN;
    words[2] = (events & POLLOUT) !== 0 ? outFd : -1;
    words[3] = POLLOUT;
    this.#libc.poll(this.#poll.pointer(0), one ? 1 : 2, Math.ceil(timeoutMs));
  }

  hasRoom(): boolean {
    // The next `send` throws the reason.
    if (this.isOver || this.#unsendable !== undefined) return true;
    if (this.#outgoing.bytes > 0 && !this.#flush(0, performance.now())) return false;
    this.#wait(POLLOUT, 0);
    const entry = this.#channel.inFd === this.#channel.outFd ? 1 : 3;
    return (this.#poll.words[entry] as number) >>> 16 !== 0;
  }

  #errorOf(call: string): IpcError {
    const cause = systemError(this.#libc, call, this.#id);
    const details = cause.errno === undefined ? {} : { errno: cause.errno };
    return new IpcError(cause.code, `${this.#id}: ${cause.message}`, { transport: this.#id, cause, ...details });
  }

  #check(): void {
    if (!this.#open) throw new IpcError("IPC_CLOSED", `${this.#id}: this end is closed`, { transport: this.#id });
    if (this.#over !== undefined) throw this.#over;
  }

  close(): void {
    if (!this.#open) return;
    try {
      if (this.#over === undefined && this.#outgoing.bytes > 0) this.#flush(CLOSE_MS, performance.now());
    } catch {
      // The other side is gone, so nobody needs the rest.
    }
    this.#open = false;
    this.#channel.close();
    this.#incoming.mapping.close();
    this.#outgoing.mapping.close();
    this.#poll.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
