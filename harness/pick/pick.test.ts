import { describe, expect, it } from "vitest";
import type { CheckResult, MeasuredRow, TransportRecord, UnmeasuredRow } from "../results/model.ts";
import { recordOf, rowsOf, TWO_SIZES } from "../testing/synthetic-report.ts";
import { pick, type Question } from "./pick.ts";

function unmeasured(transport: string, status: UnmeasuredRow["status"], reason: string): UnmeasuredRow[] {
  return rowsOf(transport, FAST).map((row) => ({ ...row, status, reason }));
}

const failedCheck: CheckResult = {
  scenario: "sequential-requests",
  title: "",
  kind: "scenario",
  transport: "fast",
  peer: "node",
  status: "failed",
  reason: "request 7 got the reply of another request",
  notes: {},
  durationMs: 1,
};

const FAST = [10_000, 20_000, 11_000, 19_000, 10_500, 21_000];
/** Twice FAST in every round: within rounds the difference is clear although the machine halved its speed. */
const SLOW = FAST.map((value) => value * 2);

describe("the pick", () => {
  const transports = [recordOf("slow"), recordOf("fast"), recordOf("base", {}, true)];
  const measurements = [
    ...rowsOf("slow", SLOW),
    ...rowsOf("fast", FAST),
    ...rowsOf(
      "base",
      FAST.map((value) => value / 100),
    ),
  ];

  describe("of a mechanism whose server was measured in another language only", () => {
    const python = { peer: { language: "python", version: "3" } };
    const transports = [recordOf("here"), recordOf("other")];
    const measurements = [...rowsOf("here", SLOW), ...rowsOf("other", FAST, python)];
    const found = pick({ transports, checks: [], measurements }, TWO_SIZES);

    it("has a line of its own with figure and ratio, and no place in the ranking", () => {
      expect(found).toMatchObject({ transport: "here", verdict: "alone", ruledOut: [], alternatives: [] });
      expect(found?.ranking.map(({ transport }) => transport)).toEqual(["here"]);
      expect(found?.otherServers).toMatchObject([
        { transport: "other", mode: "event", language: "python", ratio: 0.5 },
      ]);
      expect(found?.otherServers?.[0]?.sentence).toBe(
        "other (server in python) takes 10.0 µs (64 B) and 10.0 µs (4 KiB): 0.50 times as long as here " +
          "(0.50 to 0.50), " +
          "over these sizes together, and uses 20.0 µs of CPU per round trip of 64 B.",
      );
    });

    it("is the pick where that language was asked for, and the sentence names it", () => {
      const asked = pick({ transports, checks: [], measurements }, { ...TWO_SIZES, peer: "python" });
      expect(asked).toMatchObject({ transport: "other", otherServers: [], workload: { peer: "python" } });
      expect(asked?.sentence).toContain("requests with a server in python and the ends on two CPUs");
      expect(asked?.ruledOut).toEqual([
        {
          transport: "here",
          reason:
            "measured only with a server in node, but the question is about a server in python; " +
            "--peer python measures it",
        },
      ]);
    });

    it("is said not to be distinguishable where the interval of its ratio contains 1", () => {
      const swinging = SLOW.map((value, at) => value * (at % 2 === 0 ? 0.5 : 2));
      const rows = [...rowsOf("here", SLOW), ...rowsOf("other", swinging, python)];
      const sentence = pick({ transports, checks: [], measurements: rows }, TWO_SIZES)?.otherServers?.[0]?.sentence;
      expect(sentence).toContain("over these sizes together, not distinguishable in this run, and uses");
    });

    it("is out with the reason where it failed a check, or one of its sizes was not measured", () => {
      const failed = pick(
        { transports, checks: [{ ...failedCheck, transport: "other", peer: "python" }], measurements },
        TWO_SIZES,
      );
      expect(failed?.otherServers).toEqual([]);
      expect(failed?.ruledOut).toMatchObject([
        { transport: "other", reason: expect.stringMatching(/^failed the check/) },
      ]);
      const lacking = unmeasured("other", "not-applicable", "none of it").map((row) => ({ ...row, ...python }));
      const found = pick({ transports, checks: [], measurements: [...rowsOf("here", FAST), ...lacking] }, TWO_SIZES);
      expect(found?.ruledOut).toEqual([{ transport: "other", reason: "64 B: none of it" }]);
    });
  });

  it("names the codec of its requests", () => {
    const found = pick({ transports, checks: [], measurements }, { ...TWO_SIZES, codec: "json" });
    expect(found?.sentence).toContain("Use fast for 64 B and 4 KiB requests in json with the ends on two CPUs");
    expect(found?.workload.codec).toBe("json");
  });

  it("is the fastest that may be ranked: a baseline is not", () => {
    const found = pick({ transports, checks: [], measurements }, TWO_SIZES);
    expect(found).toMatchObject({ transport: "fast", placement: "two-cpus", runnerUp: "slow", ties: [] });
    expect(found?.sentence).toContain("Use fast for 64 B and 4 KiB requests with the ends on two CPUs");
    expect(found?.sentence).toContain("slow, the next fastest, takes 2.00 times as long (2.00 to 2.00).");
    expect(found?.verdict).toBe("ahead");
    expect(found?.reasons[0]).toBe(
      "fastest of 2 candidates; the slowest, slow, takes 2.0 times as long as fast (2.00 to 2.00), " +
        "over these sizes together",
    );
  });

  it("compares within rounds, so that a machine which changes its speed does not hide a difference", () => {
    const found = pick({ transports, checks: [], measurements }, TWO_SIZES);
    const [low, high] = found?.ranking[1]?.interval ?? [];
    expect(found?.ranking[1]?.ratio).toBeCloseTo(2, 9);
    expect(low).toBeCloseTo(2, 9);
    expect(high).toBeCloseTo(2, 9);
  });

  // Issue 2: the order came from the medians, the ratios beside it from within the rounds, and the two disagreed.
  it("lists the others in the order of the ratios it shows, whatever their medians say", () => {
    const best = [10_000, 10_000, 10_000, 100_000, 100_000, 100_000];
    const steady = best.map((value) => value * 1.5);
    // Three times as long in the fast rounds and no longer in the slow ones: the smaller median, the larger ratio.
    const uneven = best.map((value, round) => (round < 3 ? value * 3 : value));
    const three = [recordOf("best"), recordOf("uneven"), recordOf("steady")];
    const measured = [...rowsOf("uneven", uneven), ...rowsOf("steady", steady), ...rowsOf("best", best)];
    const found = pick({ transports: three, checks: [], measurements: measured }, TWO_SIZES);
    expect(found?.ranking.map(({ transport, ratio }) => [transport, ratio.toFixed(2)])).toEqual([
      ["best", "1.00"],
      ["steady", "1.50"],
      ["uneven", "2.00"],
    ]);
    expect(found?.runnerUp).toBe("steady");
  });

  it("calls a difference that some rounds deny a tie", () => {
    const wavering = FAST.map((value, round) => (round % 2 === 0 ? value * 1.2 : value * 0.9));
    const found = pick(
      { transports, checks: [], measurements: [...rowsOf("fast", FAST), ...rowsOf("slow", wavering)] },
      TWO_SIZES,
    );
    expect([found?.transport, ...(found?.ties ?? [])].sort()).toEqual(["fast", "slow"]);
    expect(found?.sentence).toContain("not distinguishable from");
    expect(found?.verdict).toBe("tie");
    expect(found?.reasons.join()).not.toContain("the slowest");
  });

  // Issue 15: two rounds gave "takes 1.10 times as long", which ten rounds called a tie.
  it("states no order, no reason and no alternative from fewer than 6 rounds, and names what to do", () => {
    const spinning = rowsOf("spin", FAST.slice(0, 2), { mode: "polling" });
    const cut = [...rowsOf("fast", FAST.slice(0, 2)), ...rowsOf("slow", SLOW.slice(0, 2)), ...spinning];
    const found = pick({ transports: [...transports, recordOf("spin")], checks: [], measurements: cut }, TWO_SIZES);
    expect(found).toMatchObject({ verdict: "cannot-tell", reasons: [], runnerUp: null, alternatives: [] });
    expect(found?.ties).toEqual(["slow"]);
    expect(found?.sentence).toBe(
      "This run cannot tell which is fastest for 64 B and 4 KiB requests with the ends on two CPUs: " +
        "fast and slow were measured together in 2 rounds, and an order needs 6. " +
        "Give a larger --trials or a longer --budget.",
    );
  });

  it("states no order while one candidate has too few rounds, whoever else is told apart", () => {
    const three = [...transports, recordOf("rare")];
    const measured = [...measurements, ...rowsOf("rare", FAST.slice(0, 5))];
    const found = pick({ transports: three, checks: [], measurements: measured }, TWO_SIZES);
    expect(found?.verdict).toBe("cannot-tell");
    expect(found?.sentence).toMatch(
      /fast and rare were measured together in 5 rounds,|rare and fast, slow were measured together in 5 rounds,/,
    );
  });

  it("never is a mechanism that failed a check, and gives the reason", () => {
    const found = pick({ transports, checks: [failedCheck], measurements }, TWO_SIZES);
    expect(found?.transport).toBe("slow");
    expect(found?.ruledOut).toEqual([
      { transport: "fast", reason: "failed the check sequential-requests: request 7 got the reply of another request" },
    ]);
  });

  it("never is a mechanism with an invalid or missing size", () => {
    const broken = unmeasured("fast", "failed", "trial 3: 2 lost");
    const found = pick({ transports, checks: [], measurements: [...rowsOf("slow", SLOW), ...broken] }, TWO_SIZES);
    expect(found?.transport).toBe("slow");
    expect(found?.ruledOut[0]).toEqual({ transport: "fast", reason: "64 B: trial 3: 2 lost" });
  });

  it("names what this machine could not examine, and does not rank it as if it were worse", () => {
    const lacking = unmeasured("fast", "unavailable", "/dev/shm has 0 B free of 64 KiB: enlarge it");
    const absent = { ...recordOf("absent"), available: false as const, reason: "no such library" };
    const evidence = {
      transports: [...transports, absent],
      checks: [],
      measurements: [...rowsOf("slow", SLOW), ...lacking],
    };
    const found = pick(evidence, TWO_SIZES);
    expect(found).toMatchObject({ transport: "slow", ruledOut: [] });
    expect(found?.sentence).toMatch(/nothing else could be compared\. Not examined here: fast, absent\.$/);
    expect(found?.notExamined).toEqual([
      { transport: "fast", reason: "64 B: /dev/shm has 0 B free of 64 KiB: enlarge it" },
      { transport: "absent", reason: "no such library" },
    ]);
  });

  it("rules out a mechanism of which a process crashed, whatever its numbers and checks", () => {
    const crash = { transport: "fast", process: "driver", signal: "SIGSEGV", binding: "koffi" };
    const evidence = {
      transports: [recordOf("fast"), recordOf("slow")],
      checks: [],
      measurements: [...rowsOf("fast", [1, 1, 1, 1, 1, 1]), ...rowsOf("slow", [9, 9, 9, 9, 9, 9])],
      crashes: [crash],
    };
    const found = pick(evidence, TWO_SIZES);
    expect(found?.transport).toBe("slow");
    const reason = "its driver process was ended by SIGSEGV (binding to the C library: koffi)";
    expect(found?.ruledOut).toEqual([{ transport: "fast", reason }]);
  });

  it("is not what fails a check under another of its names", () => {
    const [first, ...others] = transports;
    const checks = [{ ...failedCheck, transport: "original" }];
    const named = pick(
      { transports: [{ ...(first as TransportRecord), sameAs: "original" }, ...others], checks, measurements },
      TWO_SIZES,
    );
    expect(named?.transport).not.toBe(first?.id);
    expect(named?.ruledOut.map(({ transport }) => transport)).toEqual([first?.id]);
    expect(pick({ transports, checks, measurements }, TWO_SIZES)?.ruledOut).toEqual([]);
  });

  it("does not exist when nothing could be ranked", () => {
    expect(pick({ transports, checks: [], measurements: rowsOf("base", FAST) }, TWO_SIZES)).toBeNull();
  });

  it("names the best of the waiting classes that were not asked for, with its CPU cost", () => {
    const spinning = rowsOf(
      "slow",
      FAST.map((value) => value / 10),
      { mode: "polling" },
    );
    const found = pick({ transports, checks: [], measurements: [...rowsOf("fast", FAST), ...spinning] }, TWO_SIZES);
    expect(found?.transport).toBe("fast");
    expect(found?.alternatives).toHaveLength(1);
    expect(found?.alternatives[0]).toMatchObject({ transport: "slow", mode: "polling" });
    expect(found?.alternatives[0]?.sentence).toMatch(
      new RegExp(
        String.raw`1\.00 µs \(64 B\) and 1\.00 µs \(4 KiB\): 10\.0 times \(10\.0 to 10\.0\) as fast as fast, ` +
          "over these sizes together, and uses 20\\.0 µs of CPU per round trip of 64 B",
      ),
    );
  });

  it("offers no other waiting class that is slower, or not faster for sure", () => {
    const factors = [321, 1.1, 1, 0.95];
    const offered = factors.map((factor) => {
      // Every other round contradicts the factor.
      const waiting = FAST.map((value, round) => value * (round % 2 === 0 ? factor : 1));
      const measured = [...rowsOf("fast", FAST), ...rowsOf("slow", waiting, { mode: "blocking" })];
      return pick({ transports, checks: [], measurements: measured }, TWO_SIZES)?.alternatives;
    });
    expect(offered).toEqual([[], [], [], []]);
  });

  describe("weighs simplicity", () => {
    const linux = { platforms: ["linux"] } as const;
    const everywhere = { platforms: ["linux", "darwin", "win32"] } as const;
    const both = [recordOf("fast", linux), recordOf("simple", everywhere)];
    const near = (factor: number) => [
      ...rowsOf("fast", FAST),
      ...rowsOf(
        "simple",
        FAST.map((value) => value * factor),
      ),
    ];
    const find = (factor: number, question: Partial<Question> = {}) =>
      pick({ transports: both, checks: [], measurements: near(factor) }, { ...TWO_SIZES, ...question });

    it("takes the simpler one where the difference does not matter, with the work at which it would", () => {
      const found = find(1.05);
      expect(found).toMatchObject({
        transport: "simple",
        fastest: "fast",
        verdict: "immaterial",
        ties: [],
        immaterial: ["fast"],
      });
      expect(found?.sentence).toMatch(
        /fast saves .* This is less than 10 % of the time of a request\. It is simpler: /,
      );
      expect(found?.sentence).toContain("It is simpler: simple runs on 3 systems, fast runs on one");
    });

    it("takes the fast one where the difference matters, and states how much work would change that", () => {
      const found = find(1.5);
      expect(found).toMatchObject({ transport: "fast", verdict: "ahead", fastest: "fast", immaterial: [] });
      expect(found?.ranking[1]?.request).toMatchObject({ matters: "yes" });
      // Half of 10 to 21 µs is 10 % of what is ten times as long, less the exchange itself: 40 to 84 µs.
      expect(found?.sentence).toContain(
        "The difference is less than 10 % if a request does more than 40 to 84 µs of work.",
      );
      expect(find(1.5, { assumedWorkNs: 1e6 })).toMatchObject({ transport: "simple", verdict: "immaterial" });
      expect(find(1.5, { matters: 0.6 })).toMatchObject({ transport: "simple", verdict: "immaterial" });
    });

    it("leaves open what few rounds leave open, and takes the simpler one", () => {
      const wide = [1.2, 1.02, 1.15, 1.01, 1.3, 1.04];
      const measurements = [
        ...rowsOf("fast", FAST),
        ...rowsOf(
          "simple",
          FAST.map((value, round) => value * (wide[round] as number)),
        ),
      ];
      const found = pick({ transports: both, checks: [], measurements }, TWO_SIZES);
      expect(found).toMatchObject({ transport: "simple", verdict: "immaterial" });
      expect(found?.ranking[1]?.request?.matters).toBe("unclear");
      expect(found?.sentence).toContain("This run cannot tell whether it is more than 10 % for a request without work");
    });
  });

  it.each(["p99", "throughput", "cpu"] as const)("can be made by %s", (optimize) => {
    const p99 = (row: MeasuredRow): MeasuredRow => ({
      ...row,
      trials: row.trials.map((trial) =>
        trial.status === "valid" && trial.latencyNs
          ? { ...trial, latencyNs: { ...trial.latencyNs, p99: trial.latencyNs.p50 * 3 } }
          : trial,
      ),
    });
    const measurements = [...rowsOf("slow", SLOW), ...rowsOf("fast", FAST)].map(p99);
    expect(pick({ transports, checks: [], measurements }, { ...TWO_SIZES, optimize })?.transport).toBe("fast");
  });
});
