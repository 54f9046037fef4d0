import { IpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { ClosesOnce } from "./closing.ts";
import { Deadline } from "./deadline.ts";

/** Time for which `close` waits for replies, which show that requests have arrived, before it calls `confirm`. */
const REPLY_MS = 250;

/** Ends one call: with the reply (borrowed), with an error, which also ends the connection, or with neither. */
export type CallDone = (error: IpcError | undefined, reply: Uint8Array | undefined) => void;

export interface UnaryClientOptions {
  readonly transport: string;
  readonly handler: ConnectionHandler;
  readonly maxMessageBytes: number;
  /** Calls that may be under way before `send` returns false. */
  readonly maxCalls: number;
  /** Returns false once the server takes no more calls. Then `send` returns false, and `end` follows the last reply. */
  accepts?(): boolean;
  /** Begins a call. Copies what it needs before it returns, and calls `done` later, exactly once. */
  call(message: Uint8Array, done: CallDone): void;
  /**
   * Checks if the server has read the requests under way. Calls `confirmed` when it has read all of them, or ends each
   * call that has been read. Without this function only replies show that.
   */
  confirm?(confirmed: () => void): void;
  /** Cancels what is under way and frees the channel. */
  release(): void;
}

/** Client end for mechanisms that offer only calls: each `send` makes a call, and its reply arrives as a message. */
export class UnaryClient extends ClosesOnce implements Connection {
  readonly #options: UnaryClientOptions;
  readonly #handler: ConnectionHandler;
  readonly #held: Uint8Array[] = [];
  #calls = 0;
  #paused = false;
  #blocked = false;
  #open = true;
  #ended = false;
  /** Error of the first call that failed while the connection was closing. */
  #failure: IpcError | undefined;
  #idle: (() => void) | undefined;
  readonly #done: CallDone = (error, reply) => this.#finished(error, reply);

  constructor(options: UnaryClientOptions) {
    super();
    this.#options = options;
    this.#handler = options.handler;
  }

  open(): void {
    this.#handler.onOpen(this);
  }

  get calls(): number {
    return this.#calls;
  }

  send(message: Uint8Array): boolean {
    const { transport, maxMessageBytes, maxCalls } = this.#options;
    if (!this.#open) throw new IpcError("IPC_CLOSED", `${transport}: the connection is closed`, { transport });
    if (message.length > maxMessageBytes) throw tooLarge(transport, message.length, maxMessageBytes);
    if (this.#calls >= maxCalls || this.#options.accepts?.() === false) {
      this.#blocked = true;
      return false;
    }
    this.#calls++;
    this.#options.call(message, this.#done);
    return true;
  }

  #finished(error: IpcError | undefined, reply: Uint8Array | undefined): void {
    this.#calls--;
    if (this.#ended) return;
    // While the connection closes, a failed call must not end it: the requests of other calls may not be sent yet.
    if (error !== undefined && this.#open) return this.end(error);
    this.#failure ??= error;
    if (reply !== undefined && this.#open) {
      // At most as many as there were calls under way when the handler paused.
      if (this.#paused || this.#held.length > 0) this.#held.push(Uint8Array.from(reply));
      else this.#handler.onMessage(reply, this);
    }
    if (this.#calls === 0) this.#idle?.();
    if (this.#blocked && this.#open) {
      this.#blocked = false;
      this.#handler.onWritable(this);
    }
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#held.length > 0) queueMicrotask(() => this.#deliverHeld());
  }

  #deliverHeld(): void {
    while (!this.#paused && this.#open && this.#held.length > 0) {
      this.#handler.onMessage(this.#held.shift() as Uint8Array, this);
    }
  }

  protected override async closeOnce(timeoutMs: number): Promise<void> {
    if (this.#ended) return;
    this.#open = false;
    const arrived = this.#calls === 0 || (await this.#arrived(timeoutMs));
    const { transport } = this.#options;
    const text = `${transport}: the server did not read or answer ${this.#calls} requests within ${timeoutMs} ms`;
    this.end(this.#failure);
    if (!arrived) throw new IpcError("IPC_TIMEOUT", text, { transport });
  }

  /** @returns false when the time ran out. */
  #arrived(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (arrived: boolean): void => {
        late.clear();
        unanswered.clear();
        resolve(arrived);
      };
      const late = new Deadline(timeoutMs, () => settle(false));
      const unanswered = new Deadline(REPLY_MS, () => this.#options.confirm?.(() => settle(true)));
      this.#idle = () => settle(true);
    });
  }

  /** Ends the connection without waiting; idempotent. */
  end(error?: IpcError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#open = false;
    this.#held.length = 0;
    this.#idle?.();
    this.#options.release();
    this.#handler.onClose(this, error);
  }
}

export interface UnaryCallOptions {
  readonly transport: string;
  readonly handler: ConnectionHandler;
  readonly maxMessageBytes: number;
  /** Sends the one reply. Copies the message before it returns. */
  reply(message: Uint8Array): void;
  /** Ends the call without a reply, so that it fails at the client. */
  fail(): void;
}

/** Server end of one call: a connection on which one message arrives and one may be sent. */
export class UnaryCall implements Connection {
  readonly #options: UnaryCallOptions;
  #state: "waiting" | "answered" | "ended" = "waiting";
  #finish: (() => void) | undefined;
  #finished: Promise<void> | undefined;

  constructor(options: UnaryCallOptions) {
    this.#options = options;
  }

  begin(request: Uint8Array): void {
    this.#options.handler.onOpen(this);
    if (this.#state === "waiting") this.#options.handler.onMessage(request, this);
  }

  send(message: Uint8Array): boolean {
    const { transport, maxMessageBytes } = this.#options;
    if (this.#state === "ended") {
      throw new IpcError("IPC_CLOSED", `${transport}: the call has ended`, { transport });
    }
    if (this.#state === "answered") {
      throw new IpcError("IPC_UNSUPPORTED", `${transport}: a call takes one reply, and it was sent`, { transport });
    }
    if (message.length > maxMessageBytes) throw tooLarge(transport, message.length, maxMessageBytes);
    this.#state = "answered";
    this.#options.reply(message);
    return true;
  }

  // No further message will arrive.
  pause(): void {}
  resume(): void {}

  /** Resolves when the reply is sent; a call without a reply fails at the client. */
  close(timeoutMs = 5000): Promise<void> {
    if (this.#state === "waiting") {
      this.#options.fail();
      this.end();
    }
    if (this.#state === "ended") return Promise.resolve();
    this.#finished ??= new Promise((resolve, reject) => {
      const deadline = new Deadline(timeoutMs, () => {
        const { transport } = this.#options;
        reject(
          new IpcError("IPC_TIMEOUT", `${transport}: the client did not take the reply within ${timeoutMs} ms`, {
            transport,
          }),
        );
        this.end();
      });
      this.#finish = () => {
        deadline.clear();
        resolve();
      };
    });
    return this.#finished;
  }

  /** Ends the call. Called when the reply is sent, or the client is gone. */
  end(error?: IpcError): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#finish?.();
    this.#options.handler.onClose(this, error);
  }

  /** Ends the call of a client that is gone; with an error if no reply was sent. */
  abandon(): void {
    const { transport } = this.#options;
    if (this.#state !== "waiting") return this.end();
    this.end(new IpcError("IPC_PEER_LOST", `${transport}: the client left before its reply`, { transport }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export function tooLarge(transport: string, bytes: number, limit: number): IpcError {
  return new IpcError("IPC_TOO_LARGE", `${transport}: ${bytes} bytes exceed the limit of ${limit} for one message`, {
    transport,
  });
}
