import { randomFrom } from "../../results/random.ts";

/**
 * Returns the intended starts of an open loop, ns after the beginning, ascending.
 *
 * @param arrivals `fixed`: one every 1/rate seconds. `poisson`: random exponential gaps with that mean, from the seed.
 */
export function schedule(
  count: number,
  ratePerSecond: number,
  arrivals: "fixed" | "poisson",
  seed: number,
): Float64Array {
  const gapNs = 1e9 / ratePerSecond;
  const starts = new Float64Array(count);
  const random = randomFrom(seed);
  let at = 0;
  for (let index = 0; index < count; index++) {
    starts[index] = at;
    // 1 - random() is in (0, 1], so the logarithm is finite.
    at += arrivals === "fixed" ? gapNs : -gapNs * Math.log(1 - random());
  }
  return starts;
}

/** Share of the window by which a driver may fall behind; with more, the result would describe the driver. */
const BEHIND_SHARE = 0.05;

/** Returns why a window is refused; undefined if the driver kept its schedule. */
export function scheduleMissed(
  lateness: Float64Array,
  starts: Float64Array,
  ratePerSecond: number,
): string | undefined {
  const spanNs = (starts.at(-1) ?? 0) + 1e9 / ratePerSecond;
  // The newest tenth, because the delay of a slow driver accumulates; its median, because one stall does not count.
  const newest = lateness.slice(Math.floor(lateness.length * 0.9)).sort();
  const behindNs = newest[newest.length >> 1] ?? 0;
  if (behindNs <= BEHIND_SHARE * spanNs) return undefined;
  const behind = `${(behindNs / 1e6).toFixed(1)} ms behind its schedule`;
  const rate = `${Math.round(10 * ratePerSecond) / 10} messages/s`;
  return `the driver fell ${behind} of ${rate}: the latency would be the driver's own`;
}
