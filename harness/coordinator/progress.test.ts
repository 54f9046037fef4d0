import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { asPartOf, progressOn } from "./progress.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Returns the stream of a log, and what was written to it. */
function log() {
  const lines: string[] = [];
  const stream = { isTTY: false, write: (text: string) => lines.push(text.trim()) } as unknown as NodeJS.WriteStream;
  return { lines, progress: progressOn(stream) };
}

test("the time left is that of the plan, and after the plan that of the pace so far", () => {
  const { lines, progress } = log();
  progress.begin(10, 40_000);
  for (let step = 0; step <= 8; step++) {
    progress.step("trial");
    vi.advanceTimersByTime(10_000);
  }
  expect(lines).toEqual([
    "[1/10] trial, 30 s left",
    "[2/10] trial, 20 s left",
    "[3/10] trial, 10 s left",
    // Once it showed 1 s from here on.
    "[4/10] trial, 60 s left",
    "[5/10] trial, 50 s left",
    "[6/10] trial, 40 s left",
    "[7/10] trial, 30 s left",
    "[8/10] trial, 20 s left",
  ]);
});

test("what is done is never more than there is: rounds that are added are steps that are left", () => {
  const { lines, progress } = log();
  progress.begin(2, 20_000);
  for (let step = 0; step < 5; step++) {
    progress.step("trial");
    vi.advanceTimersByTime(10_000);
    if (step === 2) progress.replan(40_000, 4);
  }
  const shares = lines.map((line) => line.split(" ")[0]);
  expect(shares).toEqual(["[1/2]", "[2/3]", "[3/7]", "[4/7]"]);
});

test("a part of a run shows what is left of the whole", () => {
  const { lines, progress } = log();
  const part = asPartOf(progress, (ms) => ms + 30_000);
  part.begin(3, 20_000);
  vi.advanceTimersByTime(10_000);
  part.step("check");
  vi.advanceTimersByTime(10_000);
  part.replan(5000);
  part.step("check");
  expect(lines).toEqual(["[0/3] check, 40 s left", "[1/3] check, 35 s left"]);
});
