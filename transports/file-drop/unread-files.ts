import { existsSync } from "node:fs";

/** Files one side may have waiting in front of the other before `send` answers false. */
const WINDOW_FILES = 256;
const WINDOW_BYTES = 8 * 1024 * 1024;

interface Dropped {
  readonly path: string;
  readonly serial: number;
  readonly bytes: number;
}

/**
 * What was dropped and not yet taken away by the reader: a folder has no back-pressure of its own, so this is it.
 * Readers take files in order, so looking at the oldest ones is enough.
 */
export class UnreadFiles {
  #waiting: Dropped[] = [];
  #head = 0;
  #bytes = 0;

  add(path: string, serial: number, bytes: number): void {
    this.#waiting.push({ path, serial, bytes });
    this.#bytes += bytes;
  }

  /** One message always fits: a larger one than the window would otherwise never go. */
  isFull(bytes: number): boolean {
    if (!this.#exceeds(bytes)) return false;
    this.refresh();
    return this.#exceeds(bytes);
  }

  #exceeds(bytes: number): boolean {
    const files = this.#waiting.length - this.#head;
    return files >= WINDOW_FILES || (files > 0 && this.#bytes + bytes > WINDOW_BYTES);
  }

  /** The reader is known to be past this one, so nobody needs to look. */
  consumedThrough(serial: number): void {
    for (let first = this.#first(); first !== undefined && first.serial <= serial; first = this.#first())
      this.#drop(first);
  }

  /** Looks which of the oldest are gone. */
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
