import { describe, expect, it } from "vitest";
import { problemOf } from "./figures.ts";
import { CLEAN, type Window } from "./models/model.ts";

const window: Window = { messages: 3, elapsedNs: 300, samples: Float64Array.of(90, 100, 110), ...CLEAN };

describe("a window", () => {
  it("counts when nothing is wrong with it", () => {
    expect(problemOf(window, "reliable")).toBeUndefined();
  });

  it("is invalid when the clock went backwards, in one sample or over the whole", () => {
    const back = /the clock went backwards/;
    expect(problemOf({ ...window, samples: Float64Array.of(90, -1, 110) }, "reliable")).toMatch(back);
    expect(problemOf({ ...window, samples: null, elapsedNs: -5 }, "reliable")).toMatch(back);
  });

  it("is invalid with a loss, unless the mechanism is lossy and something arrived", () => {
    expect(problemOf({ ...window, lost: 2 }, "reliable")).toBe("2 lost");
    expect(problemOf({ ...window, lost: 2 }, "lossy")).toBeUndefined();
    expect(problemOf({ ...window, messages: 0, lost: 2 }, "lossy")).toBe("2 lost");
    expect(problemOf({ ...window, duplicated: 1, reordered: 4 }, "lossy")).toBe("1 duplicated, 4 reordered");
  });
});
