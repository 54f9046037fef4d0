import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { progressOn } from "./progress.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The stream of a log, and what was written to it. */
function log() {
  const lines: string[] = [];
  const stream = { isTTY: false, write: (text: string) => lines.push(text.trim()) } as unknown as NodeJS.WriteStream;
  return { lines, progress: progressOn(stream) };
}

test("the time left is that of the plan, and when the plan has run out that of the pace so far", () => {
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
    // Issue 2: it said 1 s from here on.
    "[4/10] trial, 60 s left",
    "[5/10] trial, 50 s left",
    "[6/10] trial, 40 s left",
    "[7/10] trial, 30 s left",
    "[8/10] trial, 20 s left",
  ]);
});
