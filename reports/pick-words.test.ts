import { describe, expect, it } from "vitest";
import type { Pick, Rechecked } from "../harness/results/model.ts";
import {
  certaintyOf,
  loadText,
  pickStanding,
  pickTitle,
  plainC,
  recheckCertainty,
  recheckStanding,
  recheckTitle,
  requestsText,
} from "./pick-words.ts";
import { fullReport } from "./testing/fixture-machine.ts";
import { fixturePick } from "./testing/fixture-verdicts.ts";

type Row = Pick["ranking"][number];
const row = (transport: string, ratio: number, half: number, matters?: "yes" | "no" | "unclear"): Row => ({
  ...{ transport, mode: "event", ratio, interval: [ratio - half, ratio + half] },
  ...(matters === undefined ? {} : { request: { matters, ratio, bounds: null, savedNs: 1, breakEvenWorkNs: null } }),
});
const base = fixturePick() as Pick;
/** Builds a pick of `simple`, which `fast` is ahead of. */
const slower = (matters: "no" | "unclear"): Pick => ({
  ...{ ...base, transport: "simple", verdict: "immaterial", ties: ["twin"], immaterial: ["fast"] },
  ranking: [row("fast", 1, 0), row("simple", 1.2, 0.1, matters), row("twin", 1.21, 0.1, "no"), row("far", 3, 1, "yes")],
});
const standings = (pick: Pick): string[] => pick.ranking.map((one) => pickStanding(pick, one));

describe("the standing of a candidate", () => {
  it("is that of the fastest by the test of the pick, which compares the two", () => {
    expect(standings(slower("no"))).toEqual(["immaterial", "pick", "tie", "behind"]);
    expect(standings(slower("unclear"))).toEqual(["may-matter", "pick", "tie", "behind"]);
  });

  it("has no pick in a run that cannot tell", () => {
    const ranking = [
      row("fast", 1, 0),
      { ...row("simple", 1.2, 0), interval: null },
      row("twin", 1, 0.1),
      row("far", 3, 1),
    ];
    const pick: Pick = { ...base, transport: "fast", verdict: "cannot-tell", ties: ["simple", "twin"], ranking };
    expect(standings(pick)).toEqual(["unknown", "unknown", "tie", "behind"]);
    expect(pickTitle(pick, "linux")).not.toContain("Use");
  });
});

it("the head of a recheck has its result, and names changed conditions first", () => {
  const found: Rechecked = { chosen: "unix", outcome: "cannot-tell", conditions: [], sentence: "" };
  expect(recheckTitle(found)).toBe("This run cannot tell whether the decision for unix still holds");
  expect(recheckTitle({ ...found, outcome: "holds" })).toBe("The decision for unix still holds");
  expect(recheckTitle({ ...found, outcome: "other-wins", winner: "tcp" })).toBe("Another option wins: tcp");
  expect(recheckTitle({ ...found, conditions: ["kernel 6.1, now 6.18"] })).toMatch(
    /^Conditions changed; .*cannot tell/,
  );
});

it("a row of a recheck stands by the result against the decided option, whatever this run would pick", () => {
  const against = [
    { rival: "fast", outcome: "other-wins" },
    { rival: "far", outcome: "holds" },
    { rival: "twin", outcome: "cannot-tell" },
  ] as const;
  const found: Rechecked = { chosen: "simple", outcome: "other-wins", against, conditions: [], sentence: "" };
  const standingsIn = (of: Rechecked, pick: Pick): string[] =>
    pick.ranking.map((one) => recheckStanding(of, pick, one));
  expect(standingsIn(found, slower("no"))).toEqual(["wins", "decided", "open", "loses"]);
  const older: Rechecked = { chosen: "simple", outcome: "holds", conditions: [], sentence: "" };
  expect(standingsIn(older, slower("no"))).toEqual(["unjudged", "decided", "unjudged", "unjudged"]);
  const pick = slower("no");
  const twoWays: Pick = { ...pick, workload: { ...pick.workload, modes: ["event", "blocking"] } };
  expect(standingsIn({ ...older, chosen: "far (event)" }, twoWays).at(-1)).toBe("decided");
  expect(recheckCertainty(found)).toEqual({
    sign: "✗",
    word: "Recheck",
    text: "of a decision: simple was measured again beside fast and far and twin",
  });
});

describe("the certainty of a pick", () => {
  const text = (pick: Pick): string => {
    const { sign, word, text: rest } = certaintyOf(pick) ?? { sign: "", word: "", text: "" };
    return `${sign} ${word}: ${rest}`;
  };

  it("names the interval that it rests on", () => {
    expect(text(slower("no"))).toBe("~ Slower, which does not matter: it takes 1.20× (1.10–1.30) as long as fast");
    expect(text(slower("unclear"))).toMatch(/^~ Slower, not shown to matter: /);
    const ranking = [row("unix", 1, 0), row("fifo", 1.4, 0.1)];
    expect(text({ ...base, verdict: "ahead", ties: [], ranking })).toBe(
      "✓ Told apart: fifo, the next, takes 1.40× (1.30–1.50) as long",
    );
    expect(text({ ...base, verdict: "tie", ties: ["fifo"], ranking: [row("unix", 1, 0), row("fifo", 1.1, 0.2)] })).toBe(
      "= Tie: not told from fifo, ratio 1.10× (0.900–1.30)",
    );
  });

  it("names no interval of another pair, and not more than three rivals", () => {
    expect(text({ ...slower("no"), verdict: "tie" })).toBe("= Tie: not told from twin");
    expect(text({ ...base, verdict: "tie", ties: ["a", "b", "c", "d"] })).toBe("= Tie: not told from 4 others");
  });

  it("is unknown in an older report without a tie", () => {
    const { verdict: _, ...older } = { ...base, ties: [] };
    expect(certaintyOf(older)).toBeUndefined();
  });
});

describe("the requests of a pick", () => {
  it("are named in a few words", () => {
    expect(pickTitle({ ...base, transport: "local-socket" }, "win32")).toBe(
      "Use local-socket (named-pipe) for 64 B and 4 KiB requests",
    );
    expect(requestsText({ ...base.workload, payloads: [64, 256, 1024, 4096], codec: "json" })).toBe(
      "64 B to 4 KiB requests in json",
    );
    expect(requestsText({ ...base.workload, payloads: [] })).toBe("");
    expect(loadText({ ...base.workload, clients: 8, ratePerSecond: 5000 })).toBe(" from 8 clients at 5000 a second");
    expect(loadText({ ...base.workload, benchmark: "pipeline" })).toBe("");
  });
});

describe("the place of plain C", () => {
  const report = fullReport();
  const [unix, fifo] = base.ranking as [Row, Row];

  it("is the ratio of a row without its multiple of C", () => {
    expect(plainC(report, base, unix)).toBeCloseTo(1 / 3.17, 6);
  });

  it("is unknown without a multiple that is believed at each size, and for another metric", () => {
    expect(plainC(report, base, fifo)).toBeUndefined();
    expect(plainC(report, { ...base, workload: { ...base.workload, optimize: "cpu" } }, unix)).toBeUndefined();
    const measurements = report.measurements.map((cell) =>
      cell.status === "measured" && cell.cBaseline && cell.payloadBytes === 4096
        ? { ...cell, cBaseline: { ...cell.cBaseline, ratio: 0.7, interval: [0.6, 0.8] as const } }
        : cell,
    );
    expect(plainC({ measurements }, base, unix)).toBeUndefined();
  });
});
