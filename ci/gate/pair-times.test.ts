import { expect, it } from "vitest";
import type { Cell } from "../../harness/coordinator/arm.ts";
import type { PairedArm } from "../../harness/coordinator/pairs.ts";
import { PairTimes, secondsText } from "./pair-times.ts";

const [small, large] = [{ payloadBytes: 64 }, { payloadBytes: 4096 }] as [Cell, Cell];
const arm = {
  head: {
    cells: [
      { cell: small, plannedMs: 20 },
      { cell: large, plannedMs: 50 },
    ],
  },
  plannedMs: 300,
} as unknown as PairedArm;

it("predicts the time of a pair from the plan, then from those measured, but not from the first of several", () => {
  const times = new PairTimes();
  expect(times.pairMs(arm, [small, large])).toBe(600);
  times.add(arm, [small, large], 900);
  expect(times.pairMs(arm, [small, large])).toBe(900);
  for (const ms of [400, 440, 420]) times.add(arm, [small, large], ms);
  expect(times.pairMs(arm, [small, large])).toBe(420);
  // A pair without the large messages ends earlier by its two windows.
  expect(times.pairMs(arm, [small])).toBe(320);
  for (const ms of [320, 320, 320, 320]) times.add(arm, [small], ms);
  expect(times.pairMs(arm, [small, large])).toBe(420);
});

it("writes a time with a small error of rounding", () => {
  expect([900, 4260, 19_940, 61_400].map(secondsText)).toEqual(["0.9 s", "4.3 s", "19.9 s", "61 s"]);
});
