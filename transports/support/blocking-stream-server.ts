import { IpcError, isIpcError } from "../contract/errors.ts";
import type { Address, BlockingConnection, BlockingServer } from "../contract/transport.ts";
import { libc } from "../posix/binding.ts";
import type { Libc } from "../posix/libc.ts";
import { Mapping } from "../posix/mapping.ts";
import { POLLIN, POLLOUT } from "../posix/unix-socket.ts";
import { type ServedConnection, SLICE_MS } from "./blocking-stream.ts";

const POLL_ENTRY_WORDS = 2;
/** Descriptor that marks an entry as one for `poll` to skip. */
const NO_FD = -1;
/** Messages received from the only client between two checks for newcomers. */
const BUSY_RECEIVES = 256;

/** Listening end that accepts newcomers. */
export interface Doorway {
  /** Readable when a newcomer may be waiting. */
  readonly fd: number;
  /** Returns the next newcomer, or undefined if none waits. @param isFull no place is left: refuse it or let it wait */
  accept(isFull: boolean): ServedConnection | undefined;
  /** Closes what clients connect to, and removes the files at the address. */
  close(): void;
}

/** Server of many connections at one address. It waits in `read` for a single client, in `poll` for several. */
export class BlockingStreamServer implements BlockingServer {
  readonly address: Address;
  readonly #libc: Libc = libc();
  readonly #id: string;
  readonly #doorway: Doorway;
  readonly #maxClients: number;
  /** A `struct pollfd` for the doorway, then two per client: its input, and its output while a reply is half sent. */
  readonly #polled: Mapping;
  readonly #streams: ServedConnection[] = [];
  #turn = 0;
  #from: ServedConnection | undefined;
  #receives = 0;
  /** Time from which the doorway is watched again, after it was ready without a newcomer. */
  #doorwayFromMs = 0;
  #open = true;

  constructor(id: string, address: Address, doorway: Doorway, maxClients: number) {
    this.#id = id;
    this.address = address;
    this.#doorway = doorway;
    this.#maxClients = maxClients;
    this.#polled = Mapping.anonymous((2 * maxClients + 1) * POLL_ENTRY_WORDS * 4);
  }

  get from(): BlockingConnection | undefined {
    return this.#from;
  }

  get connections(): readonly ServedConnection[] {
    return this.#streams;
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    if (!this.#open) throw new IpcError("IPC_CLOSED", `${this.#id}: this end is closed`, { transport: this.#id });
    this.#forgetClosed();
    const buffered = this.#takeBuffered(into);
    if (buffered >= 0) return buffered;
    let startMs = 0;
    for (;;) {
      const only = this.#isOnly(timeoutMs) && ++this.#receives % BUSY_RECEIVES !== 0;
      if (startMs === 0 && !only) startMs = performance.now();
      const leftMs = startMs === 0 ? timeoutMs : startMs + timeoutMs - performance.now();
      const length = only ? this.#receiveFromOnly(into) : this.#pollAll(into, Math.max(0, Math.min(leftMs, SLICE_MS)));
      if (length >= 0) return length;
      if (startMs === 0) startMs = performance.now() - SLICE_MS;
      // If nothing came, the next check for newcomers is due now.
      this.#receives = -1;
      if (performance.now() >= startMs + timeoutMs) return -1;
    }
  }

  /** True if the server may wait in `read` for its only client. A reply that is half sent needs `poll`. */
  #isOnly(timeoutMs: number): boolean {
    if (this.#streams.length !== 1 || timeoutMs < SLICE_MS) return false;
    const stream = this.#streams[0] as ServedConnection;
    return !stream.isSending;
  }

  /** Forgets connections that our caller has closed. */
  #forgetClosed(): void {
    for (let index = this.#streams.length - 1; index >= 0; index--) {
      const stream = this.#streams[index] as ServedConnection;
      if (stream.isOver) this.#forget(stream);
    }
  }

  #receiveFromOnly(into: Uint8Array): number {
    const stream = this.#streams[0] as ServedConnection;
    return this.#fill(stream, false) ? this.#takeFrom(stream, into) : -1;
  }

  #pollAll(into: Uint8Array, timeoutMs: number): number {
    const entries = this.#watchAll();
    if (this.#libc.poll(this.#polled.pointer(0), entries, Math.ceil(timeoutMs)) <= 0) return -1;
    // Backwards, since removing a stream then moves only streams that have had their turn.
    for (let index = this.#streams.length - 1; index >= 0; index--) {
      const stream = this.#streams[index] as ServedConnection;
      if (this.#isReady(2 * index + 2)) flushQuietly(stream);
      if (this.#isReady(2 * index + 1)) this.#fill(stream, true);
    }
    if (this.#isReady(0)) this.#accept();
    return this.#takeBuffered(into);
  }

  /** Fills in the entries for `poll`. @returns their number */
  #watchAll(): number {
    const isShut = this.#doorwayFromMs > 0 && performance.now() < this.#doorwayFromMs;
    this.#watch(0, isShut ? NO_FD : this.#doorway.fd, POLLIN);
    const streams = this.#streams;
    for (let index = 0; index < streams.length; index++) {
      const stream = streams[index] as ServedConnection;
      this.#watch(2 * index + 1, stream.fd, POLLIN);
      this.#watch(2 * index + 2, stream.isSending ? stream.outFd : NO_FD, POLLOUT);
    }
    return 2 * streams.length + 1;
  }

  /** True if `revents`, the upper half of an entry's second word, has any bit set, for an error or an end too. */
  #isReady(entry: number): boolean {
    return (this.#polled.words[entry * POLL_ENTRY_WORDS + 1] as number) >>> 16 !== 0;
  }

  #accept(): void {
    let newcomers = 0;
    for (;;) {
      const newcomer = this.#doorway.accept(this.#streams.length >= this.#maxClients);
      if (newcomer === undefined) break;
      this.#streams.push(newcomer);
      newcomers++;
    }
    // It sent garbage, or no descriptor is left. The doorway would stay ready, and `poll` would never wait.
    this.#doorwayFromMs = newcomers > 0 ? 0 : performance.now() + SLICE_MS;
  }

  #watch(entry: number, fd: number, events: number): void {
    this.#polled.words[entry * POLL_ENTRY_WORDS] = fd;
    this.#polled.words[entry * POLL_ENTRY_WORDS + 1] = events;
  }

  /** Reads once from a client; forgets a client that is gone. */
  #fill(stream: ServedConnection, withoutWaiting: boolean): boolean {
    try {
      return stream.fill(withoutWaiting);
    } catch (error) {
      if (!isIpcError(error)) throw error;
      this.#forget(stream);
      return false;
    }
  }

  /** Takes a message that has arrived completely, from each client in turn. @returns its length, or -1 */
  #takeBuffered(into: Uint8Array): number {
    for (let asked = this.#streams.length; asked > 0; asked--) {
      if (++this.#turn >= this.#streams.length) this.#turn = 0;
      const stream = this.#streams[this.#turn];
      const length = stream === undefined ? -1 : this.#takeFrom(stream, into);
      if (length >= 0) return length;
    }
    return -1;
  }

  #takeFrom(stream: ServedConnection, into: Uint8Array): number {
    try {
      const length = stream.takeBuffered(into);
      if (length >= 0) this.#from = stream;
      return length;
    } catch (error) {
      // Bad input ends that client, not the server. If `into` is too small, the caller is to blame.
      if (!isIpcError(error) || error.code === "IPC_TOO_LARGE") throw error;
      this.#forget(stream);
      return -1;
    }
  }

  #forget(stream: ServedConnection): void {
    this.#streams.splice(this.#streams.indexOf(stream), 1);
    stream.close();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#doorway.close();
    for (const stream of this.#streams) stream.close();
    this.#polled.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Flushes, and ignores that a client is gone: its last messages are received first, and then its end shows. */
function flushQuietly(stream: ServedConnection): void {
  try {
    stream.flush();
  } catch (error) {
    if (!isIpcError(error)) throw error;
  }
}
