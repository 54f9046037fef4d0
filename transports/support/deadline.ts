/** A wait is counted in so many steps, so that time in which this process could not run is left out. */
const STEPS = 4;
/** A timer that is late by less than a step and this is what a busy machine does; more, and the process was stopped or busy. */
const LATE_MS = 100;
/** The first turn reads what has arrived; the second runs what that set off, such as the `close` of a stream. */
const TURNS = 2;
/** Longer delays than this make Node's timers fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Calls `act` once, when `limitMs` have passed, unless `clear` comes first. For limits that blame the other side.
 *
 * A turn of the event loop runs timers before it reads sockets. With a plain timer, a process that was busy or stopped for
 * longer than its limit gives up although what it waits for lies in the kernel. So here a step in which this process could
 * not run counts no more than its own length, and the loop reads what is there before `act` is called.
 */
export class Deadline {
  readonly #limitMs: number;
  readonly #act: () => void;
  #leftMs: number;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(limitMs: number, act: () => void) {
    this.#limitMs = limitMs;
    this.#act = act;
    this.#leftMs = limitMs;
    this.#step();
  }

  clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #step(): void {
    const stepMs = Math.min(LONGEST_MS, this.#leftMs, Math.ceil(this.#limitMs / STEPS));
    const startMs = performance.now();
    this.#timer = setTimeout(() => {
      const tookMs = performance.now() - startMs;
      this.#leftMs -= tookMs - stepMs < stepMs + LATE_MS ? Math.max(tookMs, stepMs) : stepMs;
      if (this.#leftMs > 0) this.#step();
      else this.#turn(TURNS);
    }, stepMs);
  }

  #turn(left: number): void {
    if (left === 0) this.#act();
    else this.#immediate = setImmediate(() => this.#turn(left - 1));
  }
}
