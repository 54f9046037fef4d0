import { execFileSync } from "node:child_process";
import { closeSync, constants as fs, lstatSync, readSync, writeSync } from "node:fs";
import { IpcError, toIpcError } from "../contract/errors.ts";
import { hasErrno } from "../support/has-errno.ts";
import { sleepSync } from "../support/sync-stream.ts";
import { HelloLines, Welcome } from "./fifo-hello.ts";
import { claimSlot, hasReader, openFifo, removeAll, removeSlot, type SlotNames, slotNames } from "./fifo-names.ts";

const MKFIFO_LIMIT_MS = 2000;
/** Pause between two attempts while a connection is being opened, ms. */
const ATTEMPT_MS = 0.2;

/** Descriptors of both directions, non-blocking. */
export interface FifoPair {
  readonly input: number;
  readonly output: number;
}

function lost(transport: string, how: string): IpcError {
  return new IpcError("IPC_PEER_LOST", `${transport}: ${how}`, { transport });
}

function makeFifosNow(transport: string, ...paths: readonly string[]): void {
  try {
    execFileSync("mkfifo", ["-m", "0600", "--", ...paths], { timeout: MKFIFO_LIMIT_MS, stdio: "ignore" });
  } catch (error) {
    throw toIpcError(error, transport, "IPC_SYSTEM");
  }
}

/** Opens the hello FIFO at a path without a server; takes over a FIFO that a killed server left. */
function openHello(transport: string, path: string): number {
  const inUse = (what: string): IpcError => new IpcError("IPC_ADDRESS_IN_USE", `${transport}: ${what}`, { transport });
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFIFO()) throw inUse(`${path} is not a FIFO; choose another path or remove it`);
  if (hasReader(path)) throw inUse(`a server is listening at ${path}; stop it first`);
  removeAll(path);
  makeFifosNow(transport, path);
  // Open for both directions, so that it never reports an end of file.
  const fd = openFifo(path, fs.O_RDWR);
  if (fd === undefined) throw new IpcError("IPC_SYSTEM", `${transport}: ${path} vanished`, { transport });
  return fd;
}

/** The hello FIFO of a server in blocking mode. */
export class FifoDoor {
  readonly fd: number;
  readonly #transport: string;
  readonly #path: string;
  readonly #lines = new HelloLines();
  readonly #chunk = new Uint8Array(4096);
  readonly #waiting: number[] = [];

  /** @param lock runs its work under the lock of a path @throws IpcError IPC_ADDRESS_IN_USE, IPC_SYSTEM */
  constructor(transport: string, path: string, lock: <T>(path: string, transport: string, work: () => T) => T) {
    this.#transport = transport;
    this.#path = path;
    this.fd = lock(path, transport, () => openHello(transport, path));
  }

  /** Opens the pair of the next newcomer; undefined if none waits. @param isFull refuses all of them */
  accept(isFull: boolean): FifoPair | undefined {
    const bytes = readNow(this.#transport, this.fd, this.#chunk);
    this.#waiting.push(...this.#lines.take(this.#chunk.subarray(0, bytes)));
    for (let slot = this.#waiting.shift(); slot !== undefined; slot = this.#waiting.shift()) {
      const pair = openSlot(this.#path, slot, isFull);
      if (pair !== undefined) return pair;
    }
    return undefined;
  }

  close(): void {
    removeAll(this.#path);
    closeSync(this.fd);
  }
}

/** Returns the bytes read, 0 if there are none. */
function readNow(transport: string, fd: number, into: Uint8Array): number {
  try {
    return readSync(fd, into);
  } catch (error) {
    if (hasErrno(error, "EAGAIN")) return 0;
    throw toIpcError(error, transport);
  }
}

/** Opens the pair of a newcomer; undefined if the newcomer is gone already, or the server is full. */
function openSlot(path: string, slot: number, isFull: boolean): FifoPair | undefined {
  const { up, down } = slotNames(path, slot);
  const input = openFifo(up, fs.O_RDONLY);
  const output = openFifo(down, fs.O_WRONLY);
  removeSlot(path, slot);
  const isTaken = input !== undefined && output !== undefined && !isFull;
  try {
    if (output !== undefined) writeSync(output, Uint8Array.of(isTaken ? Welcome.accepted : Welcome.full));
    if (isTaken) return { input, output };
  } catch (error) {
    if (!hasErrno(error, "EPIPE", "EAGAIN")) throw error;
  }
  for (const descriptor of [input, output]) if (descriptor !== undefined) closeSync(descriptor);
  return undefined;
}

/** Opens a pair as the event face does: holds both FIFOs open until the server has opened its ends. */
export function connectPair(transport: string, path: string, timeoutMs: number): FifoPair {
  const untilMs = performance.now() + timeoutMs;
  const hello = openFifo(path, fs.O_WRONLY);
  if (hello === undefined) throw lost(transport, `nobody listens at ${path}`);
  const opened: number[] = [];
  const open = (name: string, access: number): number => {
    const fd = openFifo(name, access);
    if (fd === undefined) throw lost(transport, `${name} vanished while it was being opened`);
    opened.push(fd);
    return fd;
  };
  let slot = -1;
  try {
    slot = claimSlot(transport, path);
    const names: SlotNames = slotNames(path, slot);
    makeFifosNow(transport, names.up, names.down);
    for (const name of [names.up, names.down]) open(name, fs.O_RDWR);
    const pair = { input: open(names.down, fs.O_RDONLY), output: open(names.up, fs.O_WRONLY) };
    sayHello(transport, hello, slot, untilMs);
    awaitWelcome(transport, path, pair.input, untilMs);
    for (const keeper of opened.splice(0, 2)) closeSync(keeper);
    opened.length = 0;
    return pair;
  } catch (error) {
    if (slot >= 0) removeSlot(path, slot);
    throw error;
  } finally {
    for (const fd of [...opened, hello]) closeSync(fd);
  }
}

/** Sends the hello in one write shorter than PIPE_BUF, so that the lines of two newcomers never mix. */
function sayHello(transport: string, hello: number, slot: number, untilMs: number): void {
  for (;;) {
    try {
      writeSync(hello, `\nhello ${slot}\n`);
      return;
    } catch (error) {
      if (hasErrno(error, "EPIPE")) throw lost(transport, "the server died");
      if (!hasErrno(error, "EAGAIN")) throw toIpcError(error, transport);
      nextAttempt(transport, untilMs);
    }
  }
}

function awaitWelcome(transport: string, path: string, input: number, untilMs: number): void {
  const status = new Uint8Array(1);
  while (readNow(transport, input, status) === 0) {
    // This side holds its own FIFOs open, so only the hello FIFO shows that the server died.
    if (!hasReader(path)) throw lost(transport, "the server died");
    nextAttempt(transport, untilMs);
  }
  if (status[0] !== Welcome.accepted) throw lost(transport, "the server has no free place for a client");
}

function nextAttempt(transport: string, untilMs: number): void {
  if (performance.now() > untilMs) {
    throw new IpcError("IPC_TIMEOUT", `${transport}: the server does not answer`, { transport });
  }
  sleepSync(ATTEMPT_MS);
}
