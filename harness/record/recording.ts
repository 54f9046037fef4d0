import { isUtf8 } from "node:buffer";
import { MessageReader } from "./message-reader.ts";
import { redacted } from "./redact.ts";

/** Largest sum of messages that wait for the reply to an earlier one, bytes. */
const MOST_WAITING_BYTES = 64 * 1024 ** 2;

/** Numbers of messages of a recording. */
export interface Counts {
  /** Requests in the file, with and without a reply. */
  answered: number;
  unanswered: number;
  /** Other messages of the client in the file: notifications and batches. */
  alone: number;
  /** Messages that are not in the file: requests and notifications of the server, and replies to them. */
  ofServer: number;
  /** Lines and bodies that are not JSON. */
  unreadable: number;
}

interface Entry {
  readonly request: Uint8Array;
  /** Id of a request whose reply is missing; undefined for a complete entry. */
  waitsFor: string | undefined;
  response?: Uint8Array;
}

/**
 * Turns both directions of a conversation into lines of a file: the messages of the client in their order, each request
 * with its reply. A line is written as soon as it and all before it are complete.
 */
export class Recording {
  readonly counts: Counts = { answered: 0, unanswered: 0, alone: 0, ofServer: 0, unreadable: 0 };
  /** Takes bytes that go to the server. */
  readonly toServer: MessageReader;
  /** Takes bytes that come from the server. */
  readonly fromServer: MessageReader;
  readonly #write: (line: Uint8Array) => void;
  readonly #change: (text: Uint8Array) => Uint8Array;
  readonly #entries: Entry[] = [];
  readonly #pending = new Map<string, Entry>();
  #waitingBytes = 0;

  /** @param write takes whole lines @param redacts true: write sizes instead of contents */
  constructor(write: (line: Uint8Array) => void, redacts: boolean) {
    this.#write = write;
    this.#change = redacts ? redacted : (text) => text;
    const onOther = (): void => {
      this.counts.unreadable++;
    };
    this.toServer = new MessageReader({ onMessage: (bytes) => this.#sent(bytes), onOther });
    this.fromServer = new MessageReader({ onMessage: (bytes) => this.#received(bytes), onOther });
  }

  /** Writes all remaining entries, including requests without a reply. */
  end(): void {
    this.toServer.end();
    this.fromServer.end();
    while (this.#entries.length > 0) this.#writeFirst();
  }

  #sent(bytes: Uint8Array): void {
    const value = this.#parsed(bytes);
    if (value === undefined) return;
    const { method, id } = value as Message;
    const isReply = !Array.isArray(value) && method === undefined && id !== undefined;
    if (isReply) {
      this.counts.ofServer++;
      return;
    }
    const isRequest = method !== undefined && id !== undefined && id !== null;
    const waitsFor = isRequest ? JSON.stringify(id) : undefined;
    const entry: Entry = { request: this.#change(oneLine(bytes)), waitsFor };
    this.#entries.push(entry);
    this.#waitingBytes += bytes.length;
    if (waitsFor !== undefined) this.#pending.set(waitsFor, entry);
    this.#writeComplete();
  }

  #received(bytes: Uint8Array): void {
    const value = this.#parsed(bytes);
    if (value === undefined) return;
    const { method, id } = value as Message;
    const key = JSON.stringify(id) ?? "";
    const entry = method === undefined ? this.#pending.get(key) : undefined;
    if (entry === undefined) {
      this.counts.ofServer++;
      return;
    }
    this.#pending.delete(key);
    entry.response = this.#change(oneLine(bytes));
    entry.waitsFor = undefined;
    this.#waitingBytes += bytes.length;
    this.#writeComplete();
  }

  /** Returns an object or a batch; undefined for all other bytes, which are no message of these protocols. */
  #parsed(bytes: Uint8Array): object | undefined {
    try {
      const value: unknown = isUtf8(bytes) ? JSON.parse(Buffer.from(bytes).toString()) : undefined;
      if (typeof value === "object" && value !== null) return value;
    } catch {
      // Counted below, together with values that are no objects.
    }
    this.counts.unreadable++;
    return undefined;
  }

  #writeComplete(): void {
    for (let first = this.#entries[0]; first !== undefined; first = this.#entries[0]) {
      if (first.waitsFor !== undefined && this.#waitingBytes <= MOST_WAITING_BYTES) return;
      this.#writeFirst();
    }
  }

  #writeFirst(): void {
    const { request, response, waitsFor } = this.#entries.shift() as Entry;
    this.#waitingBytes -= request.length + (response?.length ?? 0);
    if (waitsFor !== undefined) {
      this.#pending.delete(waitsFor);
      this.counts.unanswered++;
    } else if (response === undefined) this.counts.alone++;
    else this.counts.answered++;
    this.#write(
      response === undefined ? joined(request, "\n") : joined('{"request":', request, ',"response":', response, "}\n"),
    );
  }
}

interface Message {
  readonly method?: unknown;
  readonly id?: unknown;
}

/** Returns a copy with blanks in place of line breaks. Valid JSON has line breaks only between its tokens. */
function oneLine(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes, (byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte));
}

function joined(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}
