import { describe, expect, it } from "vitest";
import { questionOfPick } from "../pick/pick.ts";
import { randomFrom } from "../results/random.ts";
import { checkOf, decidedReport, USUAL } from "../testing/decided-report.ts";
import { type Noise, QUESTION, simulate, type Truth } from "../testing/synthetic-report.ts";
import type { Decided } from "./evidence.ts";
import { judge, optionsOf, rivalsOf } from "./verdict.ts";

const RUNS = 200;
const ALPHA = 0.05 + 3 * Math.sqrt((0.05 * 0.95) / RUNS);
const SIMPLE = { platforms: ["linux", "darwin", "win32"] } as const;
const LINUX = { platforms: ["linux"] } as const;

/** Returns the share of rechecks that end in each way. */
function outcomes(truths: readonly Truth[], chosen: string, noise: Noise = USUAL) {
  const random = randomFrom(11);
  const rivals = truths.map(({ id }) => id).filter((id) => id !== chosen);
  const found = { holds: 0, "other-wins": 0, "cannot-tell": 0 };
  const report = decidedReport(truths, { noise });
  for (let run = 0; run < RUNS; run++) {
    const { measurements } = simulate(truths, noise, random);
    found[judge({ ...report, measurements }, QUESTION, chosen, rivals).outcome] += 1 / RUNS;
  }
  return found;
}

describe("rechecks of decisions whose truth is known", () => {
  const fastest = { id: "pick", ns: 30_000, capabilities: LINUX };

  it("hold where nothing has changed, whether the pick is the faster or the simpler one", () => {
    const rival = { id: "rival", ns: 39_000, capabilities: SIMPLE };
    expect(outcomes([fastest, rival], "pick").holds).toBeGreaterThan(0.9);
    const slower = { id: "pick", ns: 30_600, capabilities: SIMPLE };
    expect(outcomes([slower, { id: "rival", ns: 30_000, capabilities: LINUX }], "pick").holds).toBeGreaterThan(0.8);
  });

  it("name a rival that is less than 1.5 times as slow where the pick has become twice as slow", () => {
    for (const capabilities of [SIMPLE, LINUX]) {
      const found = outcomes(
        [
          { ...fastest, ns: 60_000 },
          { id: "rival", ns: 45_000, capabilities },
        ],
        "pick",
      );
      expect(found["other-wins"]).toBeGreaterThan(0.9);
      expect(found.holds).toBe(0);
    }
  });

  it("state either answer in at most 5 % of cases where the difference is exactly the margin", () => {
    const simpler = outcomes([fastest, { id: "rival", ns: 33_000, capabilities: SIMPLE }], "pick");
    const faster = outcomes(
      [
        { ...fastest, ns: 33_000 },
        { id: "rival", ns: 30_000, capabilities: LINUX },
      ],
      "pick",
    );
    for (const found of [simpler, faster]) {
      expect(found["other-wins"]).toBeLessThan(ALPHA);
      expect(found.holds).toBeLessThan(ALPHA);
    }
  });

  it("cannot tell with fewer than 6 rounds", () => {
    const truths = [fastest, { id: "rival", ns: 90_000, capabilities: SIMPLE }];
    expect(outcomes(truths, "pick", { ...USUAL, rounds: 5 })["cannot-tell"]).toBeCloseTo(1);
  });
});

describe("the rivals of an option", () => {
  const report = decidedReport([
    { id: "fast", ns: 30_000, capabilities: LINUX },
    { id: "second", ns: 45_000, capabilities: LINUX },
    { id: "simple", ns: 47_000, capabilities: SIMPLE },
    { id: "slow", ns: 90_000, capabilities: LINUX },
  ]);
  const question = questionOfPick(report.pick);
  const rivals = (chosen: string): string[] => rivalsOf(optionsOf(report, question), chosen, question);

  it("are the fastest of the others and the one that would be picked without it", () => {
    expect(report.pick.transport).toBe("fast");
    expect(rivals("fast")).toEqual(["simple", "second"]);
    expect(rivals("slow")).toEqual(["fast"]);
  });

  it("are all others where there are two", () => {
    const truths = [
      { id: "simple", ns: 30_000, capabilities: SIMPLE },
      { id: "fast", ns: 20_000, capabilities: LINUX },
      { id: "slow", ns: 90_000, capabilities: LINUX },
    ];
    const small = decidedReport(truths, { question: { assumedWorkNs: 1e6 } });
    const asked = questionOfPick(small.pick);
    expect(rivalsOf(optionsOf(small, asked), "simple", asked)).toEqual(["fast", "slow"]);
  });

  it("are none where nothing else was compared: a pick alone holds", () => {
    const alone = decidedReport([{ id: "only", ns: 30_000 }]);
    const asked = questionOfPick(alone.pick);
    expect(rivalsOf(optionsOf(alone, asked), "only", asked)).toEqual([]);
    expect(judge(alone, asked, "only", [])).toMatchObject({ outcome: "holds" });
  });
});

describe("options that a check rules out", () => {
  const truths = [
    { id: "pick", ns: 30_000 },
    { id: "rival", ns: 60_000 },
  ];
  const failing = (id: string): Decided => {
    const report = decidedReport(truths);
    const failed = checkOf(id, "reconnect", { status: "failed", reason: "it hung" });
    return { ...report, checks: [...report.checks.filter(({ transport }) => transport !== id), failed] };
  };

  it("lose as the pick, and are no rivals", () => {
    expect(judge(failing("pick"), QUESTION, "pick", ["rival"])).toMatchObject({
      outcome: "other-wins",
      winner: "rival",
      reason: "failed the check reconnect: it hung",
    });
    expect(judge(failing("rival"), QUESTION, "pick", ["rival"])).toMatchObject({ outcome: "holds" });
  });

  it("leave open what this machine cannot run", () => {
    const report = decidedReport(truths);
    const without = (id: string): Decided => ({
      ...report,
      transports: report.transports.map((each) =>
        each.id === id ? { ...each, available: false, reason: "no library" } : each,
      ) as Decided["transports"],
    });
    for (const id of ["pick", "rival"])
      expect(judge(without(id), QUESTION, "pick", ["rival"]).outcome, id).toBe("cannot-tell");
  });
});
