import type { Socket } from "node:net";
import { IpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import type { SharedView } from "../posix/mapping.ts";
import { ClosesOnce } from "../support/closing.ts";
import { Deadline } from "../support/deadline.ts";
import type { Agreed } from "./agreed-segment.ts";
import { Pair } from "./layout.ts";

/** Maximum number of messages delivered in one turn of the event loop, so that timers can run too. */
const BATCH = 64;

/** Common part of connections over an agreed segment: delivering, pausing, ending, in the right order. */
export abstract class AgreedConnection extends ClosesOnce implements Connection {
  protected readonly id: string;
  protected readonly socket: Socket;
  protected readonly mapping: SharedView;
  protected readonly handler: ConnectionHandler;
  readonly #agreed: Agreed;
  readonly #onEnd: () => void;
  #open = true;
  #ended = false;
  #paused = false;
  #scheduled: NodeJS.Immediate | undefined;
  #hungUp = false;
  #broken: IpcError | undefined;

  constructor(id: string, agreed: Agreed, handler: ConnectionHandler, onEnd: () => void) {
    super();
    this.id = id;
    this.#agreed = agreed;
    this.socket = agreed.socket;
    this.mapping = agreed.segment.mapping;
    this.handler = handler;
    this.#onEnd = onEnd;
  }

  /** Handles bytes of the socket, which have the mechanism's own format. At most `BATCH` messages per turn. */
  protected abstract onBytes(chunk: Buffer): void;
  /** Delivers one message. @returns false if there is none */
  protected abstract deliverOne(): boolean;
  /** Called when nothing is left to deliver. @returns true if something arrived at the last moment */
  protected abstract rest(): boolean;
  /** True while a refused message waits for `onWritable`. */
  protected abstract awaitsRoom(): boolean;
  abstract send(message: Uint8Array): boolean;

  start(): void {
    this.handler.onOpen(this);
    if (this.#ended) return;
    const hangUp = (): void => {
      this.#hungUp = true;
      this.schedule();
    };
    this.socket.on("data", (chunk: Buffer) => {
      if (!this.#ended) this.#guarded(() => this.onBytes(chunk));
      this.deliver();
    });
    this.socket.on("end", hangUp).on("close", hangUp).on("error", hangUp);
    this.schedule();
  }

  protected get isOpen(): boolean {
    return this.#open;
  }

  protected schedule(): void {
    if (this.#ended || this.#scheduled !== undefined) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      this.deliver();
    });
  }

  /** Delivers the messages that have arrived; continues in the next turn if they are many. */
  protected deliver(): void {
    // A process that is gone makes no room, so an echo that paused to wait for it would wait for ever.
    if (this.#hungUp && this.awaitsRoom()) this.#end(this.#broken ?? this.#farewell());
    this.#guarded(() => {
      for (let i = 0; i < BATCH; i++) {
        if (this.#ended || this.#paused || !this.#open) return;
        if (this.deliverOne() || this.#ended) continue;
        if (this.rest()) continue;
        if (this.#hungUp) this.#end(this.#broken ?? this.#farewell());
        return;
      }
      this.schedule();
    });
    // Once the other side has broken the rules, nothing more can be delivered.
    if (this.#broken !== undefined) this.#end(this.#broken);
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#broken = this.#malformed(error);
    }
  }

  /** Converts an error in the other side's bytes. Rethrows any other error: a fault of ours or of the handler. */
  #malformed(error: unknown): IpcError {
    if (!(error instanceof IpcError) || error.code !== "IPC_MALFORMED") throw error;
    return this.error("IPC_MALFORMED", error.message);
  }

  /** True once the other side has marked in the segment that it closes. */
  protected otherCloses(): boolean {
    const word = this.#agreed.isServer ? Pair.clientClosedWord : Pair.serverClosedWord;
    return Atomics.load(this.mapping.words, word) !== 0;
  }

  /** Returns the error if the other side hung up without closing; undefined if it closed. */
  #farewell(): IpcError | undefined {
    if (this.otherCloses()) return undefined;
    return new IpcError("IPC_PEER_LOST", `${this.id}: the other process is gone`, { transport: this.id });
  }

  /** Ends the connection after an error while sending, in a later turn and never inside `send`. */
  protected breakLater(error: unknown): void {
    const broken = this.#malformed(error);
    this.#broken = broken;
    setImmediate(() => this.#end(broken));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.schedule();
  }

  /** Closes. Messages taken are in the segment, which the other side has mapped, so they are delivered in any case. */
  protected override async closeOnce(timeoutMs: number): Promise<void> {
    if (this.#ended) return;
    this.#open = false;
    const word = this.#agreed.isServer ? Pair.serverClosedWord : Pair.clientClosedWord;
    Atomics.store(this.mapping.words, word, 1);
    const late = Promise.withResolvers<boolean>();
    const deadline = new Deadline(timeoutMs, () => late.resolve(true));
    this.socket.end(() => late.resolve(false)).once("close", () => late.resolve(false));
    const isLate = await late.promise;
    deadline.clear();
    this.#end();
    if (isLate) throw this.error("IPC_TIMEOUT", `the other side did not read for ${timeoutMs} ms`);
  }

  #end(error?: IpcError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#open = false;
    clearImmediate(this.#scheduled);
    this.socket.destroy();
    this.#agreed.segment.close();
    this.#onEnd();
    if (error === undefined) this.handler.onClose(this);
    else this.handler.onClose(this, error);
  }

  protected error(code: IpcError["code"], text: string): IpcError {
    return new IpcError(code, `${this.id}: ${text}`, { transport: this.id });
  }
}
