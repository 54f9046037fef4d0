const TICK_MS = 5;

/**
 * Measures the largest lateness of a 5 ms timer in this process: the part of a delay that the machine causes. A
 * promised deadline is asserted with this added to it.
 *
 * @returns function that ends the measurement and returns the lateness, ms
 */
export function watchLateness(): () => number {
  let worst = 0;
  let dueMs = performance.now() + TICK_MS;
  const tick = (): void => {
    const now = performance.now();
    worst = Math.max(worst, now - dueMs);
    dueMs = now + TICK_MS;
  };
  const timer = setInterval(tick, TICK_MS);
  return () => {
    tick();
    clearInterval(timer);
    return worst;
  };
}
