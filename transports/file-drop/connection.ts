import { existsSync } from "node:fs";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { ClosesOnce } from "../support/closing.ts";
import { decodeEnvelope, encodeEnvelope, maxFileBytes, plain } from "./envelope.ts";
import { dropFile, isGone, makeFolders, readWhole, removeFile } from "./files.ts";
import { Inbox } from "./inbox.ts";
import type { Answer, Layout, MailName } from "./names.ts";
import type { Settings } from "./settings.ts";
import { UnreadFiles } from "./unread-files.ts";

/** Messages handled before other events of the process get their turn. */
const TURN_MESSAGES = 64;
const FULL_LOOK_MS = 1;
const CLOSE_LOOK_MS = 2;

/** Functions and paths that differ between the two sides. */
export interface Side {
  /** Returns all files waiting for this connection, in any order. */
  list(): readonly MailName[];
  pathOf(name: MailName): string;
  /** Returns the path for the file of message number `serial`. */
  target(serial: number, answers: Answer | undefined): string;
  /** Folder for the client's responses; the connection lives while the folder exists. */
  readonly mailbox: string;
  /** Returns `true` while a reader exists that could take the waiting messages. */
  readerLives(): boolean;
  /** Removes the files of the connection. Called once, before `handler.onClose`. */
  ended(connection: FileConnection, error: IpcError | undefined): void;
}

export interface FileConnectionOptions {
  readonly settings: Settings;
  readonly layout: Layout;
  readonly handler: ConnectionHandler;
  readonly client: string;
  readonly side: Side;
}

interface Current {
  readonly path: string;
  readonly sequence: number;
  readonly id: string | undefined;
  answers: number;
}

/** One client's exchange of files, seen from either side. */
export class FileConnection extends ClosesOnce implements Connection {
  readonly #options: FileConnectionOptions;
  readonly #inbox = new Inbox();
  readonly #window = new UnreadFiles();
  #state: "open" | "closing" | "closed" = "open";
  #sent = 0;
  #paused = false;
  #busy = false;
  /** The message being handled. Its file is removed after the handler has returned, but not while paused. */
  #current: Current | undefined;
  #blocked: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;

  constructor(options: FileConnectionOptions) {
    super();
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Returns `true` for a file that was handled before: the event is about its removal. */
  isPast(name: MailName): boolean {
    return this.#inbox.isPast(name);
  }

  send(message: Uint8Array): boolean {
    const { transport, maxMessageBytes } = this.#options.settings;
    if (this.#state !== "open") throw this.#error("IPC_CLOSED", "the connection is closed");
    if (message.length > maxMessageBytes) {
      throw this.#error("IPC_TOO_LARGE", `${message.length} bytes exceed the limit of ${maxMessageBytes}`);
    }
    if (this.#window.isFull(message.length)) {
      this.#waitForRoom(message.length);
      return false;
    }
    try {
      this.#drop(message);
    } catch (error) {
      // Nothing was sent; the reason may be a full disk.
      throw toIpcError(error, transport);
    }
    return true;
  }

  #drop(message: Uint8Array): void {
    const { layout, settings, client, side } = this.#options;
    const serial = this.#sent + 1;
    const current = this.#current;
    const answers = current && { sequence: current.sequence, index: current.answers };
    const path = side.target(serial, answers);
    const content = settings.raw ? message : encodeEnvelope(client, serial, current?.id, message);
    try {
      dropFile(layout, path, content, settings.fsync);
    } catch (error) {
      if (!isGone(error)) throw error;
      if (!existsSync(side.mailbox)) {
        // The other side hung up, but the event has not arrived yet. As with a socket, a message sent now is lost.
        this.#endSoon();
        return;
      }
      // The last process that used the folders removed them at the same moment.
      makeFolders(layout);
      dropFile(layout, path, content, settings.fsync);
    }
    this.#sent = serial;
    if (current !== undefined) current.answers += 1;
    this.#window.add(path, serial, content.length);
  }

  #waitForRoom(bytes: number): void {
    this.#blocked ??= setTimeout(() => {
      this.#blocked = undefined;
      if (this.#state !== "open") return;
      if (this.#window.isFull(bytes)) this.#waitForRoom(bytes);
      else this.#options.handler.onWritable(this);
    }, FULL_LOOK_MS);
  }

  /** Handles the files of `names`; ends the connection when the mailbox is gone and nothing waits. */
  look(names: readonly MailName[]): void {
    if (this.#busy || this.#state !== "open") return;
    this.#busy = true;
    try {
      this.#handle(names);
    } finally {
      this.#busy = false;
    }
  }

  #handle(names: readonly MailName[]): void {
    let list = names;
    const refresh = (): readonly MailName[] => {
      list = this.#options.side.list();
      return list;
    };
    for (let count = 0; count < TURN_MESSAGES; count++) {
      if (this.#state !== "open" || this.#paused) return;
      const name = this.#inbox.next(list, refresh, performance.now());
      if (name === undefined) {
        this.#checkMailbox(list);
        return;
      }
      if (name === "gap") {
        this.#end(this.#error("IPC_MALFORMED", "a message is missing between two others"));
        return;
      }
      this.#take(name);
    }
    this.#lookSoon();
  }

  #checkMailbox(names: readonly MailName[]): void {
    if (names.every((name) => this.isPast(name)) && !existsSync(this.#options.side.mailbox)) this.#end();
  }

  #take(name: MailName): void {
    const path = this.#options.side.pathOf(name);
    if (this.#inbox.isRepeated(name.answers)) {
      this.#inbox.advance();
      this.#remove(path);
      return;
    }
    const message = this.#read(name, path);
    if (message === undefined) return;
    this.#inbox.advance();
    if (name.answers !== undefined) this.#window.consumedThrough(name.answers.sequence);
    this.#current = { path, sequence: name.serial, id: message.id, answers: 0 };
    this.#options.handler.onMessage(message.body, this);
    if (!this.#paused) this.#retire();
  }

  /** Returns undefined when the file held no message, which ended the connection. */
  #read(name: MailName, path: string): { readonly id: string | undefined; readonly body: Uint8Array } | undefined {
    const { transport, maxMessageBytes } = this.#options.settings;
    try {
      const content = readWhole(path, maxFileBytes(maxMessageBytes, name.raw), transport);
      const message = name.raw
        ? { id: undefined, body: plain(content) }
        : decodeEnvelope(content, this.#options.client, name.serial, transport);
      if (message.body.length <= maxMessageBytes) return message;
      throw this.#error("IPC_TOO_LARGE", `${path} holds ${message.body.length} bytes; the limit is ${maxMessageBytes}`);
    } catch (error) {
      this.#end(toIpcError(error, transport));
      return undefined;
    }
  }

  #retire(): void {
    const current = this.#current;
    this.#current = undefined;
    if (current !== undefined) this.#remove(current.path);
  }

  /** Removes a handled file. If that fails, ends the connection, since a successor would handle the file again. */
  #remove(path: string): void {
    try {
      removeFile(path);
    } catch (error) {
      this.#end(toIpcError(error, this.#options.settings.transport));
    }
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#busy) return;
    this.#retire();
    this.#lookSoon();
  }

  #lookSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      if (this.#state === "open") this.look(this.#options.side.list());
    });
  }

  #endSoon(): void {
    setImmediate(() => this.#end());
  }

  protected override async closeOnce(timeoutMs: number): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "closing";
    const late = !(await this.#drained(timeoutMs));
    this.#end();
    if (late) throw this.#error("IPC_TIMEOUT", `the other side did not take the waiting messages in ${timeoutMs} ms`);
  }

  /** Resolves with `true` when no message waits, or no reader exists: then the folder keeps them for a successor. */
  async #drained(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      this.#window.refresh();
      if (this.#window.isEmpty || !this.#options.side.readerLives()) return true;
      if (performance.now() >= deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, CLOSE_LOOK_MS));
    }
  }

  /** Ends the connection now; without an error it counts as orderly. */
  fail(error: IpcError | undefined): void {
    this.#end(error);
  }

  #end(error?: IpcError): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#blocked);
    clearImmediate(this.#soon);
    this.#options.side.ended(this, error);
    this.#options.handler.onClose(this, error);
  }

  #error(code: IpcError["code"], what: string): IpcError {
    const { transport } = this.#options.settings;
    return new IpcError(code, `${transport}: ${what}`, { transport });
  }
}
