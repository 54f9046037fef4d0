import { closeSync } from "node:fs";
import { IpcError } from "../contract/errors.ts";
import { libc } from "./binding.ts";
import { EAGAIN, EINTR, systemError } from "./errno.ts";
import { Mapping } from "./mapping.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL } from "./unix-socket.ts";

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 8;
const MSG_CMSG_CLOEXEC = 0x4000_0000;

/** Offsets in one piece of memory: `struct msghdr`, `struct iovec`, control message, data. 64-bit, little-endian. */
const At = { message: 0, vector: 64, control: 96, data: 512 } as const;
const Message = { vector: 16, vectors: 24, control: 32, controlBytes: 40, flags: 48 } as const;
const CONTROL_HEADER_BYTES = 16;
/** Room for as many descriptors as fit in the control area. The kernel passes at most 253; others are not installed. */
const CONTROL_BYTES = 96;
const MAX_DATA_BYTES = 512;

/** Memory of one call, laid out for `sendmsg` and `recvmsg`. */
class MessageMemory {
  readonly mapping: Mapping = Mapping.anonymous(At.data + MAX_DATA_BYTES);
  readonly #view = new DataView(this.mapping.bytes.buffer);

  constructor(dataBytes: number, controlBytes: number) {
    if (dataBytes > MAX_DATA_BYTES) throw new RangeError(`${dataBytes} bytes exceed ${MAX_DATA_BYTES}`);
    this.#word(At.message + Message.vector, this.mapping.pointer(At.vector));
    this.#word(At.message + Message.vectors, 1);
    this.#word(At.message + Message.control, this.mapping.pointer(At.control));
    this.#word(At.message + Message.controlBytes, controlBytes);
    this.#word(At.vector, this.mapping.pointer(At.data));
    this.#word(At.vector + 8, dataBytes);
  }

  #word(at: number, value: number): void {
    this.#view.setBigUint64(at, BigInt(value), true);
  }

  set descriptor(fd: number) {
    this.#word(At.control, CONTROL_HEADER_BYTES + 4);
    this.#view.setInt32(At.control + 8, SOL_SOCKET, true);
    this.#view.setInt32(At.control + 12, SCM_RIGHTS, true);
    this.#view.setInt32(At.control + CONTROL_HEADER_BYTES, fd, true);
  }

  /** Descriptors that the kernel has opened in this process. */
  get descriptors(): number[] {
    const received = Number(this.#view.getBigUint64(At.message + Message.controlBytes, true));
    const found: number[] = [];
    for (let at = At.control; at + CONTROL_HEADER_BYTES <= At.control + received; ) {
      const bytes = Number(this.#view.getBigUint64(at, true));
      if (bytes < CONTROL_HEADER_BYTES || at + bytes > At.control + received) break;
      const isRights =
        this.#view.getInt32(at + 8, true) === SOL_SOCKET && this.#view.getInt32(at + 12, true) === SCM_RIGHTS;
      for (let i = at + CONTROL_HEADER_BYTES; isRights && i + 4 <= at + bytes; i += 4) {
        found.push(this.#view.getInt32(i, true));
      }
      at += (bytes + 7) & ~7;
    }
    return found;
  }

  get isCut(): boolean {
    return (this.#view.getInt32(At.message + Message.flags, true) & MSG_CTRUNC) !== 0;
  }
}

/**
 * Sends bytes and one descriptor through a Unix socket (SCM_RIGHTS). The receiver gets a descriptor of its own.
 *
 * @param bytes 1 to 512
 * @returns false if the socket has no room
 * @throws IpcError IPC_PEER_LOST, IPC_SHORTAGE, IPC_SYSTEM
 */
export function sendDescriptor(socketFd: number, bytes: Uint8Array, fd: number): boolean {
  const memory = new MessageMemory(bytes.length, CONTROL_HEADER_BYTES + 4 + 4);
  try {
    memory.mapping.bytes.set(bytes, At.data);
    memory.descriptor = fd;
    const api = libc();
    const sent = api.sendmsg(socketFd, memory.mapping.pointer(At.message), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent === bytes.length) return true;
    if (sent >= 0) throw new IpcError("IPC_SYSTEM", `sendmsg took ${sent} of ${bytes.length} bytes`);
    const errno = api.errno();
    if (errno === EAGAIN || errno === EINTR) return false;
    throw systemError(api, "sendmsg", `descriptor ${fd}`);
  } finally {
    memory.mapping.close();
  }
}

export interface Received {
  /** Empty at the end of the stream. */
  readonly bytes: Uint8Array;
  /** Descriptor that came with the bytes, closed on exec; the caller closes it. Undefined if none came. */
  readonly fd: number | undefined;
}

/**
 * Receives what is there, without waiting. Closes all descriptors of a message with more than one, or with more than
 * the kernel could open here: nobody would use them, and they would stay open.
 *
 * @returns undefined if nothing is there
 * @throws IpcError IPC_MALFORMED (several descriptors, or some were lost), IPC_PEER_LOST, IPC_SYSTEM
 */
export function receiveDescriptor(socketFd: number, maxBytes: number): Received | undefined {
  const memory = new MessageMemory(maxBytes, CONTROL_BYTES);
  try {
    return receiveInto(memory, socketFd);
  } finally {
    memory.mapping.close();
  }
}

function receiveInto(memory: MessageMemory, socketFd: number): Received | undefined {
  const api = libc();
  const got = api.recvmsg(socketFd, memory.mapping.pointer(At.message), MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) {
    const errno = api.errno();
    if (errno === EAGAIN || errno === EINTR) return undefined;
    throw systemError(api, "recvmsg", `socket ${socketFd}`);
  }
  const found = memory.descriptors;
  if (found.length > 1 || memory.isCut) {
    for (const fd of found) closeSync(fd);
    const what = memory.isCut ? "more descriptors than this process could open" : `${found.length} descriptors`;
    throw new IpcError("IPC_MALFORMED", `the other side passed ${what}, expected one`);
  }
  return { bytes: memory.mapping.bytes.slice(At.data, At.data + got), fd: found[0] };
}
