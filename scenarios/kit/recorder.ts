import type { IpcError } from "../../transports/contract/errors.ts";
import type { Connection, ConnectionHandler } from "../../transports/contract/transport.ts";
import { CheckFailure, patience, within } from "./expect.ts";

export type Happening = "open" | "message" | "writable" | "close";

/** A handler that records all events, copies the messages it keeps, and wakes everybody who waits. */
export class Recorder implements ConnectionHandler {
  readonly name: string;
  readonly happenings: Happening[] = [];
  readonly connections: Connection[] = [];
  readonly messages: Uint8Array[] = [];
  readonly closings: { connection: Connection; error: IpcError | undefined }[] = [];
  writables = 0;
  /** Called after the event was recorded. */
  whenOpen: ((connection: Connection) => void) | undefined;
  whenMessage: ((message: Uint8Array, connection: Connection) => void) | undefined;
  whenWritable: ((connection: Connection) => void) | undefined;
  /** Called at each event, before anything else. */
  spy: ((happening: Happening) => void) | undefined;
  /** `false` keeps no messages, to save memory if only their number matters. */
  keeps = true;
  received = 0;
  #waiting: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  onOpen(connection: Connection): void {
    this.#note("open");
    this.connections.push(connection);
    this.whenOpen?.(connection);
    this.#wake();
  }

  onMessage(message: Uint8Array, connection: Connection): void {
    this.#note("message");
    this.received += 1;
    if (this.keeps) this.messages.push(new Uint8Array(message));
    this.whenMessage?.(message, connection);
    this.#wake();
  }

  onWritable(connection: Connection): void {
    this.#note("writable");
    this.writables += 1;
    this.whenWritable?.(connection);
    this.#wake();
  }

  onClose(connection: Connection, error?: IpcError): void {
    this.#note("close");
    this.closings.push({ connection, error });
    this.#wake();
  }

  #note(happening: Happening): void {
    this.spy?.(happening);
    this.happenings.push(happening);
  }

  #wake(): void {
    for (const check of this.#waiting.slice()) check();
  }

  /** Resolves when the condition holds; checked after each event of this side. */
  until(what: string, holds: () => boolean, limitMs: number = patience.ms): Promise<void> {
    if (holds()) return Promise.resolve();
    const held = Promise.withResolvers<void>();
    const check = (): void => {
      if (holds()) held.resolve();
    };
    this.#waiting.push(check);
    const seen = (): string => `in all, ${this.name} saw messages: ${this.received}, closings: ${this.closings.length}`;
    return within(`${this.name}: ${what}`, held.promise, limitMs)
      .catch((error: unknown) => {
        throw new CheckFailure(`${error instanceof Error ? error.message : String(error)} (${seen()})`);
      })
      .finally(() => {
        this.#waiting = this.#waiting.filter((other) => other !== check);
      });
  }
}

/** Makes a recorder echo each message. It pauses while the connection takes no replies, as an echo server must. */
export function echoing(recorder: Recorder): Recorder {
  const held = new Map<Connection, Uint8Array>();
  recorder.keeps = false;
  recorder.whenMessage = (message, connection) => {
    if (connection.send(message)) return;
    held.set(connection, new Uint8Array(message));
    connection.pause();
  };
  recorder.whenWritable = (connection) => {
    const message = held.get(connection);
    if (message === undefined || !connection.send(message)) return;
    held.delete(connection);
    connection.resume();
  };
  return recorder;
}
