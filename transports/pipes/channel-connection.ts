import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { ClosesOnce } from "../support/closing.ts";
import { Deadline } from "../support/deadline.ts";
import { ChannelGuard, type ChannelRules } from "./channel-guard.ts";

/** Bytes Node may hold for the channel before `send` returns false. */
const OUTBOX_BYTES = 1024 * 1024;
/** Size from which messages are always counted, bytes, so that Node holds at most one of them beyond the outbox. */
const UNCOUNTED_BYTES = 128 * 1024;

/** Interface that `ChildProcess` and `process` share. */
export interface ChannelEnd {
  readonly connected: boolean;
  /** @returns false if Node's own backlog has grown beyond its threshold. */
  send(message: unknown, callback?: (error: Error | null) => void): boolean;
  disconnect(): void;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  once(event: "disconnect", listener: () => void): unknown;
}

/**
 * Numbers sent beside the messages. Node's channel cannot stop reading, so a receiver that pauses signals the sender.
 * The end of file is the same after closing and after a death, so a side that closes sends a goodbye first.
 */
const Signal = { pause: 0, resume: 1, goodbye: 2 } as const;

/** Functions that depend on the serialization of a channel. */
export interface Carriage {
  /** Converts bytes to a value that the channel carries: a latin1 string, or the bytes themselves. */
  readonly encode: (message: Uint8Array) => unknown;
  readonly rules: ChannelRules;
}

/** One end of the channel that `child_process` opens between parent and child. */
export class ChannelConnection extends ClosesOnce implements Connection {
  readonly #id: string;
  readonly #end: ChannelEnd;
  readonly #handler: ConnectionHandler;
  readonly #encode: (message: Uint8Array) => unknown;
  readonly #guard: ChannelGuard | undefined;
  /** True while Node holds messages back. Only then they are counted: a callback costs more than the sending. */
  #backlog = false;
  /** Sizes of the counted messages of which the callback has not come yet, oldest at `#head`. */
  readonly #pending: number[] = [];
  #head = 0;
  #pendingBytes = 0;
  readonly #held: unknown[] = [];
  #paused = false;
  #otherPaused = false;
  #blocked = false;
  #state: "open" | "closing" | "closed" = "open";
  #saidGoodbye = false;
  #error: IpcError | undefined;
  readonly #closed = Promise.withResolvers<void>();
  readonly #sent = (error: Error | null): void => this.#confirmed(error);

  constructor(id: string, end: ChannelEnd, handler: ConnectionHandler, { encode, rules }: Carriage) {
    super();
    this.#id = id;
    this.#end = end;
    this.#handler = handler;
    this.#encode = encode;
    this.#guard = ChannelGuard.watch(end, rules, (problem) => this.refuse(problem));
    end.once("disconnect", () => this.#disconnected());
    // Reports errors of calls without a callback.
    end.on("error", (error) => this.#fail(toIpcError(error, id, "IPC_PEER_LOST")));
  }

  open(): void {
    this.#handler.onOpen(this);
    this.#end.on("message", (message) => this.#received(message));
  }

  send(message: Uint8Array): boolean {
    if (this.#state !== "open") throw this.#failure("IPC_CLOSED", "the connection is closed");
    if (message.length > UNBOUNDED_MESSAGE_BYTES) {
      throw this.#failure("IPC_TOO_LARGE", `${message.length} bytes exceed the limit of ${UNBOUNDED_MESSAGE_BYTES}`);
    }
    if (this.#otherPaused || (this.#pendingBytes > 0 && this.#pendingBytes + message.length > OUTBOX_BYTES)) {
      this.#blocked = true;
      return false;
    }
    // Node serializes before it returns, so the caller's buffer is free again.
    const encoded = this.#encode(message);
    if (this.#backlog || message.length > UNCOUNTED_BYTES) this.#sendCounted(encoded, message.length);
    else this.#backlog = !this.#end.send(encoded);
    return true;
  }

  #sendCounted(encoded: unknown, bytes: number): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes;
    this.#end.send(encoded, this.#sent);
  }

  #confirmed(error: Error | null): void {
    this.#pendingBytes -= this.#pending[this.#head++] ?? 0;
    if (this.#head === this.#pending.length) {
      // Messages leave in order, so the uncounted ones, which were sent before, have left too.
      this.#pending.length = 0;
      this.#head = 0;
      this.#backlog = false;
    }
    if (error !== null) this.#fail(toIpcError(error, this.#id, "IPC_PEER_LOST"));
    else this.#unblock();
  }

  #unblock(): void {
    if (!this.#blocked || this.#otherPaused || this.#state !== "open" || this.#pendingBytes > OUTBOX_BYTES / 2) return;
    this.#blocked = false;
    this.#handler.onWritable(this);
  }

  /** Ends the connection because a received value is not a message. */
  refuse(problem: string): void {
    this.#fail(this.#failure("IPC_MALFORMED", problem));
  }

  #received(message: unknown): void {
    this.#guard?.delivered();
    if (message === Signal.pause || message === Signal.resume) {
      this.#otherPaused = message === Signal.pause;
      this.#unblock();
    } else if (this.#paused || this.#held.length > 0) {
      // At most the messages that the other side sent before it received the pause.
      this.#held.push(message);
    } else {
      this.#deliver(message);
    }
  }

  #deliver(message: unknown): void {
    if (message === Signal.goodbye) {
      this.#saidGoodbye = true;
      if (this.#end.connected) this.#end.disconnect();
    } else if (this.#state === "open") {
      const bytes = typeof message === "string" ? Buffer.from(message, "latin1") : message;
      if (bytes instanceof Uint8Array) this.#handler.onMessage(bytes, this);
      else this.refuse(`a message of type ${typeof message}`);
    }
  }

  pause(): void {
    if (this.#paused || this.#state !== "open") return;
    this.#paused = true;
    this.#signal(Signal.pause);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#state === "open") this.#signal(Signal.resume);
    queueMicrotask(() => this.#deliverHeld());
  }

  #deliverHeld(): void {
    while (!this.#paused && this.#held.length > 0) this.#deliver(this.#held.shift());
  }

  #signal(signal: number): void {
    if (this.#end.connected) this.#end.send(signal, () => undefined);
  }

  protected override async closeOnce(timeoutMs: number): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closing";
    this.#paused = false;
    this.#deliverHeld();
    let late: IpcError | undefined;
    const deadline = new Deadline(timeoutMs, () => {
      late = this.#failure("IPC_TIMEOUT", `the other side did not answer the goodbye within ${timeoutMs} ms`);
      this.#fail(late);
    });
    this.#signal(Signal.goodbye);
    await this.#closed.promise;
    deadline.clear();
    if (late !== undefined) throw late;
  }

  #fail(error: IpcError): void {
    this.#error ??= error;
    if (this.#end.connected) this.#end.disconnect();
    else this.#disconnected();
  }

  #disconnected(): void {
    if (this.#state === "closed") return;
    const orderly = this.#saidGoodbye || this.#state === "closing" || this.#held.includes(Signal.goodbye);
    if (!orderly) this.#error ??= this.#failure("IPC_PEER_LOST", "the other process is gone");
    // The listener stays: Node delivers parsed messages in later ticks, and without it uses a channel that is gone.
    this.#state = "closed";
    this.#handler.onClose(this, this.#error);
    this.#closed.resolve();
  }

  #failure(code: "IPC_CLOSED" | "IPC_TOO_LARGE" | "IPC_TIMEOUT" | "IPC_PEER_LOST" | "IPC_MALFORMED", what: string) {
    return new IpcError(code, `${this.#id}: ${what}`, { transport: this.#id });
  }
}
