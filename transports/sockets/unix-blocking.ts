import { closeSync, lstatSync, rmSync } from "node:fs";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, isIpcError } from "../contract/errors.ts";
import type { Address, BlockingConnection, BlockingServer, BlockingTransport } from "../contract/transport.ts";
import { libc } from "../posix/binding.ts";
import type { Libc } from "../posix/libc.ts";
import { Mapping } from "../posix/mapping.ts";
import {
  acceptOne,
  bindPath,
  connectPath,
  isAnswered,
  listenOn,
  POLLIN,
  setSocketTimeouts,
  unixSocket,
} from "../posix/unix-socket.ts";
import { checkOptions } from "../support/opening.ts";
import { BlockingStream, SLICE_MS } from "./blocking-stream.ts";

const ID = "unix";
const MAX_CLIENTS = 1024;
const BACKLOG = 1024;
const POLL_ENTRY_WORDS = 2;
/** Messages received from the only client between two looks for newcomers. */
const BUSY_RECEIVES = 256;

/** Many streams behind one path. With one client it waits in `recv`; with several, in `poll`. */
class BlockingUnixServer implements BlockingServer {
  readonly address: Address;
  readonly #libc: Libc = libc();
  readonly #listener: number;
  /** `struct pollfd` of the listener, then of each client. */
  readonly #polled = Mapping.anonymous((MAX_CLIENTS + 1) * POLL_ENTRY_WORDS * 4);
  readonly #streams: BlockingStream[] = [];
  #turn = 0;
  #from: BlockingStream | undefined;
  #receives = 0;
  #open = true;

  constructor(address: Address) {
    this.address = address;
    this.#listener = listenAt(address.name);
    this.#watch(0, this.#listener);
  }

  get from(): BlockingConnection | undefined {
    return this.#from;
  }

  get connections(): readonly BlockingStream[] {
    return this.#streams;
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    if (!this.#open) throw new IpcError("IPC_CLOSED", `${ID}: this end is closed`, { transport: ID });
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
    while (this.#streams.length < MAX_CLIENTS) {
      const fd = acceptOne(this.#listener);
      if (fd < 0) return;
      setSocketTimeouts(fd, SLICE_MS);
      this.#streams.push(new BlockingStream(ID, fd, UNBOUNDED_MESSAGE_BYTES));
      this.#watch(this.#streams.length, fd);
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
    rmSync(this.address.name, { force: true });
    closeSync(this.#listener);
    for (const stream of this.#streams) stream.close();
    this.#polled.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function listenAt(path: string): number {
  const inUse = (what: string): IpcError => new IpcError("IPC_ADDRESS_IN_USE", `${ID}: ${what}`, { transport: ID });
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined) {
    if (!found.isSocket()) throw inUse(`${path} is not a socket; choose another path or remove it yourself`);
    if (isAnswered(path, "stream")) throw inUse(`a server is listening at ${path}`);
    rmSync(path, { force: true });
  }
  const fd = unixSocket("stream", true);
  try {
    bindPath(fd, path);
    listenOn(fd, BACKLOG, path);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Unix domain stream sockets in blocking mode, on the wire the same as the event face: what the event loop costs. */
export const unixBlocking: BlockingTransport = {
  listen(address, options) {
    checkOptions(ID, options);
    return new BlockingUnixServer(address);
  },

  connect(address, timeoutMs, options) {
    checkOptions(ID, options);
    const fd = unixSocket("stream");
    try {
      setSocketTimeouts(fd, SLICE_MS);
      const untilMs = performance.now() + timeoutMs;
      // The time-outs above bound each attempt while the server's queue of newcomers is full.
      while (!connectPath(fd, address.name)) {
        if (performance.now() < untilMs) continue;
        throw new IpcError("IPC_TIMEOUT", `${ID}: the server at ${address.name} does not accept`, { transport: ID });
      }
      return new BlockingStream(ID, fd, UNBOUNDED_MESSAGE_BYTES);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  },
};
