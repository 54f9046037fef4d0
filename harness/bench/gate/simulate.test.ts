import { expect, it } from "vitest";
import { randomFrom } from "../../results/random.ts";
import { type Injection, type StoredPair, type StoredRun, simulateGate, slower, wilson, withTail } from "./simulate.ts";

const NAMES = ["unix (event, same-cpu) 64 B", "unix (event, same-cpu) 4096 B", "tcp (event, same-cpu) 64 B"];
const BUDGET_MS = 60_000;

/** Pairs of the same code that scatter by 5 % in the median and 20 % in the tail. */
function stored(seed: number): StoredRun {
  const random = randomFrom(seed);
  const noise = (scatter: number): number =>
    Math.exp(scatter * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
  const side = (): [number, number] => [20_000 * noise(0.035), 60_000 * noise(0.14)];
  const pair = (): StoredPair => {
    const [[base, baseP99], [head, headP99]] = [side(), side()];
    return [base, head, baseP99, headP99];
  };
  const cells = Object.fromEntries(NAMES.map((name) => [name, Array.from({ length: 60 }, pair)]));
  return { date: "", machine: "", condition: "quiet", pairMs: 500, startMs: 1000, cells };
}

async function gates(injections: readonly Injection[], count = 40): Promise<(string | number)[]> {
  const random = randomFrom(4);
  const changed = new Map(injections.map((injection, index) => [NAMES[index] as string, injection]));
  const about = { runs: [stored(1)], changed, budgetMs: BUDGET_MS, random };
  return Array.fromAsync({ length: count }, async () => {
    const { exitCode, rows } = await simulateGate(about);
    const red = rows.filter(({ outcome }) => outcome === "regression").map(({ cell, metric }) => ({ cell, metric }));
    return red.length === 0 ? exitCode : JSON.stringify(red);
  });
}

it("passes the same code, and finds a change in the cell and the metric in which it is", async () => {
  const found = async (injections: readonly Injection[], words: RegExp): Promise<number> =>
    (await gates(injections)).filter((ended) => words.test(String(ended))).length;
  expect(await found([], /^0$/)).toBeGreaterThan(37);
  expect(await found([slower(0.2)], /"payloadBytes":64.*"p50"/)).toBeGreaterThan(37);
  expect(await found([withTail], /"payloadBytes":64.*"p99"/)).toBeGreaterThan(37);
});

it("ends at its budget, and gives the cells that are open the time of the others", async () => {
  const about = { runs: [stored(1)], budgetMs: BUDGET_MS, random: randomFrom(1) };
  const steady: Injection = ([base, , tail]) => [base, base, tail, tail];
  const quiet = await simulateGate({ ...about, changed: new Map(NAMES.map((name) => [name, steady])) });
  // One look: 10 pairs of two arms, after the start.
  expect(quiet.durationMs).toBe(11_000);
  const wild: Injection = ([base, head, ...tail]) => [base, head * (head % 2 < 1 ? 3 : 1 / 3), ...tail];
  const open = await simulateGate({ ...about, changed: new Map([[NAMES[2] as string, wild]]) });
  expect(open.durationMs).toBeGreaterThan(10_000);
  expect(open.durationMs).toBeLessThanOrEqual(BUDGET_MS);
  expect(open.exitCode).toBe(21);
});

it("gives Wilson's interval of a share", () => {
  // statsmodels: proportion_confint(found, of, method="wilson")
  const rounded = (found: number, of: number): number[] =>
    wilson(found, of).map((share) => Math.round(share * 1e4) / 1e4);
  expect(rounded(0, 60)).toEqual([0, 0.0602]);
  expect(rounded(18, 20)).toEqual([0.699, 0.9721]);
});
