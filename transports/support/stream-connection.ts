import type { Readable, Writable } from "node:stream";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { ClosesOnce } from "./closing.ts";
import { Deadline } from "./deadline.ts";
import { FrameWriter } from "./frame-writer.ts";
import { LengthPrefixDecoder, type PrefixFormat, U32_PREFIX } from "./length-prefix.ts";
import { strayLine } from "./stray-line.ts";

/** Length that no message has. It means "this was my last message" where an end of file would not be seen. */
const LAST_WORD: Buffer = Buffer.from([0xff, 0xff, 0xff, 0xff]);
const LAST_WORD_LENGTH = 0xffff_ffff;

/** Time allowed for flushing the queue after the other side has closed. */
const FLUSH_LIMIT_MS = 5000;

export interface StreamConnectionOptions {
  /** Id of the transport, for error messages. */
  readonly transport: string;
  readonly maxMessageBytes: number;
  readonly handler: ConnectionHandler;
  /** Source and destination of the bytes; the same object for a socket, which must have `allowHalfOpen`. */
  readonly input: Readable;
  readonly output: Writable;
  /** `feed`: the owner of `input` calls `feed` (a socket with `onread`). `data` (default): this class reads `input`. */
  readonly reads?: "feed" | "data";
  /** Format of lengths on the wire; default: a u32, little-endian. */
  readonly format?: PrefixFormat;
  /**
   * True if the other side cannot see our end of file before this process ends (standard output on Windows). Each side
   * then sends a length of 2^32 - 1 as its last word and hangs up. Possible only with the default format.
   */
  readonly saysLastWord?: boolean;
  /** Called after `handler.onClose`. */
  readonly onClosed?: (connection: StreamConnection) => void;
}

/** Bytes that arrived while paused, or that follow, in a chunk, the message at which the handler paused. */
interface Rest {
  readonly chunk: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/**
 * A connection over one or two byte streams with length-prefixed messages. `close` sends our end of file, then reads
 * (and discards) until the other side's. So no message taken is lost by a reset, and when `close` resolves, the other
 * process has read everything.
 */
export class StreamConnection extends ClosesOnce implements Connection {
  readonly #options: StreamConnectionOptions;
  readonly #handler: ConnectionHandler;
  readonly #decoder: LengthPrefixDecoder;
  readonly #writer: FrameWriter;
  readonly #openStreams: Set<Readable | Writable>;
  readonly #closed = Promise.withResolvers<void>();
  #state: "open" | "closing" | "ended" | "closed" = "open";
  #paused = false;
  #delivering = false;
  #rest: Rest | undefined;
  #remoteEnded = false;
  #error: IpcError | undefined;
  #deadline: Deadline | undefined;

  constructor(options: StreamConnectionOptions) {
    super();
    this.#options = options;
    this.#handler = options.handler;
    const format = options.format ?? U32_PREFIX;
    const deliver = (message: Uint8Array): boolean => {
      if (this.#state !== "open") return true;
      this.#handler.onMessage(message, this);
      return !this.#paused && this.#state === "open";
    };
    this.#decoder = new LengthPrefixDecoder(options.maxMessageBytes, deliver, format);
    const onWritable = (): void => {
      if (this.#state === "open") this.#handler.onWritable(this);
    };
    this.#writer = new FrameWriter(options.output, onWritable, format);
    this.#openStreams = new Set([options.input, options.output]);
    for (const stream of this.#openStreams) {
      stream.on("error", (error) => this.#fail(toIpcError(error, options.transport)));
      stream.on("close", () => this.#streamClosed(stream));
    }
    options.input.on("end", () => this.#inputEnded());
  }

  /** Calls `onOpen` and begins to read. To be called once, after construction. */
  open(): void {
    this.#handler.onOpen(this);
    if (this.#options.reads === "feed") return;
    // Attached after `onOpen`, because the first listener makes the stream flow.
    this.#options.input.on("data", (chunk: Uint8Array) => this.feed(chunk, chunk.length));
  }

  /** Takes bytes `[0, end)` of a chunk that may be reused once this connection reads again. */
  feed(chunk: Uint8Array, end: number): void {
    if (this.#state !== "open") this.#skip(chunk, 0, end);
    else if (this.#paused || this.#rest !== undefined) this.#hold(chunk, end);
    else this.#deliver(chunk, 0, end);
  }

  #hold(chunk: Uint8Array, end: number): void {
    const rest = this.#rest;
    const before = rest === undefined ? new Uint8Array(0) : rest.chunk.subarray(rest.start, rest.end);
    const joined = Buffer.concat([before, chunk.subarray(0, end)]);
    this.#rest = { chunk: joined, start: 0, end: joined.length };
  }

  #deliver(chunk: Uint8Array, start: number, end: number): void {
    this.#delivering = true;
    let stopped = start;
    try {
      stopped = this.#decoder.push(chunk, start, end);
    } finally {
      this.#delivering = false;
    }
    if (this.#state !== "open") {
      if (stopped >= 0) this.#skip(chunk, stopped, end);
    } else if (stopped < 0) {
      if (this.#isLastWord()) this.#lastWordCame();
      else this.#fail(this.#malformed(this.#decoder.refusedBytes ?? 0, chunk.subarray(start, end)));
    } else if (stopped < end) {
      this.#rest = { chunk, start: stopped, end };
      // The handler may have paused and resumed within one message.
      if (!this.#paused) this.#continueSoon();
    }
  }

  /** Discards input after our own end, up to the last word of the other side. */
  #skip(chunk: Uint8Array, start: number, end: number): void {
    if (!this.#options.saysLastWord || this.#remoteEnded) return;
    if (this.#decoder.push(chunk, start, end) < 0) this.#lastWordCame();
  }

  #isLastWord(): boolean {
    return this.#options.saysLastWord === true && this.#decoder.refusedBytes === LAST_WORD_LENGTH;
  }

  #lastWordCame(): void {
    this.#inputEnded();
    this.#options.input.destroy();
  }

  #sayLastWord(): void {
    if (this.#options.saysLastWord) this.#options.output.write(LAST_WORD);
    this.#options.output.end();
  }

  send(message: Uint8Array): boolean {
    if (this.#state !== "open") {
      throw new IpcError("IPC_CLOSED", `${this.#options.transport}: the connection is closed`, {
        transport: this.#options.transport,
      });
    }
    if (message.length > this.#options.maxMessageBytes) throw this.#tooLarge(message.length);
    return this.#writer.write(message);
  }

  pause(): void {
    if (this.#paused || this.#state !== "open") return;
    this.#paused = true;
    this.#options.input.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#state !== "open" || this.#delivering) {
      this.#options.input.resume();
    } else {
      this.#continueSoon();
    }
  }

  /** Continues in the next tick: a handler that calls `resume` must not be called again inside that call. */
  #continueSoon(): void {
    process.nextTick(() => {
      if (this.#paused || this.#state !== "open") return;
      const rest = this.#rest;
      this.#rest = undefined;
      if (rest !== undefined) this.#deliver(rest.chunk, rest.start, rest.end);
      if (this.#paused || this.#rest !== undefined || this.#state !== "open") return;
      if (this.#remoteEnded) this.#endOrderly();
      else this.#options.input.resume();
    });
  }

  #inputEnded(): void {
    this.#remoteEnded = true;
    if (this.#state === "open" && this.#rest === undefined) this.#endOrderly();
  }

  #endOrderly(): void {
    if (this.#decoder.midFrame) {
      this.#fail(this.#lost("the other side ended in the middle of a message"));
      return;
    }
    this.#state = "ended";
    this.#sayLastWord();
    this.#deadline = new Deadline(FLUSH_LIMIT_MS, () =>
      this.#fail(this.#lost(`nothing read what was queued within ${FLUSH_LIMIT_MS} ms`)),
    );
  }

  protected override async closeOnce(timeoutMs: number): Promise<void> {
    let late: IpcError | undefined;
    if (this.#state === "open") {
      this.#state = "closing";
      this.#sayLastWord();
      const rest = this.#rest;
      this.#rest = undefined;
      if (rest !== undefined) this.#skip(rest.chunk, rest.start, rest.end);
      this.#options.input.resume();
    }
    if (this.#state !== "closed") {
      this.#deadline?.clear();
      this.#deadline = new Deadline(timeoutMs, () => {
        late = this.#timedOut(timeoutMs);
        this.#fail(late);
      });
    }
    await this.#closed.promise;
    if (late !== undefined) throw late;
  }

  #fail(error: IpcError): void {
    // The first error is the cause; a later error of the other stream is its consequence.
    this.#error ??= error;
    for (const stream of this.#openStreams) stream.destroy();
  }

  #streamClosed(stream: Readable | Writable): void {
    this.#openStreams.delete(stream);
    // If one stream dies without an end of file, the other is ended too.
    if (this.#error !== undefined || (this.#state === "open" && stream === this.#options.output)) {
      for (const other of this.#openStreams) other.destroy();
    }
    if (this.#openStreams.size > 0) return;
    if (this.#state === "closed") return;
    if (this.#state === "open" && this.#error === undefined && !this.#remoteEnded) {
      this.#error = this.#lost("the stream was destroyed");
    }
    this.#state = "closed";
    this.#deadline?.clear();
    this.#handler.onClose(this, this.#error);
    this.#options.onClosed?.(this);
    this.#closed.resolve();
  }

  #lost(what: string): IpcError {
    const { transport } = this.#options;
    return new IpcError("IPC_PEER_LOST", `${transport}: ${what}`, { transport });
  }

  /** @param chunk what came last; if a program printed a line, it begins with that */
  #malformed(bytes: number, chunk: Uint8Array): IpcError {
    const { transport, maxMessageBytes, format = U32_PREFIX } = this.#options;
    const line = strayLine(chunk);
    const found =
      line === undefined ? `a length of ${bytes} bytes; the limit is ${maxMessageBytes}` : `${line}, a text`;
    const message = `${transport}: the other side sent ${found}${line === undefined ? "" : ", which is no message"}`;
    return new IpcError(bytes < 0 ? "IPC_MALFORMED" : format.excess, message, { transport });
  }

  #tooLarge(bytes: number): IpcError {
    const { transport, maxMessageBytes } = this.#options;
    const message = `${transport}: ${bytes} bytes exceed the limit of ${maxMessageBytes} for one message`;
    return new IpcError("IPC_TOO_LARGE", message, { transport });
  }

  #timedOut(timeoutMs: number): IpcError {
    const { transport } = this.#options;
    const message =
      `${transport}: the other side did not read everything, or did not close its connection, ` +
      `within ${timeoutMs} ms`;
    return new IpcError("IPC_TIMEOUT", message, { transport });
  }
}
