/** Reasons why a process sleeps on its word. The server has many clients to write to: it adds the slot to `room`. */
export const ParkReason = { awake: 0, data: 1, room: 2 } as const;

/** Condition that is waited for: a ring with something in it, or with room. */
export interface Awaited {
  isReady(): boolean;
  /**
   * Makes cheaper checks, for spinning: up to `looks`, until one succeeds. They may miss what {@link isReady} sees, or
   * see what is not there. The loop is here and not in the caller, where no check could be inlined.
   */
  peek(looks: number): boolean;
}

/** Way in which a mechanism waits, sleeps and wakes. */
export interface Wait {
  /** Checks again and again before falling asleep. @returns true when it became ready */
  spin?(awaited: Awaited, timeoutMs: number): boolean;
  /** Absent where spinning is all there is, so that nobody ever needs waking. */
  readonly sleeper?: Sleeper;
  close(): void;
}

export interface Sleeper {
  /** Sleeps while the word holds `reason`, for at most `timeoutMs`; may return early without a reason. */
  sleep(reason: number, timeoutMs: number): void;
  /** Wakes the process that sleeps on this word. */
  wake(): void;
}

/**
 * Word that a process sleeps on, seen from both sides. Neither side holds anything while asleep or awake, so a process
 * killed in any state leaves at most one extra wake-up.
 */
export class Parker {
  readonly #words: Int32Array;
  readonly #word: number;
  readonly #wait: Wait;
  readonly #sleeper: Sleeper | undefined;

  constructor(words: Int32Array, word: number, wait: Wait) {
    this.#words = words;
    this.#word = word;
    this.#wait = wait;
    this.#sleeper = wait.sleeper;
  }

  /**
   * Sleeps, for the owner: stores the reason, checks once more, sleeps. The other side publishes, then reads the word.
   * Both orders are sequentially consistent, so one of the two sees the other.
   */
  waitFor(awaited: Awaited, reason: number, timeoutMs: number): void {
    if (this.#wait.spin?.(awaited, timeoutMs) || this.#sleeper === undefined) return;
    Atomics.store(this.#words, this.#word, reason);
    if (!awaited.isReady()) this.#sleeper.sleep(reason, timeoutMs);
    Atomics.store(this.#words, this.#word, ParkReason.awake);
  }

  /** Wakes the sleeper, from the other side, if it sleeps for that reason. Costs one load if not. */
  wakeFrom(reason: number): void {
    if (this.#sleeper === undefined || Atomics.load(this.#words, this.#word) !== reason) return;
    if (Atomics.compareExchange(this.#words, this.#word, reason, ParkReason.awake) === reason) this.#sleeper.wake();
  }

  /** Wakes whoever sleeps here, for whatever reason: something about the connection has changed. */
  wakeAnyway(): void {
    if (this.#sleeper === undefined) return;
    if (Atomics.exchange(this.#words, this.#word, ParkReason.awake) !== ParkReason.awake) this.#sleeper.wake();
  }

  /** True where nobody ever sleeps. */
  get spins(): boolean {
    return this.#sleeper === undefined;
  }

  close(): void {
    this.#wait.close();
  }
}
