import { execFileSync } from "node:child_process";
import { closeSync, constants as fs, lstatSync, readSync, writeSync } from "node:fs";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { BlockingTransport } from "../contract/transport.ts";
import { libc } from "../posix/binding.ts";
import type { Libc, Pointer } from "../posix/libc.ts";
import { Mapping } from "../posix/mapping.ts";
import { POLLIN, POLLOUT } from "../posix/unix-socket.ts";
import { BlockingStream, type ByteChannel, SLICE_MS } from "../support/blocking-stream.ts";
import { BlockingStreamServer, type Doorway } from "../support/blocking-stream-server.ts";
import { hasErrno } from "../support/has-errno.ts";
import { checkOptions } from "../support/opening.ts";
import { withPathLockSync } from "../support/path-lock-sync.ts";
import { HelloLines, Welcome } from "./fifo-hello.ts";
import {
  claimSlot,
  hasReader,
  MAX_CLIENTS,
  openFifo,
  removeAll,
  removeSlot,
  type SlotNames,
  slotNames,
} from "./fifo-names.ts";

const ID = "fifo";
const MKFIFO_LIMIT_MS = 2000;
const LIMITS = { maxClients: MAX_CLIENTS, maxMessageBytes: UNBOUNDED_MESSAGE_BYTES };

/** Two non-blocking pipes. A pipe has no time-out, so a read that may wait costs a `poll` first. */
class FifoChannel implements ByteChannel {
  readonly inFd: number;
  readonly outFd: number;
  readonly #libc: Libc = libc();
  readonly #poll = Mapping.anonymous(8);

  constructor(inFd: number, outFd: number) {
    this.inFd = inFd;
    this.outFd = outFd;
  }

  read(into: Pointer, bytes: number, mayWait: boolean): number {
    // Waits first: a read before it would be one call more, and in lockstep it never finds anything.
    if (mayWait) this.wait(this.inFd, POLLIN, SLICE_MS);
    return this.#libc.read(this.inFd, into, bytes);
  }

  write(from: Pointer, bytes: number, mayWait: boolean): number {
    const written = this.#libc.write(this.outFd, from, bytes);
    if (written >= 0 || !mayWait) return written;
    // Usually there is room. Any other error ends this wait, and the next call reports it.
    this.wait(this.outFd, POLLOUT, SLICE_MS);
    return this.#libc.write(this.outFd, from, bytes);
  }

  /** @returns `true` when the descriptor is ready */
  wait(fd: number, events: number, timeoutMs: number): boolean {
    this.#poll.words[0] = fd;
    this.#poll.words[1] = events;
    return this.#libc.poll(this.#poll.pointer(0), 1, Math.ceil(timeoutMs)) > 0;
  }

  close(): void {
    closeSync(this.inFd);
    closeSync(this.outFd);
    this.#poll.close();
  }
}

function lost(how: string): IpcError {
  return new IpcError("IPC_PEER_LOST", `${ID}: ${how}`, { transport: ID });
}

function makeFifosNow(...paths: readonly string[]): void {
  try {
    execFileSync("mkfifo", ["-m", "0600", "--", ...paths], { timeout: MKFIFO_LIMIT_MS, stdio: "ignore" });
  } catch (error) {
    throw toIpcError(error, ID, "IPC_SYSTEM");
  }
}

/** Opens the hello FIFO at a path without a server; takes over a FIFO that a killed server left. */
function openHello(path: string): number {
  const inUse = (what: string): IpcError => new IpcError("IPC_ADDRESS_IN_USE", `${ID}: ${what}`, { transport: ID });
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFIFO()) throw inUse(`${path} is not a FIFO; choose another path or remove it`);
  if (hasReader(path)) throw inUse(`a server is listening at ${path}; stop it first`);
  removeAll(path);
  makeFifosNow(path);
  // Open for both directions, so that it never reports an end of file.
  const fd = openFifo(path, fs.O_RDWR);
  if (fd === undefined) throw new IpcError("IPC_SYSTEM", `${ID}: ${path} vanished`, { transport: ID });
  return fd;
}

function doorwayAt(path: string): Doorway {
  const fd = withPathLockSync(path, ID, () => openHello(path));
  const lines = new HelloLines();
  const chunk = new Uint8Array(4096);
  const waiting: number[] = [];
  return {
    fd,
    accept(isFull) {
      waiting.push(...lines.take(chunk.subarray(0, readNow(fd, chunk))));
      for (let slot = waiting.shift(); slot !== undefined; slot = waiting.shift()) {
        const channel = openSlot(path, slot, isFull);
        if (channel !== undefined) return channel;
      }
      return undefined;
    },
    close() {
      removeAll(path);
      closeSync(fd);
    },
  };
}

function readNow(fd: number, into: Uint8Array): number {
  try {
    return readSync(fd, into);
  } catch (error) {
    if (hasErrno(error, "EAGAIN")) return 0;
    throw toIpcError(error, ID);
  }
}

/** Opens the pair of a newcomer; undefined if the newcomer is gone already, or the server is full. */
function openSlot(path: string, slot: number, isFull: boolean): FifoChannel | undefined {
  const { up, down } = slotNames(path, slot);
  const input = openFifo(up, fs.O_RDONLY);
  const output = openFifo(down, fs.O_WRONLY);
  removeSlot(path, slot);
  const isTaken = input !== undefined && output !== undefined && !isFull;
  try {
    if (output !== undefined) writeSync(output, Uint8Array.of(isTaken ? Welcome.accepted : Welcome.full));
    if (isTaken) return new FifoChannel(input, output);
  } catch (error) {
    if (!hasErrno(error, "EPIPE", "EAGAIN")) throw error;
  }
  for (const descriptor of [input, output]) if (descriptor !== undefined) closeSync(descriptor);
  return undefined;
}

/** Opens a pair as the event face does: holds both FIFOs open until the server has opened its ends. */
function connectAt(path: string, timeoutMs: number): FifoChannel {
  const untilMs = performance.now() + timeoutMs;
  const hello = openFifo(path, fs.O_WRONLY);
  if (hello === undefined) throw lost(`nobody listens at ${path}`);
  const keepers: number[] = [];
  const open = (name: string, access: number): number => {
    const fd = openFifo(name, access);
    if (fd === undefined) throw lost(`${name} vanished while it was being opened`);
    return fd;
  };
  let channel: FifoChannel | undefined;
  let slot = -1;
  try {
    slot = claimSlot(ID, path);
    const names: SlotNames = slotNames(path, slot);
    makeFifosNow(names.up, names.down);
    for (const name of [names.up, names.down]) keepers.push(open(name, fs.O_RDWR));
    channel = new FifoChannel(open(names.down, fs.O_RDONLY), open(names.up, fs.O_WRONLY));
    sayHello(hello, slot, channel, untilMs);
    awaitWelcome(path, channel, untilMs);
    return channel;
  } catch (error) {
    channel?.close();
    if (slot >= 0) removeSlot(path, slot);
    throw error;
  } finally {
    for (const fd of [...keepers, hello]) closeSync(fd);
  }
}

/** Sends the hello in one write shorter than PIPE_BUF, so that the lines of two newcomers never mix. */
function sayHello(hello: number, slot: number, channel: FifoChannel, untilMs: number): void {
  for (;;) {
    try {
      writeSync(hello, `\nhello ${slot}\n`);
      return;
    } catch (error) {
      if (hasErrno(error, "EPIPE")) throw lost("the server died");
      if (!hasErrno(error, "EAGAIN")) throw toIpcError(error, ID);
      if (performance.now() > untilMs) throw timedOut();
      channel.wait(hello, POLLOUT, SLICE_MS);
    }
  }
}

function awaitWelcome(path: string, channel: FifoChannel, untilMs: number): void {
  const status = new Uint8Array(1);
  while (!channel.wait(channel.inFd, POLLIN, Math.max(0, Math.min(SLICE_MS, untilMs - performance.now())))) {
    // This side holds its own FIFOs open, so only the hello FIFO shows that the server died.
    if (!hasReader(path)) throw lost("the server died");
    if (performance.now() > untilMs) throw timedOut();
  }
  if (readNow(channel.inFd, status) !== 1) throw lost("the server hung up");
  if (status[0] !== Welcome.accepted) throw lost("the server has no free place for a client");
}

function timedOut(): IpcError {
  return new IpcError("IPC_TIMEOUT", `${ID}: the server does not answer`, { transport: ID });
}

/** FIFOs in blocking mode, with the same opening and wire format as in the event face. */
export const fifoBlocking: BlockingTransport = {
  listen(address, options) {
    checkOptions(ID, options);
    return new BlockingStreamServer(ID, address, doorwayAt(address.name), LIMITS);
  },

  connect(address, timeoutMs, options) {
    checkOptions(ID, options);
    return new BlockingStream(ID, connectAt(address.name, timeoutMs), UNBOUNDED_MESSAGE_BYTES);
  },
};
