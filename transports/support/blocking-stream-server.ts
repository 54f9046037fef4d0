import { IpcError, isIpcError } from "../contract/errors.ts";
import type { Address, BlockingConnection, BlockingServer } from "../contract/transport.ts";
import { libc } from "../posix/binding.ts";
import type { Libc } from "../posix/libc.ts";
import { Mapping } from "../posix/mapping.ts";
import { POLLIN } from "../posix/unix-socket.ts";
import { BlockingStream, type ByteChannel, SLICE_MS } from "./blocking-stream.ts";

const POLL_ENTRY_WORDS = 2;
/** Messages received from the only client between two looks for newcomers. */
const BUSY_RECEIVES = 256;

/** Where newcomers are let in. */
export interface Doorway {
  /** Readable when somebody may be there. */
  readonly fd: number;
  /** The next newcomer, or undefined when there is none now. @param isFull nobody can be taken: refuse, or let them wait */
  accept(isFull: boolean): ByteChannel | undefined;
  /** Also removes what stands for the address. */
  close(): void;
}

export interface StreamServerLimits {
  readonly maxClients: number;
  readonly maxMessageBytes: number;
}

/** Many streams behind one address. With one client it waits in `read`; with several, in `poll`. */
export class BlockingStreamServer implements BlockingServer {
  readonly address: Address;
  readonly #libc: Libc = libc();
  readonly #id: string;
  readonly #doorway: Doorway;
  readonly #maxClients: number;
  readonly #maxMessageBytes: number;
  /** `struct pollfd` of the doorway, then of each client. */
  readonly #polled: Mapping;
  readonly #streams: BlockingStream[] = [];
  #turn = 0;
  #from: BlockingStream | undefined;
  #receives = 0;
  #open = true;

  constructor(id: string, address: Address, doorway: Doorway, limits: StreamServerLimits) {
    this.#id = id;
    this.address = address;
    this.#doorway = doorway;
    this.#maxClients = limits.maxClients;
    this.#maxMessageBytes = limits.maxMessageBytes;
    this.#polled = Mapping.anonymous((limits.maxClients + 1) * POLL_ENTRY_WORDS * 4);
    this.#watch(0, doorway.fd);
  }

  get from(): BlockingConnection | undefined {
    return this.#from;
  }

  get connections(): readonly BlockingStream[] {
    return this.#streams;
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    if (!this.#open) throw new IpcError("IPC_CLOSED", `${this.#id}: this end is closed`, { transport: this.#id });
    const buffered = this.#takeBuffered(into);
    if (buffered >= 0) return buffered;
    let startMs = 0;
    for (;;) {
      const only = this.#streams.length === 1 && timeoutMs >= SLICE_MS && ++this.#receives % BUSY_RECEIVES !== 0;
      if (startMs === 0 && !only) startMs = performance.now();
      const leftMs = startMs === 0 ? timeoutMs : startMs + timeoutMs - performance.now();
      const length = only ? this.#receiveFromOnly(into) : this.#pollAll(into, Math.max(0, Math.min(leftMs, SLICE_MS)));
      if (length >= 0) return length;
      if (startMs === 0) startMs = performance.now() - SLICE_MS;
      // A look for newcomers is due whenever nothing came.
      this.#receives = -1;
      if (performance.now() >= startMs + timeoutMs) return -1;
    }
  }

  #receiveFromOnly(into: Uint8Array): number {
    const stream = this.#streams[0] as BlockingStream;
    return this.#fill(stream, false) ? this.#takeFrom(stream, into) : -1;
  }

  #pollAll(into: Uint8Array, timeoutMs: number): number {
    const ready = this.#libc.poll(this.#polled.pointer(0), this.#streams.length + 1, Math.ceil(timeoutMs));
    if (ready <= 0) return -1;
    const { words } = this.#polled;
    if (this.#events(0) !== 0) {
      words[1] = POLLIN;
      this.#accept();
    }
    for (let at = this.#streams.length; at > 0; at--) {
      const stream = this.#streams[at - 1] as BlockingStream;
      if (this.#events(at) === 0) continue;
      words[at * POLL_ENTRY_WORDS + 1] = POLLIN;
      this.#fill(stream, true);
    }
    return this.#takeBuffered(into);
  }

  /** `revents`, the upper half of an entry's second word. */
  #events(entry: number): number {
    return (this.#polled.words[entry * POLL_ENTRY_WORDS + 1] as number) >>> 16;
  }

  #accept(): void {
    for (;;) {
      const channel = this.#doorway.accept(this.#streams.length >= this.#maxClients);
      if (channel === undefined) return;
      this.#streams.push(new BlockingStream(this.#id, channel, this.#maxMessageBytes));
      this.#watch(this.#streams.length, channel.inFd);
    }
  }

  #watch(entry: number, fd: number): void {
    this.#polled.words[entry * POLL_ENTRY_WORDS] = fd;
    this.#polled.words[entry * POLL_ENTRY_WORDS + 1] = POLLIN;
  }

  /** Reads once from a client; one that is gone is forgotten. */
  #fill(stream: BlockingStream, withoutWaiting: boolean): boolean {
    try {
      return !stream.isOver && stream.fill(withoutWaiting);
    } catch (error) {
      if (!isIpcError(error)) throw error;
      this.#forget(stream);
      return false;
    }
  }

  /** Whole messages that are here already, each client in turn. */
  #takeBuffered(into: Uint8Array): number {
    for (let asked = this.#streams.length; asked > 0; asked--) {
      if (++this.#turn >= this.#streams.length) this.#turn = 0;
      const stream = this.#streams[this.#turn];
      const length = stream === undefined ? -1 : this.#takeFrom(stream, into);
      if (length >= 0) return length;
    }
    return -1;
  }

  #takeFrom(stream: BlockingStream, into: Uint8Array): number {
    try {
      const length = stream.takeBuffered(into);
      if (length >= 0) this.#from = stream;
      return length;
    } catch (error) {
      // What a client sends ends that client, not the server; a buffer of ours that is too small is our caller's affair.
      if (!isIpcError(error) || error.code === "IPC_TOO_LARGE") throw error;
      this.#forget(stream);
      return -1;
    }
  }

  #forget(stream: BlockingStream): void {
    const at = this.#streams.indexOf(stream);
    this.#streams.splice(at, 1);
    stream.close();
    for (let i = at; i < this.#streams.length; i++) this.#watch(i + 1, (this.#streams[i] as BlockingStream).fd);
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
