import { expect, it } from "vitest";
import { type LiveGate, liveSentences } from "./live.ts";

const gate = (exitCode: number, about: Partial<LiveGate> = {}): LiveGate => ({
  date: "2026-11-28T12:00:00.000Z",
  exitCode,
  durationMs: 40_000,
  ...about,
});
const slower = { effect: "+10 %", changed: "unix" } as const;

it("counts live gates by their condition and by what was put into them", () => {
  const text = liveSentences([
    gate(0),
    gate(20),
    gate(0, { condition: "busy" }),
    gate(20, { ...slower, found: true, change: 0.11 }),
    gate(0, { ...slower, changed: "fifo", found: false, change: 0.09 }),
  ]);
  expect(text.split("\n\n")).toEqual([
    "2 gates of the default list without a change:\n1 pass, 1 red, 0 cannot decide, 0 incomplete, median time 40 s.",
    expect.stringMatching(/^1 gate of .* without a change, with a busy loop on each CPU:\n1 pass, 0 red/),
    "2 gates of the default list with +10 % put into one cell:\n1 pass, 1 red, 0 cannot decide, 0 incomplete, " +
      "median time 40 s.\nFound in 1 (fifo, unix); p50 there changed by 10.0 %.",
  ]);
});

it("says how to run some where there are none", () => {
  expect(liveSentences([])).toContain("--live 10");
});
