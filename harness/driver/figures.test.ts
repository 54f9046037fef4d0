import { describe, expect, it } from "vitest";
import { figuresOf, problemOf } from "./figures.ts";
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

describe("the costs of a window", () => {
  const usage = (cpuMicros: number, voluntarySwitches: number) =>
    ({
      type: "usage",
      cpuMicros,
      voluntarySwitches,
      involuntarySwitches: 0,
      peakMemoryBytes: 1,
      gcPauseNs: 0,
    }) as const;
  const at = (own: number, peer: number, switches: number) => ({
    own: usage(own, switches),
    peer: usage(peer, switches),
    clients: null,
  });

  it("leave out what the readings cost", () => {
    const bracket = { first: at(0, 0, 0), before: at(100, 200, 1), after: at(1100, 2200, 11) };
    const { cpuNs, voluntarySwitches } = figuresOf(window, bracket, false);
    expect(cpuNs).toBe((1000 + 2000 - 300) * 1000);
    expect(voluntarySwitches).toBe(20 - 2);
  });

  it("are never below nothing, where a reading before the window cost more than all of it", () => {
    const bracket = { first: at(0, 0, 0), before: at(900, 900, 3), after: at(950, 950, 3) };
    expect(figuresOf(window, bracket, false)).toMatchObject({ cpuNs: 0, voluntarySwitches: 0 });
  });

  it("are unknown without readings", () => {
    expect(figuresOf(window, null, false).cpuNs).toBeNull();
  });
});
