import { expect, it } from "vitest";
import { highestKept, isFollowed } from "./calibrate-rate.ts";
import { CLEAN, type Window } from "./models/model.ts";

/** Simulates a mechanism that answers at most this many requests a second, and never more than it is asked. */
function capacityOf(most: number): {
  attempt: (rate: number) => Promise<{ isKept: boolean; achieved: number }>;
  tries: number[];
} {
  const tries: number[] = [];
  return {
    tries,
    async attempt(rate) {
      tries.push(rate);
      return { isKept: rate <= most, achieved: Math.min(rate, most) };
    },
  };
}

it.for([90, 800, 4900, 20_000])("finds the highest rate that is kept, of %s/s, in few attempts", async (most) => {
  const { attempt, tries } = capacityOf(most);
  const kept = await highestKept(10_000, attempt);
  if (most >= 10_000) expect([kept, tries]).toEqual([10_000, [10_000]]);
  else {
    expect(kept).toBeLessThanOrEqual(most);
    expect(kept).toBeGreaterThan(most / 1.35);
    expect(tries.length).toBeLessThan(10);
  }
});

it("gives what was asked for another chance: one window may have met a stall", async () => {
  let tries = 0;
  const kept = await highestKept(5000, async () => ({ isKept: ++tries > 1, achieved: 4000 }));
  expect(kept).toBe(5000);
});

it("finds none where none is kept, and ends", async () => {
  expect(await highestKept(5000, async (rate) => ({ isKept: false, achieved: rate / 2 }))).toBe(0);
});

it("sees a mechanism fall behind by latencies that grow, and not by one slow reply", () => {
  const windowOf = (latency: (index: number) => number): Window => ({
    ...CLEAN,
    messages: 200,
    elapsedNs: 200e6,
    samples: Float64Array.from({ length: 200 }, (_, index) => latency(index)),
  });
  expect(
    isFollowed(
      windowOf(() => 50_000),
      1000,
    ),
  ).toBe(true);
  expect(
    isFollowed(
      windowOf((index) => (index === 199 ? 80e6 : 50_000)),
      1000,
    ),
  ).toBe(true);
  expect(
    isFollowed(
      windowOf((index) => 50_000 + index * 100_000),
      1000,
    ),
  ).toBe(false);
  expect(isFollowed({ ...windowOf(() => 50_000), refused: "the driver" }, 1000)).toBe(false);
});
