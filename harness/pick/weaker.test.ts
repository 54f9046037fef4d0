/** Evidence only weakens a pick: each report is compared with itself after a cut that takes evidence from it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MeasuredRow, Pick } from "../results/model.ts";
import { QUESTION, recordOf, rowOf } from "../testing/synthetic-report.ts";
import { type Evidence, pick, type Question } from "./pick.ts";

/** Logarithm of a candidate's cost in each round; two sizes have the same. */
interface Drawn {
  readonly mode: "event" | "blocking";
  readonly portable: boolean;
  readonly ns: number;
  readonly effects: readonly number[];
}

const SIZES = [64, 4096];
/** Loads of the question and beside it. */
const LOADS = [1, 8];
const asked: Question = { ...QUESTION, payloads: SIZES, benchmark: "workload", clients: 1, ratePerSecond: null };
const questions = fc.constantFrom<Question>(asked, { ...asked, matters: 0.02 }, { ...asked, assumedWorkNs: 100_000 });

function drawn(rounds: number): fc.Arbitrary<Drawn> {
  const effect = fc.integer({ min: -20, max: 20 }).map((percent) => percent / 100);
  return fc.record({
    mode: fc.constantFrom("event", "event", "blocking"),
    portable: fc.boolean(),
    ns: fc.integer({ min: 30_000, max: 45_000 }),
    effects: fc.array(effect, { minLength: rounds, maxLength: rounds }),
  });
}

/** Two to four candidates with the same number of rounds. */
const candidates = (least: number, most: number): fc.Arbitrary<Drawn[]> =>
  fc.integer({ min: least, max: most }).chain((rounds) => fc.array(drawn(rounds), { minLength: 2, maxLength: 4 }));

const nameOf = (at: number): string => `t${at}`;

/** Makes a report of all sizes and loads; at the second load the order of the candidates is the other way round. */
function reportOf(all: readonly Drawn[]): Evidence {
  const measurements = all.flatMap(({ mode, effects }, at): MeasuredRow[] =>
    LOADS.flatMap((clients) =>
      SIZES.map((payloadBytes) => {
        const { ns } = (clients === 1 ? all[at] : all.at(-1 - at)) as Drawn;
        const costs = effects.map((effect) => ns * Math.exp(effect));
        return rowOf(nameOf(at), costs, { mode, clients, payloadBytes, benchmark: "workload", model: "workload" });
      }),
    ),
  );
  const transports = all.map(({ mode, portable }, at) =>
    recordOf(nameOf(at), { modes: [mode], platforms: portable ? ["linux", "darwin", "win32"] : ["linux"] }),
  );
  return { transports, checks: [], measurements };
}

/** Keeps the trials of some rounds only, of rows that match. */
function cut(evidence: Evidence, keeps: (row: MeasuredRow, round: number) => boolean): Evidence {
  const measurements = evidence.measurements.map((row) =>
    row.status === "measured" ? { ...row, trials: row.trials.filter(({ round }) => keeps(row, round)) } : row,
  );
  return { ...evidence, measurements };
}

/** Claim of a pick about two candidates at a load. */
interface Claim {
  readonly clients: number;
  readonly pair: readonly [string, string];
  /** `faster` and `matters`: the first of the pair than the second. */
  readonly kind: "faster" | "matters" | "immaterial" | "out";
}

const isSame = (one: Claim, other: Claim): boolean =>
  one.kind === other.kind && one.clients === other.clients && `${one.pair}` === `${other.pair}`;

/** Returns the claims in fields and sentence of a pick; a tie, an open test and too few rounds are none. */
function claimsOf(found: Pick | null, { clients = 1 }: Question): Claim[] {
  if (found === null) return [];
  const { transport, fastest, verdict, ranking, alternatives, flips = [], sentence } = found;
  const first = fastest ?? "";
  const faster = (one: string, other: string): Claim => ({ clients, pair: [one, other], kind: "faster" });
  const told = verdict === "cannot-tell" ? [] : ranking.filter(({ interval }) => interval !== null && interval[0] > 1);
  const tests = ranking.flatMap(({ transport: other, request }): Claim[] => {
    if (request === undefined || request.matters === "unclear") return [];
    if (request.matters === "yes") return [{ clients, pair: [first, other], kind: "matters" }];
    return [{ clients, pair: [first, other].toSorted() as [string, string], kind: "immaterial" }];
  });
  return [
    ...tests,
    ...told.map((row) => faster(first, row.transport)),
    ...alternatives.map((other) => faster(other.transport, transport)),
    ...[...sentence.matchAll(/(t\d) saves/g)].map(([, name = ""]) => faster(name, transport)),
    ...[...sentence.matchAll(/and (t\d), the next fastest, takes/g)].map(([, name = ""]) => faster(transport, name)),
    ...flips.map(
      ({ at, transport: other, ratio }): Claim => ({
        clients: at,
        pair: [other, transport],
        kind: ratio === undefined ? "out" : "faster",
      }),
    ),
  ];
}

/** Returns claims from less evidence that the whole report does not make when it is asked about the same two. */
function risen(less: Evidence, whole: Evidence, question: Question): Claim[] {
  return claimsOf(pick(less, question), question).filter((claim) => {
    const transports = whole.transports.filter(({ id }) => claim.pair.includes(id));
    const there = { ...question, clients: claim.clients };
    return !claimsOf(pick({ ...whole, transports }, there), there).some((one) => isSame(one, claim));
  });
}

describe("with less evidence, no claim about two candidates becomes stronger or the contrary", () => {
  test("when rounds that repeat are fewer", () => {
    const property = fc.property(
      candidates(2, 9),
      questions,
      fc.integer({ min: 2, max: 6 }),
      fc.integer({ min: 1, max: 5 }),
      (cycle, question, times, dropped) => {
        const repeated = cycle.map((each) => ({
          ...each,
          effects: Array(times).fill(each.effects).flat() as number[],
        }));
        const rounds = (cycle[0] as Drawn).effects.length * Math.max(1, times - dropped);
        const whole = reportOf(repeated);
        expect(
          risen(
            cut(whole, (_, round) => round <= rounds),
            whole,
            question,
          ),
        ).toEqual([]);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  test("when the noise of the rounds is larger", () => {
    const property = fc.property(
      candidates(3, 8),
      fc.constantFrom<Question>(asked, { ...asked, matters: 0.02 }),
      fc.double({ min: 1, max: 5, noNaN: true }),
      (half, question, factor) => {
        // Each effect comes with its opposite, so that more noise moves no median.
        const noisy = (times: number): Evidence =>
          reportOf(half.map((each) => ({ ...each, effects: each.effects.flatMap((x) => [times * x, -times * x]) })));
        expect(risen(noisy(factor), noisy(1), question)).toEqual([]);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  test("when two rounds contradict all others, in opposite ways", () => {
    const property = fc.property(candidates(6, 14), questions, (all, question) => {
      const last = all.length - 1;
      const contradicted = all.map((each, at) => ({
        ...each,
        effects: [...each.effects, 3 * at, 3 * (last - at)],
      }));
      expect(risen(reportOf(contradicted), reportOf(all), question)).toEqual([]);
    });
    fc.assert(property, { numRuns: 200 });
  });

  test("when one candidate has too few rounds for an interval: then nothing is claimed where it is compared", () => {
    const few = fc.integer({ min: 0, max: 5 });
    const property = fc.property(candidates(6, 12), questions, few, fc.nat(), fc.constantFrom(...LOADS), (...drawn) => {
      const [all, question, rounds, which, load] = drawn;
      const name = nameOf(which % all.length);
      const whole = reportOf(all);
      const less = cut(whole, (row, round) => row.transport !== name || row.clients !== load || round <= rounds);
      expect(risen(less, whole, question)).toEqual([]);
      const claims = claimsOf(pick(less, question), question);
      expect(claims.filter(({ clients, pair }) => clients === load && pair.includes(name))).toEqual([]);
    });
    fc.assert(property, { numRuns: 300 });
  });
});
