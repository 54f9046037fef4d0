import { describe, expect, it } from "vitest";
import { medianServerMemory, perClient } from "./server-memory.ts";

const held = (processes: number, privateBytes: number) => ({ processes, privateBytes, descriptors: 20, threads: 7 });

describe("the memory of servers", () => {
  it("is the median of each number, and its slope is from the first client to the last", () => {
    const trials = [1000, 1300, 9000].map((bytes) => ({ one: held(1, 1000), all: held(10, bytes) }));
    const memory = medianServerMemory(trials);
    expect(memory.all).toEqual(held(10, 1300));
    expect(perClient(memory, 4)).toEqual({ processes: 3, privateBytes: 100, descriptors: 0, threads: 0 });
  });
});
