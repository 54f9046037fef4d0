import { isOwned } from "../posix/lock.ts";
import type { MessageQueue } from "../posix/message-queue.ts";
import { SLICE_MS } from "../posix/slice.ts";
import { WordCopy } from "../support/word-copy.ts";
import { Kind, PREFIX_BYTES, tooLarge, writePrefix } from "./protocol.ts";

/** The queue to which one side sends, with the prefix of its messages in place. */
export class Outgoing {
  readonly #id: string;
  readonly #queue: MessageQueue;
  readonly #copy: WordCopy;
  readonly #limit: number;
  readonly #slot: number;
  readonly #token: number;

  constructor(id: string, queue: MessageQueue, slot: number, token: number) {
    this.#id = id;
    this.#queue = queue;
    this.#copy = new WordCopy(queue.scratch, queue.scratchWords);
    this.#limit = queue.shape.maxMessageBytes - PREFIX_BYTES;
    this.#slot = slot;
    this.#token = token;
    writePrefix(queue, Kind.data, slot, token);
  }

  /**
   * @param isPeerAlive called after each slice without room
   * @returns false if there was no room in time, or if the other side is gone
   * @throws IpcError IPC_TOO_LARGE
   */
  send(message: Uint8Array, timeoutMs: number, isPeerAlive: () => boolean): boolean {
    if (message.length > this.#limit) throw tooLarge(this.#id, message.length, this.#limit);
    this.#copy.write(message, PREFIX_BYTES);
    const bytes = message.length + PREFIX_BYTES;
    // Reads the clock only after a slice without room, so a wait may last a slice longer than the timeout, never less.
    if (timeoutMs >= SLICE_MS ? this.#queue.sendSlice(bytes) : this.#queue.sendScratch(bytes, timeoutMs)) return true;
    if (timeoutMs < SLICE_MS) return false;
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0 || !isPeerAlive()) return false;
      if (this.#queue.sendScratch(bytes, Math.min(leftMs, SLICE_MS))) return true;
    }
  }

  /** Sends a message without a body if there is room for it now, or within `timeoutMs`. */
  say(kind: Kind, timeoutMs = 0): boolean {
    writePrefix(this.#queue, kind, this.#slot, this.#token);
    const said = this.#queue.sendScratch(PREFIX_BYTES, timeoutMs);
    writePrefix(this.#queue, Kind.data, this.#slot, this.#token);
    return said;
  }

  /** True while the other side, which receives from this queue, holds its lock. */
  isHeard(): boolean {
    return isOwned(this.#queue.fd);
  }

  hasRoom(): boolean {
    return this.#queue.attributes().currentMessages < this.#queue.shape.maxMessages;
  }

  close(): void {
    this.#queue.close();
  }
}
