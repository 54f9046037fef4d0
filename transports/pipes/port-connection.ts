import type { MessagePort } from "node:worker_threads";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { ClosesOnce } from "../support/closing.ts";
import { Deadline } from "../support/deadline.ts";

/** Maximum of bytes under way or waiting at the other end; above it `send` returns false. A port has no limit. */
const WINDOW_BYTES = 1024 * 1024;
/** Bytes consumed after which a receiver sends a report, so that a ping-pong of small messages causes few reports. */
const REPORT_BYTES = WINDOW_BYTES / 4;
/** Bytes added to the size of every message, so that the number of empty messages is bounded too. */
const OVERHEAD_BYTES = 64;
const GOODBYE = -1;

/** One end of a `MessageChannel`. It carries messages as bytes; numbers are reports of bytes consumed, or goodbye. */
export class PortConnection extends ClosesOnce implements Connection {
  readonly #id: string;
  readonly #port: MessagePort;
  readonly #handler: ConnectionHandler;
  readonly #onClosed: (() => void) | undefined;
  readonly #held: Uint8Array[] = [];
  readonly #closed = Promise.withResolvers<void>();
  /** Bytes sent and not yet reported as consumed. */
  #underWay = 0;
  #consumed = 0;
  #paused = false;
  #blocked = false;
  #state: "open" | "closing" | "closed" = "open";
  #saidGoodbye = false;
  #error: IpcError | undefined;
  #spare: Uint8Array | undefined;

  constructor(id: string, port: MessagePort, handler: ConnectionHandler, onClosed?: () => void) {
    super();
    this.#id = id;
    this.#port = port;
    this.#handler = handler;
    this.#onClosed = onClosed;
    port.once("close", () => this.#ended());
  }

  open(): void {
    this.#handler.onOpen(this);
    this.#port.on("message", (value: unknown) => this.#received(value));
  }

  send(message: Uint8Array): boolean {
    const id = this.#id;
    if (this.#state !== "open") throw new IpcError("IPC_CLOSED", `${id}: the connection is closed`, { transport: id });
    if (message.length > UNBOUNDED_MESSAGE_BYTES) {
      const text = `${id}: ${message.length} bytes exceed the limit of ${UNBOUNDED_MESSAGE_BYTES}`;
      throw new IpcError("IPC_TOO_LARGE", text, { transport: id });
    }
    const cost = message.length + OVERHEAD_BYTES;
    // If fewer bytes are under way, the receiver may have consumed all without a report, so none may ever come.
    if (this.#underWay >= REPORT_BYTES && this.#underWay + cost > WINDOW_BYTES) {
      this.#blocked = true;
      return false;
    }
    this.#underWay += cost;
    const copy = this.#spare?.length === message.length ? this.#spare : new Uint8Array(message.length);
    this.#spare = undefined;
    copy.set(message);
    // Transferred, not cloned: no second copy.
    this.#port.postMessage(copy, [copy.buffer as ArrayBuffer]);
    return true;
  }

  #received(value: unknown): void {
    if (value instanceof Uint8Array) {
      if (this.#paused || this.#held.length > 0) this.#held.push(value);
      else this.#deliver(value);
    } else if (value === GOODBYE) {
      this.#saidGoodbye = true;
      if (this.#held.length === 0) this.#port.close();
    } else if (typeof value === "number") {
      this.#underWay -= value;
      if (this.#blocked && this.#state === "open") {
        this.#blocked = false;
        this.#handler.onWritable(this);
      }
    }
  }

  #deliver(message: Uint8Array): void {
    this.#consumed += message.length + OVERHEAD_BYTES;
    if (this.#state === "open") this.#handler.onMessage(message, this);
    // The memory belongs to this side now; a reply of the same size can use it.
    if (message.byteLength === message.buffer.byteLength) this.#spare = message;
    if (this.#consumed < REPORT_BYTES || this.#state === "closed") return;
    this.#port.postMessage(this.#consumed);
    this.#consumed = 0;
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
    while (!this.#paused && this.#held.length > 0) this.#deliver(this.#held.shift() as Uint8Array);
    if (this.#saidGoodbye && this.#held.length === 0) this.#port.close();
  }

  protected override async closeOnce(timeoutMs: number): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closing";
    this.#paused = false;
    this.#deliverHeld();
    let late: IpcError | undefined;
    const deadline = new Deadline(timeoutMs, () => {
      const text = `${this.#id}: the other side did not read all messages and close its port within ${timeoutMs} ms`;
      late = new IpcError("IPC_TIMEOUT", text, { transport: this.#id });
      this.#error ??= late;
      this.#port.close();
    });
    this.#port.postMessage(GOODBYE);
    await this.#closed.promise;
    deadline.clear();
    if (late !== undefined) throw late;
  }

  #ended(): void {
    if (this.#state === "closed") return;
    if (!this.#saidGoodbye && this.#state === "open") {
      this.#error ??= new IpcError("IPC_PEER_LOST", `${this.#id}: the other thread is gone`, { transport: this.#id });
    }
    this.#state = "closed";
    this.#handler.onClose(this, this.#error);
    this.#onClosed?.();
    this.#closed.resolve();
  }
}
