import type { StreamTotals } from "../../scenarios/check.ts";
import type { StreamReport } from "../process/messages.ts";
import { STREAM_QUIET_MS, StreamCounter } from "./stream-counter.ts";

/** A counter in an event loop. It reports when the last message has come, or when a stream stands still. */
export class StreamReceiver {
  readonly #counter = new StreamCounter();
  readonly #onStream: (report: StreamReport) => void;
  #taken = 0;
  #mark = 0;
  #quiet: NodeJS.Timeout | undefined;

  constructor(onStream: (report: StreamReport) => void) {
    this.#onStream = onStream;
  }

  take(message: Uint8Array): void {
    this.#taken++;
    if (this.#counter.count(message)) this.#report();
    else this.#quiet ??= setInterval(() => setImmediate(() => this.#look()), STREAM_QUIET_MS);
  }

  /** Returns the totals of all streams since the last call, see `StreamCounter.takeTotals`. */
  takeTotals(): StreamTotals {
    return this.#counter.takeTotals();
  }

  /** Runs one turn after the timer, since the rest of the stream is still in the kernel if this process was busy. */
  #look(): void {
    const still = this.#mark === this.#taken;
    this.#mark = this.#taken;
    if (still && this.#counter.active) this.#report();
  }

  #report(): void {
    clearInterval(this.#quiet);
    this.#quiet = undefined;
    this.#onStream(this.#counter.take());
  }
}
