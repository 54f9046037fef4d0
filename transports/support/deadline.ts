/** Number of steps of a wait. If the process could not run in a step, the step counts no more than its own length. */
const STEPS = 4;
/** Lateness that a busy machine explains, beside the length of a step. A longer one: the process was stopped. */
const LATE_MS = 100;
/** Turns of the loop at the end: the first reads the data that arrived, the second runs its events, such as `close`. */
const TURNS = 2;
/** Longest delay of Node's timers; longer ones fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Calls `act` once when `limitMs` have passed, unless `clear` is called first. For limits that blame the other side.
 *
 * A turn of the event loop runs timers before it reads sockets. With a plain timer, a process that was stopped for
 * longer than its limit would give up although the reply has reached the kernel. So a step in which this process could
 * not run counts no more than its own length, and the loop reads the data that arrived before it calls `act`.
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
      // Node's timers fire up to a millisecond early: what is missing then is waited for.
      const tookMs = performance.now() - startMs;
      this.#leftMs -= tookMs - stepMs < stepMs + LATE_MS ? tookMs : stepMs;
      if (this.#leftMs > 0) this.#step();
      else this.#turn(TURNS);
    }, stepMs);
  }

  #turn(left: number): void {
    if (left === 0) this.#act();
    else this.#immediate = setImmediate(() => this.#turn(left - 1));
  }
}
