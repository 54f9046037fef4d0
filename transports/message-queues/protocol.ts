import { randomInt } from "node:crypto";
import { IpcError } from "../contract/errors.ts";
import { MessageQueue, queueCostBytes, queueLimits } from "../posix/message-queue.ts";

/**
 * What travels through the queues: 8 bytes, little-endian, then the message.
 *
 *     0  u8   kind    see {@link Kind}
 *     1  u8   version
 *     2  u16  slot    in hello: of the reply queue's name; otherwise the number the server gave the client
 *     4  u32  token   chosen by the client: what does not carry it belongs to somebody else, or to an earlier client
 *
 * A client makes a reply queue `<name>-<slot>`, says hello on the request queue `<name>` and is welcomed on its own, whose
 * name is then gone. Both sides hold a lock (`flock`) on the queue they receive from, so each can see that the other lives.
 */
export const PREFIX_BYTES = 8;
export const VERSION = 1;
export const Kind = { data: 1, hello: 2, welcome: 3, refusal: 4, bye: 5 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** The largest messages that every system allows without being asked. */
export const USUAL_BYTES = 8192;
export const REQUEST_DEPTH = 10;
/** Also the number of requests a client may have in flight: replies to all of them fit, so a server never waits for long. */
export const REPLY_DEPTH = 4;
export const MOST_CLIENTS = 16;

/** What the limits of this system leave us. */
export interface QueueBudget {
  readonly messageBytes: number;
  readonly requestDepth: number;
  readonly replyDepth: number;
  readonly maxClients: number;
  /** The limits it was computed from, for the version receipt. */
  readonly receipt: string;
}

export function queueBudget(): QueueBudget {
  const limits = queueLimits();
  const messageBytes = Math.min(limits.maxMessageBytes, USUAL_BYTES);
  const requestDepth = Math.min(REQUEST_DEPTH, limits.maxMessages);
  const replyDepth = Math.min(REPLY_DEPTH, limits.maxMessages);
  const cost = (maxMessages: number): number => queueCostBytes({ maxMessages, maxMessageBytes: messageBytes });
  const affordable = Math.floor((limits.maxBytesPerUser - cost(requestDepth)) / cost(replyDepth));
  const receipt = `msg_max ${limits.maxMessages}, msgsize_max ${limits.maxMessageBytes}, queues_max ${limits.maxQueues}, RLIMIT_MSGQUEUE ${limits.maxBytesPerUser}`;
  return {
    messageBytes,
    requestDepth,
    replyDepth,
    maxClients: Math.max(1, Math.min(MOST_CLIENTS, affordable, limits.maxQueues - 1)),
    receipt,
  };
}

export const slotName = (name: string, slot: number): string => `${name}-${slot}`;

export const newToken = (): number => randomInt(1, 2 ** 31);

/** The two words in front of a message. */
export const firstWord = (kind: Kind, slot: number): number => kind | (VERSION << 8) | (slot << 16);

/** Puts the prefix where the queue sends from; it stays there for all messages of the same kind. */
export function writePrefix(queue: MessageQueue, kind: Kind, slot: number, token: number): void {
  queue.scratchWords[0] = firstWord(kind, slot);
  queue.scratchWords[1] = token;
}

export const readFirstWord = (queue: MessageQueue): number => queue.scratchWords[0] as number;
export const readToken = (queue: MessageQueue): number => queue.scratchWords[1] as number;
export const kindOf = (word: number): number => word & 0xff;
export const versionOf = (word: number): number => (word >>> 8) & 0xff;
export const slotOf = (word: number): number => word >>> 16;

/** Whether a client of ours can have sent it: for a queue that is found, not for messages between two who know each other. */
export function isOurMessage(bytes: Uint8Array): boolean {
  const [kind = 0, version] = bytes;
  if (bytes.length < PREFIX_BYTES || version !== VERSION) return false;
  return kind === Kind.data || ((kind === Kind.hello || kind === Kind.bye) && bytes.length === PREFIX_BYTES);
}

/** Every name an address can stand for, also under limits that differ from ours. */
export function namesOf(name: string): string[] {
  return [name, ...Array.from({ length: MOST_CLIENTS }, (_, slot) => slotName(name, slot))];
}

/** Removes them all. Idempotent. */
export function removeNames(name: string): void {
  for (const each of namesOf(name)) MessageQueue.unlink(each);
}

export function tooLarge(id: string, bytes: number, limit: number): IpcError {
  return new IpcError(
    "IPC_TOO_LARGE",
    `${id}: ${bytes} bytes exceed ${limit}, the size of a queue's messages less ${PREFIX_BYTES}: raise fs.mqueue.msgsize_max, or send in parts`,
    { transport: id, errno: "EMSGSIZE" },
  );
}

export function lost(id: string, how: string): IpcError {
  return new IpcError("IPC_PEER_LOST", `${id}: ${how}`, { transport: id });
}

export function closed(id: string): IpcError {
  return new IpcError("IPC_CLOSED", `${id}: this end is closed`, { transport: id });
}
