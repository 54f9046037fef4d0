import { describe, expect, it } from "vitest";
import type { Measurement, UnmeasuredRow } from "../results/model.ts";
import { recordOf, rowOf, rowsOf, TWO_SIZES } from "../testing/synthetic-report.ts";
import { pick, type Question } from "./pick.ts";

const FAST = [10_000, 20_000, 11_000, 19_000, 10_500, 21_000];
const SLOW = FAST.map((value) => value * 2);
const transports = [recordOf("slow"), recordOf("fast")];
const measurements = [...rowsOf("slow", SLOW), ...rowsOf("fast", FAST)];

describe("the pick", () => {
  it("states at which measured size another one is ahead, and nothing between the sizes", () => {
    const large = { payloadBytes: 65_536 };
    const measurements = [
      ...rowsOf("fast", FAST),
      ...rowsOf("slow", SLOW),
      rowOf("fast", SLOW, large),
      rowOf("slow", FAST, large),
    ];
    const found = pick({ transports, checks: [], measurements }, TWO_SIZES);
    expect(found?.transport).toBe("fast");
    expect(found?.flips).toMatchObject([{ over: "payloadBytes", at: 65_536, transport: "slow", ratio: 2 }]);
    expect(found?.sentence).toContain("At 64 KiB, slow is 2.0 times as fast as fast (2.0 to 2.0).");
  });

  describe("of requests from several clients", () => {
    const at = (clients: number, ratePerSecond: number | null = null) => ({
      ...{ benchmark: "workload", model: "workload", clients, ratePerSecond },
    });
    const question: Question = { ...TWO_SIZES, benchmark: "workload", clients: 1, ratePerSecond: null };
    const find = (others: readonly Measurement[], asked: Question = question) =>
      pick(
        {
          transports,
          checks: [],
          measurements: [...rowsOf("fast", FAST, at(1)), ...rowsOf("slow", SLOW, at(1)), ...others],
        },
        asked,
      );

    it("is made from the load that was asked for, and states at which other load another one is ahead", () => {
      const found = find([...rowsOf("fast", SLOW, at(8)), ...rowsOf("slow", FAST, at(8))]);
      expect(found).toMatchObject({ transport: "fast", verdict: "ahead" });
      expect(found?.ranking[1]?.ratio).toBeCloseTo(2, 9);
      expect(found?.sentence).toContain("requests from 1 client with the ends on two CPUs");
      expect(found?.flips).toMatchObject([{ over: "clients", at: 8, transport: "slow", ratio: 2 }]);
      expect(found?.sentence).toContain("With 8 clients, slow is 2.0 times as fast as fast (2.0 to 2.0).");
      const turned = find([...rowsOf("fast", SLOW, at(8)), ...rowsOf("slow", FAST, at(8))], {
        ...question,
        clients: 8,
      });
      expect(turned).toMatchObject({ transport: "slow", workload: { clients: 8, ratePerSecond: null } });
      expect(turned?.sentence).toContain("With 1 client, fast is 2.0 times as fast as slow (2.0 to 2.0).");
    });

    it("counts the work of every client, since the requests of all of them wait for one server", () => {
      const loaded = (factor: number, clients: number) => {
        const found = find([...rowsOf("fast", FAST, at(8)), ...rowsOf("slow", SLOW, at(8))], {
          ...{ ...question, clients, assumedWorkNs: factor * 1000 },
        });
        return found?.ranking.find(({ transport }) => transport === "slow")?.request;
      };
      const [one, eight] = [loaded(0, 1), loaded(0, 8)];
      expect(eight?.breakEvenWorkNs).toBeCloseTo((one?.breakEvenWorkNs as number) / 8, 0);
      expect(loaded(100, 8)?.ratio).toBeCloseTo(loaded(800, 1)?.ratio as number, 9);
    });

    it("names rates, and both where both differ", () => {
      const flipped = (load: object) => [...rowsOf("fast", SLOW, load), ...rowsOf("slow", FAST, load)];
      const found = find([...flipped(at(1, 500)), ...flipped(at(4, 500))]);
      expect(found?.flips).toMatchObject([
        { over: "ratePerSecond", at: 500 },
        { over: "clients", at: 4, ratePerSecond: 500 },
      ]);
      expect(found?.sentence).toContain("At 500 a second, slow is 2.0 times as fast");
      expect(found?.sentence).toContain("With 4 clients at 500 a second, slow is 2.0 times as fast");
    });

    it("states that it cannot be used at a load, and which loads show nothing", () => {
      const one = rowsOf("fast", FAST, at(8)).map((row): UnmeasuredRow => {
        return { ...row, status: "not-applicable", reason: "serves at most 1 client, not 8" };
      });
      const out = find([...one, ...rowsOf("slow", SLOW, at(8))]);
      expect(out?.sentence).toContain("With 8 clients, fast is ruled out (64 B: serves at most 1 client, not 8).");
      expect(out?.flips).toMatchObject([{ over: "clients", at: 8, transport: "slow" }]);
      const few = SLOW.slice(0, 3);
      const same = find([
        ...[...rowsOf("fast", FAST, at(2)), ...rowsOf("slow", SLOW, at(2))],
        ...[...rowsOf("fast", few, at(4)), ...rowsOf("slow", FAST.slice(0, 3), at(4))],
      ]);
      expect(same?.flips).toEqual([]);
      expect(same?.sentence).toContain("With 4 clients, no other mechanism is shown to be better by more than 10 %.");
    });

    it("names how many of the needed clients were measured", () => {
      const needs = (neededClients: number) => find([], { ...question, neededClients })?.sentence;
      expect(needs(100)).toContain("requests from 1 of the 100 clients needed with the ends");
      expect(needs(1)).toContain("requests from 1 client with");
      const found = pick({ transports, checks: [], measurements }, { ...TWO_SIZES, neededClients: 100 });
      expect(found?.sentence).toContain("64 B and 4 KiB requests from 1 of the 100 clients needed with");
    });
  });
});
