import { existsSync } from "node:fs";

/** Largest number of files one side may leave unread before `send` returns false. */
const WINDOW_FILES = 256;
const WINDOW_BYTES = 8 * 1024 * 1024;

interface Dropped {
  readonly path: string;
  readonly serial: number;
  readonly bytes: number;
}

/**
 * Messages that were dropped and that the reader has not removed yet. Counting them provides the back-pressure that a
 * folder lacks. Readers take files in order, so checking the oldest ones is enough.
 */
export class UnreadFiles {
  #waiting: Dropped[] = [];
  #head = 0;
  #bytes = 0;

  add(path: string, serial: number, bytes: number): void {
    this.#waiting.push({ path, serial, bytes });
    this.#bytes += bytes;
  }

  /** Returns `true` if the message does not fit. A single message always fits, even if it is larger than the window. */
  isFull(bytes: number): boolean {
    if (!this.#exceeds(bytes)) return false;
    this.refresh();
    return this.#exceeds(bytes);
  }

  #exceeds(bytes: number): boolean {
    const files = this.#waiting.length - this.#head;
    return files >= WINDOW_FILES || (files > 0 && this.#bytes + bytes > WINDOW_BYTES);
  }

  /** Forgets all messages up to this one without checking their files: the reader has passed them. */
  consumedThrough(serial: number): void {
    for (let first = this.#first(); first !== undefined && first.serial <= serial; first = this.#first())
      this.#drop(first);
  }

  /** Checks which of the oldest files are gone. */
  refresh(): void {
    for (let first = this.#first(); first !== undefined && !existsSync(first.path); first = this.#first())
      this.#drop(first);
  }

  get isEmpty(): boolean {
    return this.#first() === undefined;
  }

  #first(): Dropped | undefined {
    return this.#waiting[this.#head];
  }

  #drop(first: Dropped): void {
    this.#bytes -= first.bytes;
    this.#head += 1;
    if (this.#head < WINDOW_FILES && this.#head < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
  }
}
