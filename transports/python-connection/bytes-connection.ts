import { IpcError, isIpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { Deadline } from "../support/deadline.ts";
import { looksPickled } from "./pickle.ts";

/** Number of messages kept for a late reader. At this number the socket is no longer read, so the sender must wait. */
const QUEUE_MESSAGES = 64;
const QUEUE_BYTES = 1024 * 1024;

export interface ReceiveOptions {
  /** Longest wait for a message. Default: wait until one comes or the other side hangs up. */
  readonly timeoutMs?: number;
  /** Longest message accepted. A longer one is lost, and the call rejects with IPC_TOO_LARGE; the next call works. */
  readonly maxBytes?: number;
  /** True: return pickles too, for a caller that can read them. Default: reject a pickle with IPC_MALFORMED. */
  readonly pickled?: boolean;
}

interface Reader {
  readonly options: ReceiveOptions;
  readonly deadline: Deadline | undefined;
  readonly resolve: (message: Uint8Array | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** One end of a connection, with the two safe methods of Python's connections: `send_bytes` and `recv_bytes`. */
export class PythonConnection implements AsyncDisposable {
  /** @internal */
  readonly handler: ConnectionHandler;
  readonly #transport: string;
  #connection: Connection | undefined;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  readonly #readers: Reader[] = [];
  #writable = Promise.withResolvers<void>();
  #ended = false;
  #error: IpcError | undefined;

  constructor(transport: string, onOpen: (connection: PythonConnection) => void = () => undefined) {
    this.#transport = transport;
    // The connection may end while nobody waits for room.
    this.#writable.promise.catch(() => undefined);
    this.handler = {
      onOpen: (connection) => {
        this.#connection = connection;
        onOpen(this);
      },
      onMessage: (message) => this.#arrived(message),
      onWritable: () => {
        this.#writable.resolve();
        this.#writable = Promise.withResolvers();
        this.#writable.promise.catch(() => undefined);
      },
      onClose: (_connection, error) => this.#closed(error),
    };
  }

  /**
   * Sends bytes, like `send_bytes`. Resolves when the kernel has taken the message, which
   * waits for the reader if the buffer is full.
   *
   * @throws IpcError IPC_TOO_LARGE, IPC_CLOSED, IPC_PEER_LOST
   */
  async sendBytes(message: Uint8Array): Promise<void> {
    for (;;) {
      if (this.#ended || this.#connection === undefined) throw this.#error ?? this.#closedError();
      const room = this.#writable.promise;
      if (this.#connection.send(message)) return;
      await room;
    }
  }

  /**
   * Receives bytes, like `recv_bytes`. Returns undefined if the other side has closed and no message is left.
   *
   * @throws IpcError IPC_TIMEOUT, IPC_TOO_LARGE, IPC_MALFORMED (a pickle; the next message can be received),
   *   IPC_PEER_LOST, IPC_AUTH_FAILED (the server wants a key)
   */
  async receiveBytes(options: ReceiveOptions = {}): Promise<Uint8Array | undefined> {
    const { timeoutMs } = options;
    const message = this.#queue.shift();
    if (message !== undefined) {
      this.#queuedBytes -= message.length;
      this.#connection?.resume();
      const refusal = this.#refusal(message, options);
      if (refusal !== undefined) throw refusal;
      return message;
    }
    if (this.#ended) {
      if (this.#error !== undefined) throw this.#error;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const deadline =
        timeoutMs === undefined ? undefined : new Deadline(timeoutMs, () => this.#giveUp(reader, timeoutMs));
      const reader: Reader = { options, deadline, resolve, reject };
      this.#readers.push(reader);
    });
  }

  #giveUp(reader: Reader, timeoutMs: number): void {
    this.#readers.splice(this.#readers.indexOf(reader), 1);
    const message = `${this.#transport}: no message within ${timeoutMs} ms`;
    reader.reject(new IpcError("IPC_TIMEOUT", message, { transport: this.#transport }));
  }

  #arrived(message: Uint8Array): void {
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#queue.push(message.slice());
      this.#queuedBytes += message.length;
      if (this.#queue.length >= QUEUE_MESSAGES || this.#queuedBytes >= QUEUE_BYTES) this.#connection?.pause();
      return;
    }
    reader.deadline?.clear();
    const refusal = this.#refusal(message, reader.options);
    if (refusal === undefined) reader.resolve(message.slice());
    else reader.reject(refusal);
  }

  #closed(cause: IpcError | undefined): void {
    const error = cause?.code === "IPC_TIMEOUT" ? this.#notHungUp(cause) : cause;
    this.#ended = true;
    this.#error = error;
    this.#writable.reject(error ?? this.#closedError());
    for (const reader of this.#readers.splice(0)) {
      reader.deadline?.clear();
      if (error === undefined) reader.resolve(undefined);
      else reader.reject(error);
    }
  }

  /**
   * Delivers the messages sent, then hangs up. Idempotent.
   *
   * @throws IpcError IPC_TIMEOUT if the other side has not hung up within `timeoutMs` (default 5 s): it does not read,
   *   or it has read everything and does not close the connection.
   */
  async close(timeoutMs?: number): Promise<void> {
    try {
      await this.#connection?.close(timeoutMs);
    } catch (error) {
      if (!isIpcError(error)) throw error;
      if (error.code === "IPC_TIMEOUT") throw this.#notHungUp(error);
    }
  }

  #closedError(): IpcError {
    return new IpcError("IPC_CLOSED", `${this.#transport}: the connection is closed`, { transport: this.#transport });
  }

  /** Names both causes, since they look the same here. The second is common in Python: a variable keeps it open. */
  #notHungUp(cause: IpcError): IpcError {
    const message =
      `${this.#transport}: the other side did not hang up in time: ` +
      "it has not read everything, or has not closed its connection";
    return new IpcError("IPC_TIMEOUT", message, { transport: this.#transport, cause });
  }

  #refusal(message: Uint8Array, { maxBytes, pickled }: ReceiveOptions): IpcError | undefined {
    const transport = this.#transport;
    if (maxBytes !== undefined && message.length > maxBytes) {
      const text = `${transport}: received a message of ${message.length} bytes; the caller accepts ${maxBytes}`;
      return new IpcError("IPC_TOO_LARGE", text, { transport });
    }
    if (pickled === true || !looksPickled(message)) return undefined;
    const text =
      `${transport}: a message of ${message.length} bytes looks like a pickled object (conn.send); ` +
      "use send_bytes and recv_bytes in Python";
    return new IpcError("IPC_MALFORMED", text, { transport });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
