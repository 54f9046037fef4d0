import { closeSync } from "node:fs";
import { IpcError, isIpcError } from "../contract/errors.ts";
import { tryLockExclusive } from "../posix/lock.ts";
import { type RingKind, slotName } from "./kind.ts";
import { Control, SLOT_STATE_MASK, SlotState } from "./layout.ts";
import { leadsTo, openPlain, type PosixStore, readHead, type Segment, type State } from "./store.ts";

/**
 * Creates the control segment. First removes the segment of a dead server.
 *
 * @throws IpcError IPC_ADDRESS_IN_USE (a live server, or something that is not ours), IPC_SYSTEM
 */
export function claimName(kind: RingKind, name: string): Segment {
  checkNames(kind, name);
  const { store } = kind;
  return store.withLock(name, kind.id, () => {
    try {
      return create(kind, name);
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
    if (store.adopt !== undefined)
      return takeOver(
        kind,
        store.adopt(name, (by) => inUse(kind, TAKEN_BY[by](name))),
      );
    removeStale(kind, name, store as PosixStore);
    try {
      return create(kind, name);
    } catch (error) {
      // A program that does not use our lock took the name.
      throw isTaken(error) ? inUse(kind, `${name} was taken meanwhile; choose another name`) : error;
    }
  });
}

function create(kind: RingKind, name: string): Segment {
  const control = kind.store.create(name, Control.bytes);
  control.mapping.words[Control.magicWord] = Control.begun;
  return control;
}

/** Empties the segment of a dead server, which is ours now. */
function takeOver(kind: RingKind, control: Segment): Segment {
  removeSlots(kind, control);
  control.mapping.words.fill(0, Control.restWord, Control.bytes / 4);
  return control;
}

const isTaken = (error: unknown): boolean => isIpcError(error) && error.errno === "EEXIST";

const TAKEN_BY = {
  live: (name: string) => `a server is listening at ${name}; stop it first`,
  foreign: (name: string) => `something that is not ours is at ${name}; choose another name or remove it yourself`,
} as const;

export function inUse(kind: RingKind, what: string): IpcError {
  const details = { transport: kind.id, errno: "EADDRINUSE" };
  return new IpcError("IPC_ADDRESS_IN_USE", `${kind.id}: ${what}`, details);
}

/** Checks the names of clients too: if only the server's own name were short enough, nobody could connect. */
function checkNames(kind: RingKind, name: string): void {
  const { store, wait, maxClients, id } = kind;
  try {
    store.checkName(slotName(name, maxClients - 1), wait.usesSemaphores);
  } catch (error) {
    if (!isIpcError(error) || error.errno !== "ENAMETOOLONG") throw error;
    const text = `${id}: ${name} is too long with the part that each client adds: ${error.message}`;
    throw new IpcError("IPC_SYSTEM", text, { transport: id, errno: "ENAMETOOLONG", cause: error });
  }
}

function removeStale(kind: RingKind, name: string, store: PosixStore): void {
  const notOurs = TAKEN_BY.foreign(name);
  const path = store.path(name);
  const fd = openPlain(path, "r+");
  try {
    if (fd === undefined) {
      if (store.inspect(name) === undefined) return;
      throw inUse(kind, notOurs);
    }
    if (!tryLockExclusive(fd)) throw inUse(kind, TAKEN_BY.live(name));
    // Another server may have taken over the name before we had the lock; going on would remove its names.
    if (!leadsTo(path, fd)) throw inUse(kind, `another server has just begun to listen at ${name}; stop it first`);
    const { magic, size } = readHead(fd);
    if (size === 0 || magic === Control.begun) removeSegment(kind, name);
    else if (magic === Control.magic && size >= Control.bytes) removeWithSlots(kind, name);
    else throw inUse(kind, notOurs);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function removeWithSlots(kind: RingKind, name: string): void {
  const control = kind.store.open(name, Control.bytes);
  try {
    removeClaimed(kind, control);
  } finally {
    control.close();
  }
}

/**
 * Removes only what a server and its clients made, since others may have names that look like names of slots. Removes
 * the address last, so that a process killed meanwhile leaves something that the next server recognises.
 */
export function removeClaimed(kind: RingKind, control: Segment): void {
  removeSlots(kind, control);
  removeSegment(kind, control.name);
}

function removeSlots(kind: RingKind, control: Segment): void {
  for (let slot = 0; slot < kind.maxClients; slot++) {
    const state = Atomics.load(control.mapping.words, Control.firstSlotWord + slot) & SLOT_STATE_MASK;
    // Names exist only while a connection is being opened; the names of accepted clients are gone.
    const isOpening = state === SlotState.claimed || state === SlotState.ready;
    removeSlot(kind, control.name, slot, isOpening ? "claimed" : "finished");
  }
}

function removeSegment(kind: RingKind, name: string): void {
  if (kind.wait.usesSemaphores) kind.store.unlinkSemaphore(name);
  kind.store.unlink(name);
}

/** Removes a slot's names. Never fails: things that a client or others left there are no error of the server. */
export function removeSlot(kind: RingKind, name: string, slot: number, state: State): void {
  const { store, wait } = kind;
  const each = slotName(name, slot);
  try {
    // Removed first, so that a process killed in between leaves the segment, by which the unmarked semaphore is found.
    if (wait.usesSemaphores && state !== "finished") store.unlinkSemaphore(each);
    if (store.unlink(each, state) && wait.usesSemaphores) store.unlinkSemaphore(each);
  } catch (error) {
    if (!isIpcError(error)) throw error;
  }
}

/** Removes all names that belong to an address, after a crash. Idempotent. */
export function removeNames(kind: RingKind, name: string): void {
  const { store, wait, maxClients } = kind;
  const names = [...Array.from({ length: maxClients }, (_, slot) => slotName(name, slot)), name];
  for (const each of names) {
    if (wait.usesSemaphores) store.unlinkSemaphore(each);
    store.unlink(each);
  }
}
