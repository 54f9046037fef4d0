import { describe, expect, it } from "vitest";
import type { Pick } from "../results/model.ts";
import { randomFrom } from "../results/random.ts";
import { type Noise, QUESTION, recordOf, rowOf, simulate, type Truth } from "../testing/synthetic-report.ts";
import { pick, type Question } from "./pick.ts";

/** Scatter of default reports on one CPU: METHODOLOGY has the figures. */
const USUAL: Noise = { rounds: 8, round: 0.15, trial: 0.05 };
const RUNS = 600;
/** Limit for a share of 5 %, three standard errors above it in so many runs. */
const ALPHA = 0.05 + 3 * Math.sqrt((0.05 * 0.95) / RUNS);

/** Capabilities by which the second of two is the simpler. */
const SIMPLE = { platforms: ["linux", "darwin", "win32"] } as const;
const LINUX = { platforms: ["linux"] } as const;

function picks(truths: readonly Truth[], noise: Noise, question: Partial<Question> = {}, runs = RUNS): Pick[] {
  const random = randomFrom(7);
  return Array.from({ length: runs }, () => {
    const found = pick(simulate(truths, noise, random), { ...QUESTION, ...question });
    if (found === null) throw new Error("no pick");
    return found;
  });
}

function share(found: readonly Pick[], holds: (pick: Pick) => boolean): number {
  return found.filter(holds).length / found.length;
}

const request = ({ ranking }: Pick, id: string) => ranking.find(({ transport }) => transport === id)?.request;

describe("a pick from reports whose truth is known", () => {
  it("calls one of equals faster in at most 5 % of reports", () => {
    const found = picks(
      ["a", "b", "c", "d"].map((id) => ({ id, ns: 30_000 })),
      USUAL,
    );
    expect(share(found, ({ verdict }) => verdict === "ahead")).toBeLessThan(ALPHA);
    const two = picks(
      ["a", "b"].map((id) => ({ id, ns: 30_000 })),
      USUAL,
    );
    expect(share(two, ({ verdict }) => verdict !== "tie")).toBeLessThan(ALPHA);
  });

  it("calls a difference of exactly the margin immaterial in at most 5 %, and one that matters in at most 5 %", () => {
    const found = picks(
      [
        { id: "fast", ns: 30_000, capabilities: LINUX },
        { id: "slow", ns: 33_000, capabilities: SIMPLE },
      ],
      USUAL,
    );
    const told = found.filter(({ fastest }) => fastest === "fast");
    expect(share(told, (one) => request(one, "slow")?.matters === "no")).toBeLessThan(ALPHA);
    expect(share(told, (one) => request(one, "slow")?.matters === "yes")).toBeLessThan(ALPHA);
  });

  it("tells candidates that are 30 % apart in at least 90 %", () => {
    const truths = [
      { id: "fast", ns: 30_000 },
      { id: "slow", ns: 39_000 },
    ];
    expect(
      share(picks(truths, USUAL), ({ verdict, transport }) => verdict === "ahead" && transport === "fast"),
    ).toBeGreaterThan(0.9);
  });

  it("calls a difference below half of the margin immaterial in at least 80 %, where the scatter allows it", () => {
    const truths = [
      { id: "fast", ns: 30_000, capabilities: LINUX },
      { id: "slow", ns: 31_000, capabilities: SIMPLE },
    ];
    const found = picks(truths, { ...USUAL, trial: 0.03 });
    const immaterial = (one: Pick): boolean => one.fastest === "slow" || request(one, "slow")?.matters === "no";
    expect(share(found, immaterial)).toBeGreaterThan(0.8);
    expect(
      share(found, ({ transport }) => transport === "slow"),
      "and takes the simpler one",
    ).toBeGreaterThan(0.99);
  });

  it("finds the work at which a difference is the margin", () => {
    const truths = [
      { id: "fast", ns: 23_000, capabilities: LINUX },
      { id: "slow", ns: 40_000, capabilities: SIMPLE },
    ];
    // (work + 40) / (work + 23) = 1.1 at 147 µs.
    const found = picks(truths, { ...USUAL, trial: 0.01 }, {}, 50);
    for (const one of found) {
      expect(request(one, "slow")?.breakEvenWorkNs).toBeGreaterThan(147_000 * 0.85);
      expect(request(one, "slow")?.breakEvenWorkNs).toBeLessThan(147_000 * 1.15);
    }
    const worked = picks(truths, { ...USUAL, trial: 0.01 }, { assumedWorkNs: 1e6 }, 50);
    expect(share(worked, ({ transport, verdict }) => transport === "slow" && verdict === "immaterial")).toBe(1);
    expect(worked[0]?.sentence).toMatch(
      /fast saves 1\d\.\d µs a request\. This is more than 10 % of .* only if .* less than about 1\d\d µs of work/,
    );
  });

  it("states a range that contains the true work in at least 90 % of reports, near the request and far from it", () => {
    for (const slow of [36_000, 60_000, 200_000]) {
      const truths = [
        { id: "fast", ns: 30_000 },
        { id: "slow", ns: slow },
      ];
      const truth = 10 * slow - 11 * 30_000;
      const found = picks(truths, USUAL).map((one) => request(one, "slow")?.breakEvenBounds ?? [0, 0]);
      const shareOf = (holds: (low: number, high: number) => boolean): number =>
        found.filter(([low, high]) => holds(low, high)).length / found.length;
      expect(
        shareOf((low) => low > truth),
        `too high for ${slow} ns`,
      ).toBeLessThan(ALPHA);
      expect(
        shareOf((_, high) => high < truth),
        `too low for ${slow} ns`,
      ).toBeLessThan(ALPHA);
      // A range of everything would be right, too.
      expect(shareOf((low, high) => high - low < 2 * truth + 100_000)).toBeGreaterThan(0.9);
    }
  });

  it("states one number where the range is narrow, both ends where it is wide, the upper one where it is open", () => {
    const worded = (factors: readonly number[]) => {
      const rows = [
        rowOf(
          "fast",
          factors.map(() => 30_000),
        ),
        rowOf(
          "slow",
          factors.map((factor) => 30_000 * factor),
        ),
      ];
      const evidence = {
        transports: [recordOf("fast", LINUX), recordOf("slow", SIMPLE)],
        checks: [],
        measurements: rows,
      };
      return pick(evidence, QUESTION)?.sentence;
    };
    expect(worded([1.5, 1.5, 1.52, 1.5, 1.5, 1.5])).toContain("if a request does more than about 120 µs of work.");
    expect(worded([1.3, 1.4, 1.5, 1.6, 1.7, 1.8])).toContain("if a request does more than 60 to 210 µs of work");
    const open = worded([1.02, 1.05, 1.2, 1.2, 1.3, 1.3]);
    expect(open).toContain("This is less than 10 % of the time of a request with more than 60.0 µs of work. This run");
    expect(open).toContain("cannot tell whether it is more than 10 % for a request without work");
  });

  it("names the flag that measures a break-even far from the measured request", () => {
    const apart = (ns: number) =>
      picks(
        [
          { id: "fast", ns: 40_000 },
          { id: "slow", ns },
        ],
        { ...USUAL, round: 0, trial: 0 },
        {},
        1,
      )[0]?.sentence;
    // (work + slow) / (work + 40 µs) = 1.1 at 10 * slow - 11 * 40 µs.
    expect(apart(60_000)).toMatch(/more than about 160 µs of work\.$/);
    expect(apart(70_000)).toMatch(/more than about 260 µs of work \(computed; --work 260us measures it\)\.$/);
    expect(apart(200_000)).toMatch(/more than about 1\.56 ms of work \(computed; --work 1\.6ms measures it\)\.$/);
  });

  it("decides less with fewer rounds and with more noise", () => {
    const truths = [
      { id: "a", ns: 30_000, capabilities: LINUX },
      { id: "b", ns: 34_000, capabilities: SIMPLE },
      { id: "c", ns: 60_000 },
    ];
    const strength = (noise: Noise): number =>
      picks(truths, noise, {}, 200).reduce((sum, { ranking, verdict }) => {
        const claims = ranking.filter(({ interval }) => interval !== null && interval[0] > 1).length;
        const tests = ranking.filter(({ request: found }) => found !== undefined && found.matters !== "unclear").length;
        return sum + (verdict === "cannot-tell" ? 0 : 1 + claims + tests);
      }, 0);
    const byRounds = [4, 6, 10, 20, 40].map((rounds) => strength({ ...USUAL, rounds }));
    expect(byRounds).toEqual(byRounds.toSorted((one, other) => one - other));
    const byNoise = [0.3, 0.15, 0.08, 0.02].map((trial) => strength({ ...USUAL, trial }));
    expect(byNoise).toEqual(byNoise.toSorted((one, other) => one - other));
  });
});
