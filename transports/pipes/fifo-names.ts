import { execFile } from "node:child_process";
import { closeSync, constants as fs, lstatSync, mkdirSync, openSync, rmdirSync, unlinkSync } from "node:fs";
import { promisify } from "node:util";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Availability, OsObject } from "../contract/transport.ts";
import { hasErrno } from "../support/has-errno.ts";
import { programFailure } from "../support/program-failure.ts";

/** Largest number of clients at one time, of slots, and so of pairs of names that an address can have. */
export const MAX_CLIENTS = 64;
const MKFIFO_LIMIT_MS = 2000;

const run = promisify(execFile);

/** Paths of a client's pair of FIFOs while the pair is being opened. Making the directory claims the slot. */
export interface SlotNames {
  readonly directory: string;
  /** Client to server. */
  readonly up: string;
  /** Server to client. */
  readonly down: string;
}

export function slotNames(hello: string, slot: number): SlotNames {
  const directory = `${hello}.${slot}`;
  return { directory, up: `${directory}/up`, down: `${directory}/down` };
}

/** Makes FIFOs with mode 0600. Node has no call for this, so it runs the program `mkfifo`, without a shell. */
export async function makeFifos(transport: string, ...paths: readonly string[]): Promise<void> {
  try {
    await run("mkfifo", ["-m", "0600", "--", ...paths], { timeout: MKFIFO_LIMIT_MS });
  } catch (error) {
    throw toIpcError(error, transport, "IPC_SYSTEM");
  }
}

/** Returns the program's version line, or the reason it cannot be used. */
export async function mkfifoAvailability(): Promise<Availability> {
  try {
    const { stdout } = await run("mkfifo", ["--version"], { timeout: MKFIFO_LIMIT_MS });
    return { available: true, version: stdout.split("\n")[0] ?? "mkfifo" };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    // BSD's mkfifo has no --version and exits with a code, but that shows that the program exists.
    if (typeof code === "number") return { available: true, version: "mkfifo" };
    return { available: false, reason: programFailure("mkfifo", error, MKFIFO_LIMIT_MS) };
  }
}

/** Claims the lowest free slot; `mkdir` succeeds for one client only. */
export function claimSlot(transport: string, hello: string): number {
  for (let slot = 0; slot < MAX_CLIENTS; slot += 1) {
    try {
      mkdirSync(slotNames(hello, slot).directory, { mode: 0o700 });
      return slot;
    } catch (error) {
      if (!hasErrno(error, "EEXIST")) throw toIpcError(error, transport);
    }
  }
  const message = `${transport}: all ${MAX_CLIENTS} slots for newcomers at ${hello} are taken; try again later`;
  throw new IpcError("IPC_SYSTEM", message, { transport });
}

export function removeSlot(hello: string, slot: number): void {
  const { directory, up, down } = slotNames(hello, slot);
  if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  removeFifo(up);
  removeFifo(down);
  ignoring(["ENOENT", "ENOTEMPTY"], () => rmdirSync(directory));
}

/** Removes every name of an address, but only FIFOs and directories of slots. */
export function removeAll(hello: string): void {
  for (let slot = 0; slot < MAX_CLIENTS; slot += 1) removeSlot(hello, slot);
  removeFifo(hello);
}

function removeFifo(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFIFO()) ignoring(["ENOENT"], () => unlinkSync(path));
}

export function listNames(hello: string): readonly OsObject[] {
  const found: OsObject[] = [];
  const add = (name: string): boolean => {
    const stats = lstatSync(name, { throwIfNoEntry: false });
    if (stats !== undefined) found.push({ kind: "path", name, mode: stats.mode & 0o777 });
    return stats !== undefined;
  };
  add(hello);
  for (let slot = 0; slot < MAX_CLIENTS; slot += 1) {
    const { directory, up, down } = slotNames(hello, slot);
    if (!add(directory)) continue;
    add(up);
    add(down);
  }
  return found;
}

/** Opens a FIFO without waiting for the other end. @returns undefined if the other end is closed */
export function openFifo(path: string, access: number): number | undefined {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFIFO() !== true) return undefined;
  try {
    return openSync(path, access | fs.O_NONBLOCK);
  } catch (error) {
    if (hasErrno(error, "ENXIO", "ENOENT")) return undefined;
    throw error;
  }
}

/** Returns `true` if a process reads the FIFO: otherwise opening it for writing fails with ENXIO. */
export function hasReader(path: string): boolean {
  const descriptor = openFifo(path, fs.O_WRONLY);
  if (descriptor === undefined) return false;
  closeSync(descriptor);
  return true;
}

function ignoring(errnos: readonly string[], work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!hasErrno(error, ...errnos)) throw error;
  }
}
