import { constants } from "node:os";
import { IpcError } from "../contract/errors.ts";
import { libc } from "../posix/binding.ts";
import { EAGAIN, EINTR, errnoName } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { Mapping } from "../posix/mapping.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL } from "../posix/unix-socket.ts";
import { WordCopy } from "../support/word-copy.ts";

export const ID = "unix-seqpacket";
/** Kinds of records: their first word. Without one, an empty message would look like the end of the connection. */
export const Kind = { data: 1, bye: 2 } as const;
export const KIND_BYTES = 4;
/**
 * Longest message. A record and its overhead must fit in a socket's send buffer, which has 208 KiB by default
 * (net.core.wmem_default).
 */
export const MAX_MESSAGE_BYTES: number = 192 * 1024;
/** Size of buffers for reading. The kernel silently cuts a longer record, so a record that fills one is refused. */
export const READ_BYTES: number = KIND_BYTES + MAX_MESSAGE_BYTES + 1;
const SEND_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL;

export function failure(code: IpcError["code"], text: string, errno?: string): IpcError {
  return new IpcError(code, `${ID}: ${text}`, { transport: ID, ...(errno !== undefined && { errno }) });
}

/** Returns the error for a record of this length and kind; undefined if the record is valid. */
export function fault(bytes: number, kind: number): IpcError | undefined {
  if (bytes >= READ_BYTES) return failure("IPC_MALFORMED", `a record above the limit of ${MAX_MESSAGE_BYTES} bytes`);
  if (bytes < KIND_BYTES) return failure("IPC_MALFORMED", `a record of ${bytes} bytes, too short for its kind`);
  if (kind === Kind.data || (kind === Kind.bye && bytes === KIND_BYTES)) return undefined;
  return failure("IPC_MALFORMED", `a record of ${bytes} bytes and kind ${kind >>> 0}`);
}

/** Sends records of all connections of this thread: each is copied behind its kind and given to the kernel at once. */
class Outbox {
  readonly #libc: Libc = libc();
  // Lives as long as the thread, since `send` returns only when the kernel has copied the record.
  readonly #scratch = Mapping.anonymous(READ_BYTES + 3);
  readonly #start = this.#scratch.pointer(0);
  readonly #copy = new WordCopy(this.#scratch.bytes, this.#scratch.words);

  /** @returns true if the kernel took it, false if it has no room @throws IpcError IPC_PEER_LOST, IPC_TOO_LARGE */
  send(fd: number, kind: number, message: Uint8Array, flags: number = SEND_FLAGS): boolean {
    this.#scratch.words[0] = kind;
    this.#copy.write(message, KIND_BYTES);
    if (this.#libc.send(fd, this.#start, KIND_BYTES + message.length, flags) >= 0) return true;
    const errno = this.#libc.errno();
    if (errno === EAGAIN || errno === EINTR) return false;
    const name = errnoName(errno);
    if (errno === constants.errno.EMSGSIZE) {
      const text = `${message.length} bytes do not fit in this machine's socket buffers; raise net.core.wmem_default`;
      throw failure("IPC_TOO_LARGE", text, name);
    }
    throw failure("IPC_PEER_LOST", `the other side is gone (${name})`, name);
  }

  /** Returns a copy of the record that `send` did not send. */
  refused(messageBytes: number): Buffer {
    return Buffer.from(this.#scratch.bytes.subarray(0, KIND_BYTES + messageBytes));
  }
}

let shared: Outbox | undefined;

export type { Outbox };

export function outbox(): Outbox {
  shared ??= new Outbox();
  return shared;
}

/** @throws IpcError IPC_TOO_LARGE */
export function checkLength(bytes: number): void {
  if (bytes <= MAX_MESSAGE_BYTES) return;
  throw failure("IPC_TOO_LARGE", `${bytes} bytes exceed the limit of ${MAX_MESSAGE_BYTES} for one message`);
}
