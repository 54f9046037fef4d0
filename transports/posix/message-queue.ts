import { closeSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { IpcError } from "../contract/errors.ts";
import { REMEDIES } from "../contract/shortage.ts";
import { libc } from "./binding.ts";
import { EAGAIN, EINTR, ETIMEDOUT, errnoError, systemError } from "./errno.ts";
import { type Libc, NULL, type Pointer } from "./libc.ts";
import { softLimit } from "./machine-limits.ts";
import { Mapping } from "./mapping.ts";
import { checkName } from "./names.ts";
import { O_CREAT, O_EXCL, O_NONBLOCK, O_RDWR } from "./open-flags.ts";
import { SLICE_MS } from "./slice.ts";
import { type Deadlines, deadlines } from "./timespec.ts";

export interface QueueShape {
  /** Messages that the queue holds before a sender waits. */
  readonly maxMessages: number;
  readonly maxMessageBytes: number;
}

export interface QueueAttributes extends QueueShape {
  readonly currentMessages: number;
}

/** Limits of the system: `/proc/sys/fs/mqueue` and RLIMIT_MSGQUEUE of this process. */
export interface QueueLimits extends QueueShape {
  readonly maxQueues: number;
  /** Bytes for all queues of this user together. */
  readonly maxBytesPerUser: number;
}

/** Highest priority. Messages of higher priority are delivered first, those of equal priority in order. */
export const MAX_PRIORITY = 32_767;

/** Bytes that the kernel charges to the user per message slot, beside the payload (an upper bound of ipc/mqueue.c). */
const SLOT_OVERHEAD_BYTES = 128;

const { EINVAL, EMSGSIZE } = constants.errno;
const SIGEVENT_BYTES = 64;
const POLLOUT = 4;
const LONGEST_POLL_MS = 2 ** 31 - 1;

/** A POSIX message queue: whole messages with priorities, kept by the kernel until received or unlinked. */
export class MessageQueue implements Disposable {
  readonly name: string;
  readonly shape: QueueShape;
  /** Descriptor on Linux, which can be locked and polled. */
  readonly fd: number;
  /** Priority of the message received last. */
  lastPriority = 0;
  readonly #libc: Libc;
  readonly #deadlines: Deadlines;
  /** Memory at a fixed address, which the kernel reads and writes: one message, its priority, a `struct sigevent`. */
  readonly #scratch: Mapping;
  readonly #message: Pointer;
  readonly #priority: Pointer;
  readonly #priorityWord: number;
  readonly #eventWord: number;
  readonly #nonBlocking: boolean;
  #open = true;

  private constructor(name: string, fd: number, shape: QueueShape, nonBlocking = false) {
    this.#nonBlocking = nonBlocking;
    this.name = name;
    this.fd = fd;
    this.shape = shape;
    this.#libc = libc();
    this.#deadlines = deadlines();
    this.#priorityWord = Math.ceil(shape.maxMessageBytes / 4);
    this.#eventWord = (this.#priorityWord + 2) & ~1;
    this.#scratch = Mapping.anonymous(this.#eventWord * 4 + SIGEVENT_BYTES);
    this.#message = this.#scratch.pointer(0);
    this.#priority = this.#scratch.pointer(this.#priorityWord * 4);
  }

  /**
   * Creates a queue, mode 0600, exclusively. Default shape: the system's largest messages, as many as it allows.
   *
   * @throws IpcError IPC_ADDRESS_IN_USE (EEXIST), IPC_SHORTAGE (EMFILE, ENOSPC: quota), IPC_SYSTEM (EINVAL: shape)
   */
  static create(name: string, shape: Partial<QueueShape> = {}): MessageQueue {
    checkName(name, 0, "mq_open");
    const limits = queueLimits();
    const maxMessages = shape.maxMessages ?? limits.maxMessages;
    const maxMessageBytes = shape.maxMessageBytes ?? limits.maxMessageBytes;
    const api = libc();
    // A number beyond 31 bits, or one that is not whole, would reach the kernel as another number.
    if (!isCount(maxMessages) || !isCount(maxMessageBytes)) {
      const remedy = remedyFor(EINVAL, { maxMessages, maxMessageBytes }, limits);
      throw errnoError(EINVAL, "mq_open", name, remedy);
    }
    const attributes = Mapping.anonymous(64);
    try {
      attributes.words[2] = maxMessages;
      attributes.words[4] = maxMessageBytes;
      const fd = api.mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0o600, attributes.pointer(0));
      if (fd < 0) throw openError(api, name, { maxMessages, maxMessageBytes }, limits);
      return new MessageQueue(name, fd, { maxMessages, maxMessageBytes });
    } finally {
      attributes.close();
    }
  }

  /**
   * @param options.nonBlocking receiving never waits; sending tries first and waits in poll(2) only if the queue is
   *   full, which makes the usual send cheaper
   * @throws IpcError IPC_PEER_LOST (ENOENT), IPC_SYSTEM (EACCES, …)
   */
  static open(name: string, options: { readonly nonBlocking?: boolean } = {}): MessageQueue {
    checkName(name, 0, "mq_open");
    const api = libc();
    const fd = api.mq_open(name, O_RDWR | (options.nonBlocking ? O_NONBLOCK : 0), 0, NULL);
    if (fd < 0) throw systemError(api, "mq_open", name);
    try {
      return new MessageQueue(name, fd, readAttributes(api, fd, name), options.nonBlocking);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Removes the name. @returns false if there was none */
  static unlink(name: string): boolean {
    checkName(name, 0, "mq_unlink");
    const api = libc();
    if (api.mq_unlink(name) === 0) return true;
    if (api.errno() === constants.errno.ENOENT) return false;
    throw systemError(api, "mq_unlink", name);
  }

  attributes(): QueueAttributes {
    this.#check();
    return readAttributes(this.#libc, this.fd, this.name);
  }

  /** Memory of one message at a fixed address, which {@link sendScratch} and {@link receiveScratch} use directly. */
  get scratch(): Uint8Array {
    return this.#scratch.bytes;
  }

  /** The same memory as 32-bit words. */
  get scratchWords(): Int32Array {
    return this.#scratch.words;
  }

  /**
   * @param timeoutMs longest wait for room; 0 or less tries once, Infinity waits for ever
   * @returns false if there was no room
   * @throws IpcError IPC_TOO_LARGE naming the limit, IPC_CLOSED, IPC_SYSTEM
   */
  send(message: Uint8Array, timeoutMs: number, priority = 0): boolean {
    this.#check();
    if (message.length > this.shape.maxMessageBytes) throw this.#tooLarge(message.length);
    this.#scratch.bytes.set(message);
    return this.sendScratch(message.length, timeoutMs, priority);
  }

  /** Sends the first `bytes` of {@link scratch}. */
  sendScratch(bytes: number, timeoutMs: number, priority = 0): boolean {
    this.#check();
    if (bytes > this.shape.maxMessageBytes) throw this.#tooLarge(bytes);
    if (priority !== 0) this.#checkPriority(priority);
    if (this.#nonBlocking) return this.#sendOrPoll(bytes, priority, timeoutMs);
    this.#deadlines.setRealtime(timeoutMs);
    return this.#send(bytes, priority, this.#deadlines.realtime);
  }

  /** Does the same as `sendScratch`, but waits for 0 to 50 ms, without reading a clock: for loops that retry. */
  sendSlice(bytes: number, priority = 0): boolean {
    this.#check();
    if (bytes > this.shape.maxMessageBytes) throw this.#tooLarge(bytes);
    if (priority !== 0) this.#checkPriority(priority);
    if (this.#nonBlocking) return this.#sendOrPoll(bytes, priority, SLICE_MS);
    if (this.#send(bytes, priority, this.#deadlines.realtimeSlice)) return true;
    this.#deadlines.renewSlices();
    return false;
  }

  #sendOrPoll(bytes: number, priority: number, timeoutMs: number): boolean {
    if (this.#trySend(bytes, priority)) return true;
    const untilMs = performance.now() + timeoutMs;
    for (let leftMs = timeoutMs; leftMs > 0; leftMs = untilMs - performance.now()) {
      // Uses the memory of the sigevent. struct pollfd: i32 descriptor, i16 events, i16 returned events.
      this.#scratch.words[this.#eventWord] = this.fd;
      this.#scratch.words[this.#eventWord + 1] = POLLOUT;
      this.#libc.poll(this.#scratch.pointer(this.#eventWord * 4), 1, Math.ceil(Math.min(leftMs, LONGEST_POLL_MS)));
      if (this.#trySend(bytes, priority)) return true;
    }
    return false;
  }

  /** @returns false when there is no room */
  #trySend(bytes: number, priority: number, isRepeated = false): boolean {
    if (this.#libc.mq_send(this.fd, this.#message, bytes, priority) === 0) return true;
    const failure = this.#libc.errno();
    if (failure === EAGAIN || failure === EINTR) return false;
    // The engine can overwrite errno before it is read: seen once as ENOENT, which this call never has.
    if (!isRepeated) return this.#trySend(bytes, priority, true);
    throw systemError(this.#libc, "mq_send", this.name);
  }

  #send(bytes: number, priority: number, deadline: Pointer): boolean {
    for (;;) {
      const result = this.#libc.mq_timedsend(this.fd, this.#message, bytes, priority, deadline);
      if (result === 0) return true;
      const failure = this.#libc.errno();
      if (failure === ETIMEDOUT || failure === EAGAIN) return false;
      // The deadline is absolute, so an interrupted call that is repeated ends at the same moment.
      if (failure !== EINTR) throw systemError(this.#libc, "mq_timedsend", this.name);
    }
  }

  /**
   * Receives the oldest message of the highest priority; stores that priority in `lastPriority`.
   *
   * @param timeoutMs longest wait for a message; 0 or less tries once, Infinity waits for ever
   * @returns the length of the message, or -1 if none came in time
   * @throws IpcError IPC_TOO_LARGE (`into` is too small; the message is gone), IPC_CLOSED, IPC_SYSTEM
   */
  receive(into: Uint8Array, timeoutMs: number): number {
    const length = this.receiveScratch(timeoutMs);
    if (length < 0) return -1;
    if (length > into.length) {
      throw new IpcError(
        "IPC_TOO_LARGE",
        `queue ${this.name}: a message of ${length} bytes does not fit in ${into.length}`,
      );
    }
    into.set(this.#scratch.bytes.subarray(0, length));
    return length;
  }

  /** Receives into {@link scratch}. @returns the length, or -1 */
  receiveScratch(timeoutMs: number): number {
    this.#check();
    this.#deadlines.setRealtime(timeoutMs);
    return this.#receive(this.#deadlines.realtime);
  }

  /** Does the same as `receiveScratch`, but waits for 0 to 50 ms, without reading a clock: for loops that retry. */
  receiveSlice(): number {
    this.#check();
    const length = this.#receive(this.#deadlines.realtimeSlice);
    if (length < 0) this.#deadlines.renewSlices();
    return length;
  }

  #receive(deadline: Pointer): number {
    for (;;) {
      const length = this.#libc.mq_timedreceive(
        this.fd,
        this.#message,
        this.shape.maxMessageBytes,
        this.#priority,
        deadline,
      );
      if (length >= 0) {
        this.lastPriority = this.#scratch.words[this.#priorityWord] as number;
        return length;
      }
      const failure = this.#libc.errno();
      if (failure === ETIMEDOUT || failure === EAGAIN) return -1;
      if (failure !== EINTR) throw systemError(this.#libc, "mq_timedreceive", this.name);
    }
  }

  /**
   * Requests one signal for when a message arrives in the empty queue. Each request gives only one signal: after it,
   * request again first, and then empty the queue.
   *
   * @returns false if a request is registered already, of this process or another
   */
  notify(signal: number): boolean {
    this.#check();
    // struct sigevent: i64 value, i32 signo, i32 notify (0 is SIGEV_SIGNAL).
    this.#scratch.words[this.#eventWord + 2] = signal;
    if (this.#libc.mq_notify(this.fd, this.#scratch.pointer(this.#eventWord * 4)) === 0) return true;
    if (this.#libc.errno() === constants.errno.EBUSY) return false;
    throw systemError(this.#libc, "mq_notify", this.name);
  }

  /** Closes this end; the queue and its messages stay until it is unlinked. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#scratch.close();
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #check(): void {
    if (!this.#open) throw new IpcError("IPC_CLOSED", `queue ${this.name} is closed`);
  }

  #checkPriority(priority: number): void {
    if (isCount(priority) && priority <= MAX_PRIORITY) return;
    throw errnoError(
      EINVAL,
      "mq_send",
      this.name,
      `priority ${priority}: give a whole number from 0 to ${MAX_PRIORITY}`,
    );
  }

  #tooLarge(bytes: number): IpcError {
    const remedy =
      `queue ${this.name}: ${bytes} bytes exceed its limit of ${this.shape.maxMessageBytes}; ` +
      "raise fs.mqueue.msgsize_max (sysctl) and create the queue with a larger maxMessageBytes";
    return errnoError(EMSGSIZE, "mq_send", this.name, remedy);
  }
}

/** Reads the limits; uses the system's default for a limit that cannot be read. Never throws. */
export function queueLimits(): QueueLimits {
  return {
    maxMessages: readNumber("/proc/sys/fs/mqueue/msg_max") ?? 10,
    maxMessageBytes: readNumber("/proc/sys/fs/mqueue/msgsize_max") ?? 8192,
    maxQueues: readNumber("/proc/sys/fs/mqueue/queues_max") ?? 256,
    maxBytesPerUser: Math.min(Number.MAX_SAFE_INTEGER, softLimit("Max msgqueue size") ?? 819_200),
  };
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < 2 ** 31;

/** Computes how many bytes of `maxBytesPerUser` a queue takes, rounded up. */
export function queueCostBytes(shape: QueueShape): number {
  return shape.maxMessages * (shape.maxMessageBytes + SLOT_OVERHEAD_BYTES);
}

function readAttributes(api: Libc, fd: number, name: string): QueueAttributes {
  const bytes = Buffer.alloc(64);
  if (api.mq_getattr(fd, bytes) !== 0) throw systemError(api, "mq_getattr", name);
  return {
    maxMessages: bytes.readUInt32LE(8),
    maxMessageBytes: bytes.readUInt32LE(16),
    currentMessages: bytes.readUInt32LE(24),
  };
}

function openError(api: Libc, name: string, shape: QueueShape, limits: QueueLimits): IpcError {
  return systemError(api, "mq_open", name, remedyFor(api.errno(), shape, limits));
}

function remedyFor(number: number, shape: QueueShape, limits: QueueLimits): string | undefined {
  const { EMFILE, ENOSPC } = constants.errno;
  if (number === EMFILE) {
    return (
      `the queues of this user may use ${limits.maxBytesPerUser} bytes together and this one needs about ` +
      `${queueCostBytes(shape)}: ${REMEDIES.queueBytes}, or remove queues nobody uses`
    );
  }
  if (number === ENOSPC) return `all ${limits.maxQueues} queues of the system are in use: ${REMEDIES.queueCount}`;
  if (number === EINVAL) {
    return (
      `${shape.maxMessages} messages of ${shape.maxMessageBytes} bytes are outside the limits ` +
      `(1 to ${limits.maxMessages} of 1 to ${limits.maxMessageBytes}); raise them: ${REMEDIES.queueShape}`
    );
  }
  return undefined;
}

function readNumber(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "latin1"));
  } catch {
    return undefined;
  }
}
