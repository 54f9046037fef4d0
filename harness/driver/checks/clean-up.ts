import { HungError, inTime } from "../../process/in-time.ts";

/** Longest wait for one step of a clean-up, ms. */
const STEP_MS = 4000;

/** Steps of a clean-up: each is taken, whatever became of those before it. */
export class CleanUp {
  readonly #limitMs: number;
  /** Clause about the first step that did not settle; undefined if all have. */
  obstacle: string | undefined;

  /** @param limitMs limit of each step */
  constructor(limitMs: number = STEP_MS) {
    this.#limitMs = limitMs;
  }

  /** Waits for a step; its failure is no obstacle. @param what the call that may not settle */
  async step(what: string, work: () => unknown): Promise<void> {
    try {
      await inTime(what, this.#limitMs, work);
    } catch (error) {
      if (error instanceof HungError) this.obstacle ??= `the clean-up after it hung: ${error.message}`;
    }
  }
}
