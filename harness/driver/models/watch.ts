import { LOST_AFTER_MS } from "./model.ts";

const WATCH_MS = 100;

/**
 * Watches the progress of an event loop by a timer, because a deadline per request would cost time for every message.
 *
 * @param done returns the number of messages finished so far
 * @param onStill called once if that number did not change for `limitMs`
 * @returns function that ends the watch
 */
export function watchProgress(
  done: () => number,
  onStill: (problem: string) => void,
  limitMs: number = LOST_AFTER_MS,
): () => void {
  let seen = -1;
  let stillMs = 0;
  const timer = setInterval(() => {
    const now = done();
    stillMs = now === seen ? stillMs + WATCH_MS : 0;
    seen = now;
    if (stillMs < limitMs) return;
    clearInterval(timer);
    onStill(`a reply did not come within ${limitMs} ms`);
  }, WATCH_MS);
  return () => clearInterval(timer);
}
