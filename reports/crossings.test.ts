import { expect, test } from "vitest";
import type { Rounds } from "../harness/results/ranking.ts";
import { crossingsOf, crossingText, type Line } from "./crossings.ts";

const ROUNDS = 8;

/** Builds a row whose rounds swing by a share around its cost, up and down in turn. */
function line(name: string, costs: Readonly<Record<number, number>>, swing = 0.01, rounds = ROUNDS): Line {
  const roundsOf = (cost: number): Rounds =>
    new Map(Array.from({ length: rounds }, (_, at) => [at, cost * (at % 2 === 0 ? 1 + swing : 1 - swing)]));
  return { name, points: new Map(Object.entries(costs).map(([x, cost]) => [Number(x), roundsOf(cost)])) };
}

const flat = line("flat", { 64: 20, 4096: 20, 65536: 20 }, 0);

test("a change of order counts where both sides are told apart, and spans what lies between", () => {
  const rising = line("rising", { 64: 10, 4096: 20, 65536: 40 });
  const [crossing, ...others] = crossingsOf([flat, rising]);
  expect(crossing).toEqual({ before: "rising", after: "flat", from: 64, to: 65536, isTold: true });
  expect(others).toEqual([]);
  expect(crossing && crossingText("payload", crossing)).toBe("rising is ahead at 64 B, flat at 64 KiB.");
});

test("a change of medians is open where one side is not told apart, or has too few rounds", () => {
  const open = { before: "rising", after: "flat", from: 64, to: 4096, isTold: false };
  const untold = line("rising", { 64: 10, 4096: 20.4, 65536: 20.4 }, 0.05);
  expect(crossingsOf([flat, untold])).toEqual([open]);
  const few = line("rising", { 64: 10, 4096: 40 }, 0.01, 5);
  expect(crossingsOf([flat, few])).toEqual([open]);
  expect(crossingText("payload", open)).toBe(
    "rising and flat may change places between 64 B and 4 KiB: this run cannot tell.",
  );
});

test("rows that keep their order, or share no value, never cross", () => {
  expect(crossingsOf([flat, line("slow", { 64: 30, 4096: 21, 65536: 90 })])).toEqual([]);
  expect(crossingsOf([flat, line("elsewhere", { 1024: 1, 8192: 90 })])).toEqual([]);
  expect(crossingsOf([flat, line("gap", { 64: 10 })])).toEqual([]);
});

test("each turn of a row that wins in the middle is a change of its own", () => {
  const valley = line("valley", { 64: 30, 4096: 10, 65536: 30 });
  expect(crossingsOf([valley, flat]).map(({ before, from, to }) => [before, from, to])).toEqual([
    ["flat", 64, 4096],
    ["valley", 4096, 65536],
  ]);
});
