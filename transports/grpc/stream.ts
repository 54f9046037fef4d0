import type { ClientDuplexStream, ServerDuplexStream } from "@grpc/grpc-js";
import { IpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { ClosesOnce } from "../support/closing.ts";
import { Deadline } from "../support/deadline.ts";
import { SpareBuffers } from "../support/spare-buffers.ts";
import { tooLarge } from "../support/unary.ts";
import { MAX_BYTES } from "./service.ts";

const ID = "grpc/stream";
/** Longest time that a client may take, after its last message, to read ours, ms. */
const FLUSH_LIMIT_MS = 5000;

export type Call = ClientDuplexStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

export interface StreamOptions {
  readonly call: Call;
  readonly handler: ConnectionHandler;
  /** Ends the call at once and discards what is queued. */
  cancel(): void;
  readonly onClosed: (connection: GrpcStream) => void;
}

/** Connection over one end of a bidirectional streaming call. The owner calls `ended` when the call has ended. */
export class GrpcStream extends ClosesOnce implements Connection {
  readonly #options: StreamOptions;
  readonly #call: Call;
  readonly #handler: ConnectionHandler;
  readonly #spare = new SpareBuffers();
  readonly #closed = Promise.withResolvers<void>();
  #open = true;
  #finished = false;
  #full = false;
  #refused = false;
  #readAll = false;
  #outcome: { readonly error: IpcError | undefined } | undefined;
  #deadline: Deadline | undefined;

  constructor(options: StreamOptions) {
    super();
    this.#options = options;
    this.#call = options.call;
    this.#handler = options.handler;
    this.#call.on("drain", () => this.#drained());
    this.#call.on("end", () => {
      this.#readAll = true;
      if (this.#outcome !== undefined) this.#finish(this.#outcome.error);
      else this.#otherSideDone();
    });
  }

  open(): void {
    this.#handler.onOpen(this);
    this.#call.on("data", (message: Buffer) => {
      if (this.#open) this.#handler.onMessage(message, this);
    });
  }

  send(message: Uint8Array): boolean {
    if (!this.#open) throw new IpcError("IPC_CLOSED", `${ID}: the connection is closed`, { transport: ID });
    if (message.length > MAX_BYTES) throw tooLarge(ID, message.length, MAX_BYTES);
    if (this.#full) {
      this.#refused = true;
      return false;
    }
    if (!this.#write(message)) this.#full = true;
    return true;
  }

  /** Writes a copy: the library frames the message in a later microtask, or after those before it. */
  #write(message: Uint8Array): boolean {
    const spare = this.#spare;
    const copy = spare.copy(message);
    if (!spare.wants(copy.length)) return this.#call.write(copy);
    return this.#call.write(copy, (error?: Error | null) => {
      if (!error) spare.giveBack(copy);
    });
  }

  #drained(): void {
    this.#full = false;
    if (!this.#refused || !this.#open) return;
    this.#refused = false;
    this.#handler.onWritable(this);
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  /** Handles the other side's last message: sends ours, then ends. */
  #otherSideDone(): void {
    this.#open = false;
    this.#call.end();
    this.#deadline ??= new Deadline(FLUSH_LIMIT_MS, () => this.#options.cancel());
  }

  protected override async closeOnce(timeoutMs: number): Promise<void> {
    if (this.#finished) return;
    this.#open = false;
    let late: IpcError | undefined;
    this.#deadline?.clear();
    this.#deadline = new Deadline(timeoutMs, () => {
      late = new IpcError("IPC_TIMEOUT", `${ID}: the other side did not end the call within ${timeoutMs} ms`, {
        transport: ID,
      });
      this.#finish(late);
      this.#options.cancel();
    });
    this.#call.end();
    // Discards messages that still arrive: unread, they would hide the end of the call.
    this.#call.resume();
    await this.#closed.promise;
    if (late !== undefined) throw late;
  }

  /** Ends the connection after the call. Unless the call failed, delivers messages that were received before. */
  ended(error: IpcError | undefined): void {
    this.#outcome ??= { error };
    if (error !== undefined || this.#readAll || !this.#open) this.#finish(error);
  }

  #finish(error: IpcError | undefined): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#open = false;
    this.#deadline?.clear();
    this.#handler.onClose(this, error);
    this.#options.onClosed(this);
    this.#closed.resolve();
  }
}
