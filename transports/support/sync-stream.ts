import { readSync, writeSync } from "node:fs";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { BlockingConnection } from "../contract/transport.ts";
import { hasErrno } from "./has-errno.ts";
import { LengthPrefixDecoder, PREFIX_BYTES, writeFrame } from "./length-prefix.ts";
import { strayLine } from "./stray-line.ts";

const CHUNK_BYTES = 64 * 1024;
/** Time for which a wait spins before it sleeps between two attempts, ms. */
const SPIN_MS = 1;
const SLEEP_MS = 1;
/** Time for which an end that does not spin takes the shortest sleeps there are, of less than 0.1 ms, ms. */
const YIELD_MS = 5;
const SHORTEST_MS = 0.001;
/** Time without progress after which two full directions count as a standstill, ms. */
const STANDSTILL_MS = 250;
/** Longest time for which `dispose` sends the rest of a message that was taken, ms. */
const CLOSE_MS = 5000;

const STANDSTILL =
  "standstill: both directions are full, and the other side waits until its messages are received; " +
  "receive them before you send more";

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps; the thread does nothing else meanwhile. */
export function sleepSync(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms);
}

/** Time until which to wait, with attempts that become rarer. */
class Patience {
  readonly #startMs = performance.now();
  readonly #limitMs: number;
  readonly #spins: boolean;

  constructor(limitMs: number, spins: boolean) {
    this.#limitMs = limitMs;
    this.#spins = spins;
  }

  get waitedMs(): number {
    return performance.now() - this.#startMs;
  }

  /** Waits for the next attempt. @returns false when the time is over */
  next(): boolean {
    const { waitedMs } = this;
    if (waitedMs >= this.#limitMs) return false;
    if (!this.#spins && waitedMs < YIELD_MS) sleepSync(SHORTEST_MS);
    else if (waitedMs > SPIN_MS) sleepSync(Math.min(SLEEP_MS, this.#limitMs - waitedMs));
    return true;
  }
}

/** Descriptor that bytes come from. */
export interface ByteSource {
  /** Returns the bytes read, 0 at the end, -1 if the time ran out. */
  read(into: Uint8Array, timeoutMs: number): number;
  /** Reads what is left, because the descriptor is closed soon. */
  finish(): void;
  close(): void;
}

/**
 * Reads a descriptor with `readSync`. If it is non-blocking, this polls. If it blocks, the call waits in the kernel
 * until bytes or the end of the stream come, however long that takes.
 */
export class SyncSource implements ByteSource {
  readonly #fd: number;
  readonly #close: () => void;
  #rest: Buffer | undefined;

  constructor(fd: number, close: () => void) {
    this.#fd = fd;
    this.#close = close;
  }

  read(into: Uint8Array, timeoutMs: number): number {
    if (this.#rest !== undefined) {
      const bytes = this.#rest.copy(into);
      this.#rest = this.#rest.subarray(bytes);
      return bytes;
    }
    let patience: Patience | undefined;
    for (;;) {
      try {
        return readSync(this.#fd, into);
      } catch (error) {
        if (hasErrno(error, "ECONNRESET", "EOF")) return 0;
        if (!hasErrno(error, "EAGAIN")) throw error;
      }
      patience ??= new Patience(timeoutMs, true);
      if (!patience.next()) return -1;
    }
  }

  finish(): void {
    const parts: Buffer[] = [];
    for (;;) {
      const part = Buffer.allocUnsafe(CHUNK_BYTES);
      const bytes = this.read(part, 0);
      if (bytes <= 0) break;
      parts.push(part.subarray(0, bytes));
    }
    this.#rest = Buffer.concat(parts);
  }

  close(): void {
    this.#close();
  }
}

export interface SyncStreamOptions {
  /** Id of the transport, for error messages. */
  readonly transport: string;
  readonly maxMessageBytes: number;
  readonly source: ByteSource;
  /** Descriptor that bytes go to. If it blocks, `send` has no time limit. */
  readonly output: number;
  /** True if a wait for room begins with a spin. Otherwise a reader on the same CPU can make room at once. */
  readonly spins: boolean;
  /** Closes `output`. */
  close(): void;
}

/**
 * One end of a byte stream with nothing but `readSync` and `writeSync`; the wire format is that of the event face.
 *
 * If the other side waits for room too, neither side goes on. That is a standstill, which `send` reports.
 */
export class SyncStream implements BlockingConnection {
  readonly #options: SyncStreamOptions;
  readonly #decoder: LengthPrefixDecoder;
  readonly #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #start = 0;
  #end = 0;
  #into: Uint8Array = this.#chunk;
  #length = -1;
  /** Frame of the message that was taken last; the bytes from `#sent` to `#toSend` are not sent yet. */
  #frame = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #sent = 0;
  #toSend = 0;
  /** Error that ended receiving. */
  #over: IpcError | undefined;
  /** Error that ended sending. What the other side sent before it left can still be received. */
  #unsendable: IpcError | undefined;
  #isOpen = true;
  /** True if the other side hung up between two messages, as a killed process may do too. */
  endedOrderly = false;

  constructor(options: SyncStreamOptions) {
    this.#options = options;
    this.#decoder = new LengthPrefixDecoder(options.maxMessageBytes, (message) => {
      this.#length = message.length;
      if (message.length <= this.#into.length) this.#into.set(message);
      return false;
    });
  }

  /**
   * As `BlockingConnection.send`.
   *
   * @throws IpcError IPC_TIMEOUT at a standstill: nothing of the message was taken
   */
  send(message: Uint8Array, timeoutMs: number): boolean {
    this.#checkOpen();
    const { length } = message;
    const { maxMessageBytes } = this.#options;
    if (length > maxMessageBytes) {
      throw this.#error("IPC_TOO_LARGE", `${length} bytes exceed the limit of ${maxMessageBytes} for one message`);
    }
    if (this.#unsendable !== undefined) throw this.#unsendable;
    if (this.#isSending && !this.#flush(timeoutMs)) return false;
    if (this.#frame.length < PREFIX_BYTES + length) this.#frame = Buffer.allocUnsafeSlow(PREFIX_BYTES + length);
    writeFrame(this.#frame, message);
    this.#sent = 0;
    this.#toSend = PREFIX_BYTES + length;
    try {
      this.#flush(timeoutMs);
    } catch (error) {
      // After a standstill the next call reports it, since a message that is sent in part counts as taken.
      if (this.#sent === 0 || this.#unsendable !== undefined) throw error;
    } finally {
      // A message of which no byte was sent is dropped.
      if (this.#sent === 0) this.#toSend = 0;
    }
    return this.#sent > 0;
  }

  get #isSending(): boolean {
    return this.#sent < this.#toSend;
  }

  /** Sends the rest of the frame. @returns true when all of it is sent @throws IpcError IPC_TIMEOUT, IPC_PEER_LOST */
  #flush(timeoutMs: number): boolean {
    let patience: Patience | undefined;
    let movedMs = 0;
    while (this.#isSending) {
      try {
        this.#sent += writeSync(this.#options.output, this.#frame, this.#sent, this.#toSend - this.#sent);
        movedMs = patience?.waitedMs ?? 0;
        continue;
      } catch (error) {
        if (!hasErrno(error, "EAGAIN")) this.#failSending(toIpcError(error, this.#options.transport, "IPC_PEER_LOST"));
      }
      patience ??= new Patience(timeoutMs, this.#options.spins);
      if (patience.waitedMs - movedMs > STANDSTILL_MS) {
        if (this.#hasUnread()) throw this.#error("IPC_TIMEOUT", STANDSTILL);
        movedMs = patience.waitedMs;
      }
      if (!patience.next()) return false;
    }
    return true;
  }

  #failSending(error: IpcError): never {
    this.#toSend = this.#sent;
    this.#unsendable = error;
    throw error;
  }

  /** Returns true if messages of the other side wait here. If none do, reads once, so that it can write again. */
  #hasUnread(): boolean {
    if (this.#start < this.#end) return true;
    const bytes = this.#options.source.read(this.#chunk, 0);
    this.#start = 0;
    this.#end = Math.max(0, bytes);
    return false;
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    this.#checkOpen();
    this.#into = into;
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      if (this.#start < this.#end) {
        const length = this.#take();
        if (length >= 0) return length;
      }
      if (this.#over !== undefined) throw this.#over;
      // A frame that is sent in part must be complete before a reply to it can arrive.
      const isSending = this.#isSending && !this.#flushQuietly();
      const leftMs = Math.max(0, untilMs - performance.now());
      if (!this.#fill(isSending ? Math.min(SLEEP_MS, leftMs) : leftMs) && leftMs === 0) return -1;
    }
  }

  /** Sends what it can in that time. If the other side is gone, its last messages are received first. */
  #flushQuietly(timeoutMs = 0): boolean {
    try {
      return this.#flush(timeoutMs);
    } catch {
      return true;
    }
  }

  /** Ends both directions when the other process is gone; what it sent last can still be received. */
  peerEnded(): void {
    if (!this.#isOpen) return;
    this.#options.source.finish();
    this.#toSend = this.#sent;
    this.#unsendable ??= this.#error("IPC_PEER_LOST", "the other process has ended");
  }

  /** Takes the next message of what was read. @returns its length, or -1 if it is not complete */
  #take(): number {
    this.#length = -1;
    const stopped = this.#decoder.push(this.#chunk, this.#start, this.#end);
    if (stopped < 0) {
      const line = strayLine(this.#chunk.subarray(this.#start, this.#end));
      const what = line === undefined ? `a length of ${this.#decoder.refusedBytes} bytes` : `${line}, a text`;
      const limit = `the limit of a length is ${this.#options.maxMessageBytes}`;
      this.#over = this.#error("IPC_MALFORMED", `the other side sent ${what}, which is no message; ${limit}`);
      this.#end = this.#start;
      throw this.#over;
    }
    this.#start = stopped;
    if (this.#length > this.#into.length) {
      throw this.#error("IPC_TOO_LARGE", `a message of ${this.#length} bytes does not fit in ${this.#into.length}`);
    }
    return this.#length;
  }

  /** Reads once. @returns true when something came @throws IpcError IPC_PEER_LOST at the end */
  #fill(timeoutMs: number): boolean {
    let bytes: number;
    try {
      bytes = this.#options.source.read(this.#chunk, timeoutMs);
    } catch (error) {
      this.#over = toIpcError(error, this.#options.transport, "IPC_PEER_LOST");
      throw this.#over;
    }
    if (bytes < 0) return false;
    if (bytes === 0) {
      this.endedOrderly = !this.#decoder.midFrame;
      const how = `the other side hung up${this.endedOrderly ? "" : " in the middle of a message"}`;
      this.#over = this.#error("IPC_PEER_LOST", how);
      throw this.#over;
    }
    this.#start = 0;
    this.#end = bytes;
    return true;
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw this.#error("IPC_CLOSED", "this end is closed");
  }

  #error(code: ConstructorParameters<typeof IpcError>[0], text: string): IpcError {
    const { transport } = this.#options;
    return new IpcError(code, `${transport}: ${text}`, { transport });
  }

  /** Returns true if the next `send` can take a message, as far as this side can see. */
  hasRoom(): boolean {
    return !this.#isSending || this.#flushQuietly();
  }

  /** Closes the stream; first sends the rest of a message that was taken. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#flushQuietly(CLOSE_MS);
    this.#isOpen = false;
    this.#options.source.close();
    this.#options.close();
  }
}
