import { fstatSync } from "node:fs";
import { constants } from "node:os";
import { type IpcError, isIpcError } from "../contract/errors.ts";
import { tryLockPatiently } from "../posix/lock.ts";
import { MessageQueue } from "../posix/message-queue.ts";
import { checkName } from "../posix/names.ts";
import { type QueueBudget, REQUEST_DEPTH, USUAL_BYTES } from "./budget.ts";
import { isOurMessage, MOST_CLIENTS, refusal, removeNames, slotName } from "./protocol.ts";

/** Attempts to claim a name. Each failure means that another server claimed the name and left it meanwhile. */
const ATTEMPTS = 20;
const { EADDRINUSE } = constants.errno;

/**
 * Creates the request queue, locked. First removes a queue there that has no owner any more.
 *
 * If several servers start at the same moment, one wins: only the holder of a queue's lock removes the name of the
 * queue, and a queue counts as claimed only if its name still leads to it after locking.
 *
 * @throws IpcError IPC_ADDRESS_IN_USE, IPC_SYSTEM
 */
export function claimName(id: string, budget: QueueBudget, name: string): MessageQueue {
  // Clients append to the name, so one that is too long for them is refused now.
  checkName(name, slotName("", MOST_CLIENTS - 1).length, "mq_open");
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const created = create(budget, name);
    if (created !== undefined) {
      if (tryLockPatiently(created.fd) && isStillAt(name, created)) return created;
      created.close();
    }
    clearStale(id, budget, name);
  }
  throw inUse(id, name, "other servers keep starting there; try again later");
}

function create(budget: QueueBudget, name: string): MessageQueue | undefined {
  try {
    return MessageQueue.create(name, { maxMessages: budget.requestDepth, maxMessageBytes: budget.messageBytes });
  } catch (error) {
    if (!isIpcError(error) || error.errno !== "EEXIST") throw error;
    return undefined;
  }
}

/** Removes the queue that a killed server left. */
function clearStale(id: string, budget: QueueBudget, name: string): void {
  const stale = open(name);
  if (stale === undefined) return;
  try {
    // Checked before the lock, so that a foreign queue is left as it is.
    if (!looksOurs(budget, stale)) throw foreign(id, name);
    if (!tryLockPatiently(stale.fd)) throw inUse(id, name, "a server is listening there; stop it first");
    if (!isStillAt(name, stale)) return;
    if (!holdsOurs(stale)) throw foreign(id, name);
    removeNames(name);
  } finally {
    stale.close();
  }
}

function open(name: string): MessageQueue | undefined {
  try {
    return MessageQueue.open(name);
  } catch (error) {
    if (isIpcError(error) && error.errno === "ENOENT") return undefined;
    throw error;
  }
}

function isStillAt(name: string, queue: MessageQueue): boolean {
  const found = open(name);
  if (found === undefined) return false;
  const [there, ours] = [fstatSync(found.fd), fstatSync(queue.fd)];
  found.close();
  return there.dev === ours.dev && there.ino === ours.ino;
}

/** True if the queue has a shape that ours can have, also under other limits or in another language. */
function looksOurs(budget: QueueBudget, { shape }: MessageQueue): boolean {
  const isSize = shape.maxMessageBytes === budget.messageBytes || shape.maxMessageBytes === USUAL_BYTES;
  return isSize && shape.maxMessages <= REQUEST_DEPTH;
}

/** True if all messages could be from clients. A queue cannot be looked at: takes them out, and puts back others'. */
function holdsOurs(queue: MessageQueue): boolean {
  const messages: { bytes: Uint8Array; priority: number }[] = [];
  for (let length = queue.receiveScratch(0); length >= 0; length = queue.receiveScratch(0)) {
    messages.push({ bytes: queue.scratch.slice(0, length), priority: queue.lastPriority });
    if (messages.length >= queue.shape.maxMessages) break;
  }
  if (messages.every(({ bytes }) => isOurMessage(bytes))) return true;
  for (const { bytes, priority } of messages) queue.send(bytes, 0, priority);
  return false;
}

const foreign = (id: string, name: string): IpcError =>
  inUse(id, name, "a queue that no server of ours has made is there; choose another name or remove it yourself");

function inUse(id: string, name: string, what: string): IpcError {
  return refusal(id, "IPC_ADDRESS_IN_USE", EADDRINUSE, "mq_open", `the name ${name} is taken: ${what}`);
}
