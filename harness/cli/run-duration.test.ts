import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { announcedTime } from "../coordinator/announced-time.ts";
import type { StopRule } from "../coordinator/stop-rule.ts";
import { announcePlan } from "./run-duration.ts";

const said: string[] = [];
beforeEach(() => {
  said.length = 0;
  vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text).trim()) > 0);
  vi.spyOn(performance, "now").mockReturnValue(10_000);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const stopRule: StopRule = { rule: "budget", effort: "default", least: 6, most: 30, budgetMs: 50_000, strict: false };
const base = { stopRule, arms: [], budgetMs: undefined, announcedMs: 60_000, laterMs: 1000 };

test("a time holds within 15 %, or another takes its place", () => {
  const isNews = announcedTime(100);
  expect([114, 86, 116, 120, 134, 98].map(isNews)).toEqual([false, false, true, false, true, true]);
  expect(announcedTime()(100), "nothing was announced").toBe(true);
});

test("a run is announced again, after the calibration or a round, only where it misses the announced time", () => {
  const onPlan = announcePlan(base);
  onPlan({ done: 0, left: 10, leftMs: 50_000 });
  onPlan({ done: 1, left: 9, leftMs: 45_000 });
  expect(said).toEqual([]);
  onPlan({ done: 2, left: 8, leftMs: 80_000 });
  onPlan({ done: 3, left: 7, leftMs: 79_000 });
  onPlan({ done: 9, left: 1, leftMs: 3000 });
  expect(said).toEqual(["after 2 rounds: 8 rounds to go, about 81 s"]);
});

test("a budget that cannot hold the rounds is refused with the time they need; any other is kept silently", () => {
  const onPlan = announcePlan({ ...base, budgetMs: 20_000, announcedMs: 20_000 });
  const plan = { left: 6, leftMs: 78_200 };
  expect(() => onPlan({ ...plan, done: 0 })).toThrow(
    "6 rounds make this run about 90 s long; --budget is 20 s: " +
      "give --budget 90s, or fewer --transport, --placement, --mode or --payload",
  );
  onPlan({ ...plan, done: 1 });
  onPlan({ done: 0, left: 6, leftMs: 11_000 });
  expect(said).toEqual([]);
});
