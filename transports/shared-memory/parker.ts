/** Reasons why a process sleeps on its word. The server adds the slot to `room`, because it writes to many clients. */
export const ParkReason = { awake: 0, data: 1, room: 2 } as const;

/** Condition to wait for: a ring contains something, or has room. */
export interface Awaited {
  isReady(): boolean;
  /**
   * Makes up to `looks` cheap checks, for spinning, until one succeeds. Unlike {@link isReady}, they may be wrong,
   * either way. The loop is here and not in the caller, where the checks could not be inlined.
   */
  peek(looks: number): boolean;
}

/** Way in which a mechanism waits, sleeps and wakes. */
export interface Wait {
  /** Checks again and again before falling asleep. @returns true when it became ready */
  spin?(awaited: Awaited, timeoutMs: number): boolean;
  /** Absent if the mechanism only spins, so that nobody ever needs waking. */
  readonly sleeper?: Sleeper;
  close(): void;
}

export interface Sleeper {
  /** Sleeps while the word holds `reason`, for at most `timeoutMs`; may return early for no reason. */
  sleep(reason: number, timeoutMs: number): void;
  /** Wakes the process that sleeps on this word. */
  wake(): void;
}

/**
 * Word on which a process sleeps, for both sides. Neither side holds a lock, so a process killed in any state leaves at
 * most one extra wake-up.
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
   * Called by the owner: stores the reason, checks once more, sleeps. The other side publishes, then reads the word.
   * Both orders are sequentially consistent, so at least one of the two sees what the other wrote.
   */
  waitFor(awaited: Awaited, reason: number, timeoutMs: number): void {
    if (this.#wait.spin?.(awaited, timeoutMs) || this.#sleeper === undefined) return;
    Atomics.store(this.#words, this.#word, reason);
    if (!awaited.isReady()) this.#sleeper.sleep(reason, timeoutMs);
    Atomics.store(this.#words, this.#word, ParkReason.awake);
  }

  /** Called by the other side: wakes the owner if it sleeps for that reason. Costs one load if not. */
  wakeFrom(reason: number): void {
    if (this.#sleeper === undefined || Atomics.load(this.#words, this.#word) !== reason) return;
    if (Atomics.compareExchange(this.#words, this.#word, reason, ParkReason.awake) === reason) this.#sleeper.wake();
  }

  /** Wakes the owner if it sleeps, for any reason, because something about the connection has changed. */
  wakeAnyway(): void {
    if (this.#sleeper === undefined) return;
    if (Atomics.exchange(this.#words, this.#word, ParkReason.awake) !== ParkReason.awake) this.#sleeper.wake();
  }

  /** True if nobody ever sleeps. */
  get spins(): boolean {
    return this.#sleeper === undefined;
  }

  close(): void {
    this.#wait.close();
  }
}
