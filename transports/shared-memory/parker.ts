/** Why a process sleeps on its word. The server has many clients to write to: it adds the slot to `room`. */
export const ParkReason = { awake: 0, data: 1, room: 2 } as const;

/** What is waited for: a ring with something in it, or with room. */
export interface Awaited {
  isReady(): boolean;
  /**
   * Cheaper looks, for spinning: up to `looks` of them, until one sees something. They may miss what {@link isReady} sees, or
   * see what is not there. The loop is here and not with the caller, where each look would be a call nobody can inline.
   */
  peek(looks: number): boolean;
}

/** How a mechanism waits, sleeps and wakes. */
export interface Wait {
  /** Looks again and again before falling asleep. @returns true when it became ready */
  spin?(awaited: Awaited, timeoutMs: number): boolean;
  /** Absent where spinning is all there is: then nobody ever needs waking. */
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
 * The word a process sleeps on, seen from both sides. Nobody holds anything while asleep or awake: a process that is
 * killed in any state leaves at most a wake-up too many.
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
   * The sleeper: says why it will sleep, looks once more, sleeps. The other side publishes, then looks at the word; both
   * orders are sequentially consistent, so one of the two sees the other.
   */
  waitFor(awaited: Awaited, reason: number, timeoutMs: number): void {
    if (this.#wait.spin?.(awaited, timeoutMs) || this.#sleeper === undefined) return;
    Atomics.store(this.#words, this.#word, reason);
    if (!awaited.isReady()) this.#sleeper.sleep(reason, timeoutMs);
    Atomics.store(this.#words, this.#word, ParkReason.awake);
  }

  /** The other side: wakes the sleeper if it sleeps for that reason. One load when it does not. */
  wakeFrom(reason: number): void {
    if (this.#sleeper === undefined || Atomics.load(this.#words, this.#word) !== reason) return;
    if (Atomics.compareExchange(this.#words, this.#word, reason, ParkReason.awake) === reason) this.#sleeper.wake();
  }

  /** Wakes whoever sleeps here, whatever for: something about the connection has changed. */
  wakeAnyway(): void {
    if (this.#sleeper === undefined) return;
    if (Atomics.exchange(this.#words, this.#word, ParkReason.awake) !== ParkReason.awake) this.#sleeper.wake();
  }

  /** Whether nobody ever sleeps here. */
  get spins(): boolean {
    return this.#sleeper === undefined;
  }

  close(): void {
    this.#wait.close();
  }
}
