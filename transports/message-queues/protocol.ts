import { constants } from "node:os";
import { IpcError, type IpcErrorCode } from "../contract/errors.ts";
import { errnoError } from "../posix/errno.ts";
import { MessageQueue } from "../posix/message-queue.ts";
import { randomInt } from "../support/crypto.ts";

/**
 * Format of a message in the queues: 8 bytes, little-endian, then the content.
 *
 *     0  u8   kind    see {@link Kind}
 *     1  u8   version
 *     2  u16  slot    in hello: the slot in the reply queue's name; otherwise the number that the server assigned
 *     4  u32  token   chosen by the client; another token belongs to another process, or to an earlier client
 *
 * A client makes a reply queue `<name>-<slot>` and sends hello on the request queue `<name>`. The server sends welcome
 * on the reply queue, whose name is then removed. Each side locks (`flock`) the queue it receives from, which shows
 * that it lives.
 */
export const PREFIX_BYTES = 8;
export const VERSION = 1;
export const Kind = { data: 1, hello: 2, welcome: 3, refusal: 4, bye: 5 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Maximum number of clients of a server, whatever the limits: an address has this many names for reply queues. */
export const MOST_CLIENTS = 16;

export const slotName = (name: string, slot: number): string => `${name}-${slot}`;

export const newToken = (): number => randomInt(1, 2 ** 31);

/** Packs the first of the two words in front of a message. */
export const firstWord = (kind: Kind, slot: number): number => kind | (VERSION << 8) | (slot << 16);

/** Writes the prefix to the memory from which the queue sends; it stays there for all messages of the same kind. */
export function writePrefix(queue: MessageQueue, kind: Kind, slot: number, token: number): void {
  queue.scratchWords[0] = firstWord(kind, slot);
  queue.scratchWords[1] = token;
}

export const readFirstWord = (queue: MessageQueue): number => queue.scratchWords[0] as number;
export const readToken = (queue: MessageQueue): number => queue.scratchWords[1] as number;
export const kindOf = (word: number): number => word & 0xff;
export const versionOf = (word: number): number => (word >>> 8) & 0xff;
export const slotOf = (word: number): number => word >>> 16;

/** True if a client of ours can have sent the message. For queues found at a name, not for open connections. */
export function isOurMessage(bytes: Uint8Array): boolean {
  const [kind = 0, version] = bytes;
  if (bytes.length < PREFIX_BYTES || version !== VERSION) return false;
  return kind === Kind.data || ((kind === Kind.hello || kind === Kind.bye) && bytes.length === PREFIX_BYTES);
}

/** Lists every name that belongs to an address, also under limits that differ from ours. */
export function namesOf(name: string): string[] {
  return [name, ...Array.from({ length: MOST_CLIENTS }, (_, slot) => slotName(name, slot))];
}

/** Removes all names of an address. Idempotent. */
export function removeNames(name: string): void {
  for (const each of namesOf(name)) MessageQueue.unlink(each);
}

export function tooLarge(id: string, bytes: number, limit: number): IpcError {
  const remedy =
    `${bytes} bytes exceed ${limit}, the size of this queue's messages less ${PREFIX_BYTES}: send in parts, or raise ` +
    "fs.mqueue.msgsize_max (sysctl) and RLIMIT_MSGQUEUE (ulimit -q), which must hold 74 such messages, and start anew";
  return refusal(id, "IPC_TOO_LARGE", constants.errno.EMSGSIZE, "mq_send", remedy);
}

/** Builds the error that the system would have returned, with its number. */
export function refusal(id: string, code: IpcErrorCode, number: number, call: string, text: string): IpcError {
  const { errno, cause } = errnoError(number, call, id, text);
  return new IpcError(code, `${id}: ${text}`, { transport: id, ...(errno === undefined ? {} : { errno }), cause });
}

export function lost(id: string, how: string): IpcError {
  return new IpcError("IPC_PEER_LOST", `${id}: ${how}`, { transport: id });
}

export function closed(id: string): IpcError {
  return new IpcError("IPC_CLOSED", `${id}: this end is closed`, { transport: id });
}
