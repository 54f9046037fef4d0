import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { ClosesOnce } from "../support/closing.ts";
import { Deadline } from "../support/deadline.ts";
import { answerFarewell, answers, askFarewell, isQuestion, type Outgoing } from "./farewell.ts";

/** Maximum of bytes and (OUTBOX_MESSAGES) messages that wait while the library is busy; then `send` returns false. */
const OUTBOX_BYTES = 1024 * 1024;
const OUTBOX_MESSAGES = 256;
/** Interval of retries, ms: ROUTER and XPUB fail with EAGAIN at the high-water mark, and no event follows. */
const RETRY_MS = 1;
/** Size up to which Node takes the memory of a copy from its pool, bytes; such copies cost almost nothing. */
const POOLED_BYTES = 4096;
/**
 * Longest time the library may go on delivering after `close`, ms. It also limits how long the exit of the process is
 * delayed. It is needed for our answers, and for peers that confirm nothing; all other messages are confirmed by then.
 */
const LINGER_MS = 1000;

/** Functions a connection needs of the socket behind it. */
export interface SocketPort {
  readonly transport: string;
  /** `true` if the other side answers a farewell. Read when the connection closes. */
  readonly confirms: boolean;
  /** Sends a message. The connection makes no second call before the first has settled. */
  transmit(message: Outgoing): Promise<void>;
  setPaused(paused: boolean): void;
  /** Releases the socket of an ended connection; the library may deliver for `lingerMs` more. */
  release(lingerMs: number): void;
}

/**
 * One end of a ZeroMQ exchange. The library allows one unfinished send per socket ("Socket is busy writing"), so
 * further messages wait in a bounded outbox and leave in order.
 */
export class ZeromqConnection extends ClosesOnce implements Connection {
  readonly #wire: SocketPort;
  readonly #handler: ConnectionHandler;
  readonly #outbox: Outgoing[] = [];
  #outboxBytes = 0;
  /** Message that the library has not taken yet; undefined when idle. */
  #current: Outgoing | undefined;
  /** `true` if something was sent that the other side has not confirmed. */
  #unconfirmed = false;
  /** Our farewell, until the other side has answered it. */
  #question: Buffer[] | undefined;
  /** Memory of a received message that is reused. New memory of 64 KiB costs several times as much as the copy. */
  #spare: Buffer | undefined;
  #retry: NodeJS.Timeout | undefined;
  #blocked = false;
  #open = true;
  #ended = false;
  #settled: (() => void) | undefined;
  readonly #sent = (): void => this.#next();
  readonly #failed = (error: unknown): void => this.#refused(error);

  constructor(wire: SocketPort, handler: ConnectionHandler) {
    super();
    this.#wire = wire;
    this.#handler = handler;
  }

  get ended(): boolean {
    return this.#ended;
  }

  open(): void {
    this.#handler.onOpen(this);
  }

  deliver(message: Buffer): void {
    if (this.#open) this.#handler.onMessage(message, this);
    // The memory is free again, and still in the cache.
    if (message.length > POOLED_BYTES) this.#spare = message;
  }

  /** Copies a message, since the caller may reuse its buffer while the library sends it from another thread. */
  #copyOf(message: Uint8Array): Buffer {
    const { length } = message;
    let copy = this.#spare;
    if (copy?.length === length) this.#spare = undefined;
    else copy = Buffer.allocUnsafe(length);
    copy.set(message);
    return copy;
  }

  send(message: Uint8Array): boolean {
    const { transport } = this.#wire;
    if (!this.#open) throw new IpcError("IPC_CLOSED", `${transport}: the connection is closed`, { transport });
    if (message.length > UNBOUNDED_MESSAGE_BYTES) throw tooLarge(transport, message.length);
    if (this.#current !== undefined && this.#isFull(message.length)) {
      this.#blocked = true;
      return false;
    }
    this.#unconfirmed = true;
    this.#queue(this.#copyOf(message));
    return true;
  }

  #queue(message: Outgoing): void {
    if (this.#current === undefined) {
      this.#transmit(message);
      return;
    }
    this.#outbox.push(message);
    this.#outboxBytes += message.length;
  }

  /** Handles a control message of the other side, which arrives after everything sent before it. */
  control(body: Buffer): void {
    if (this.#ended) return;
    if (answers(body, this.#question)) this.#confirmed();
    else if (isQuestion(body)) this.#answer(body);
  }

  /** Queues an answer. At most one waits, so a client that keeps asking and does not read takes no memory. */
  #answer(body: Buffer): void {
    const waits = this.#outbox.some((message) => Array.isArray(message) && message !== this.#question);
    if (!waits) this.#queue(answerFarewell(body));
  }

  /** Lockstep: records that the other side has answered the last message. */
  replied(): void {
    if (this.#current === undefined && this.#outbox.length === 0) this.#confirmed();
  }

  #confirmed(): void {
    this.#unconfirmed = false;
    this.#question = undefined;
    this.#settle();
  }

  #isFull(bytes: number): boolean {
    if (this.#outbox.length === 0) return false;
    return this.#outbox.length >= OUTBOX_MESSAGES || this.#outboxBytes + bytes > OUTBOX_BYTES;
  }

  #transmit(message: Outgoing): void {
    this.#current = message;
    try {
      this.#wire.transmit(message).then(this.#sent, this.#failed);
    } catch (error) {
      queueMicrotask(() => this.#refused(error));
    }
  }

  #next(): void {
    const next = this.#outbox.shift();
    if (next !== undefined) {
      this.#outboxBytes -= next.length;
      this.#transmit(next);
    } else {
      this.#current = undefined;
      this.#settle();
    }
    if (this.#blocked && this.#open && this.#outboxBytes <= OUTBOX_BYTES / 2) {
      this.#blocked = false;
      this.#handler.onWritable(this);
    }
  }

  #refused(error: unknown): void {
    if (this.#ended) return;
    const errno = error instanceof Error && "code" in error ? error.code : undefined;
    if (errno === "EAGAIN" || errno === "EBUSY") {
      this.#retry = setTimeout(() => this.#current && this.#transmit(this.#current), RETRY_MS);
      return;
    }
    this.end(
      errno === "EHOSTUNREACH"
        ? new IpcError("IPC_PEER_LOST", `${this.#wire.transport}: the client is gone`, {
            transport: this.#wire.transport,
            errno,
          })
        : toIpcError(error, this.#wire.transport),
    );
  }

  pause(): void {
    this.#wire.setPaused(true);
  }

  resume(): void {
    this.#wire.setPaused(false);
  }

  protected override async closeOnce(timeoutMs: number): Promise<void> {
    if (this.#ended) return;
    this.#open = false;
    const { transport, confirms } = this.#wire;
    if (confirms && this.#unconfirmed) {
      this.#question = askFarewell();
      this.#queue(this.#question);
      // The answer comes after everything that is not read yet.
      this.#wire.setPaused(false);
    }
    const late = await this.#delivered(timeoutMs);
    this.end(undefined, late ? 0 : Math.min(timeoutMs, LINGER_MS));
    if (!late) return;
    const message = `${transport}: the other side did not confirm within ${timeoutMs} ms that it has read everything`;
    throw new IpcError("IPC_TIMEOUT", message, { transport });
  }

  /** @returns true when the time ran out */
  #delivered(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const deadline = new Deadline(timeoutMs, () => resolve(true));
      this.#settled = () => {
        deadline.clear();
        resolve(false);
      };
      this.#settle();
    });
  }

  #settle(): void {
    if (this.#ended || (this.#current === undefined && this.#question === undefined)) this.#settled?.();
  }

  /** Ends the connection without waiting; idempotent. */
  end(error?: IpcError, lingerMs = 0): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#open = false;
    clearTimeout(this.#retry);
    this.#outbox.length = 0;
    this.#spare = undefined;
    this.#settle();
    this.#wire.release(lingerMs);
    this.#handler.onClose(this, error);
  }
}

/** Error for a large message: without it the library would drop the connection, and the sender would time out. */
function tooLarge(transport: string, bytes: number): IpcError {
  return new IpcError(
    "IPC_TOO_LARGE",
    `${transport}: ${bytes} bytes exceed the limit of ${UNBOUNDED_MESSAGE_BYTES}; split the message or pass a file`,
    { transport },
  );
}
