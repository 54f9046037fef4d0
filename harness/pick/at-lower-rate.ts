import type { Pick } from "../results/model.ts";
import { type Evidence, pick, type Question } from "./pick.ts";

/**
 * Returns the pick for the highest rate at which the run compares candidates. This is the rate of the question, or a
 * lower one where the machine or this run was too slow. The sentence then names both rates. A candidate that could not
 * keep the rate is no reason for a lower one.
 */
export function pickAtHighestRate(evidence: Evidence, question: Question): Pick | null {
  const asked = pick(evidence, question);
  const { ratePerSecond } = question;
  if (ratePerSecond === undefined || ratePerSecond === null) return asked;
  const lower = evidence.measurements.flatMap(({ ratePerSecond: rate, clients, benchmark }) =>
    benchmark === question.benchmark && clients === question.clients && rate !== null && rate < ratePerSecond
      ? rate
      : [],
  );
  for (const rate of [...new Set(lower)].toSorted((a, b) => b - a)) {
    if (isCompared(asked)) break;
    // The sentence then states that there was nothing to compare at the higher rates.
    const measurements = evidence.measurements.filter((row) => row.ratePerSecond === null || row.ratePerSecond <= rate);
    const found = pick({ ...evidence, measurements }, { ...question, ratePerSecond: rate });
    if (found === null || !isCompared(found) || !comparesMore(found, asked)) continue;
    const words = `This run cannot compare at ${ratePerSecond} a second: ${obstacleTo(asked)}. At a lower rate: `;
    return { ...found, sentence: words + found.sentence };
  }
  return asked;
}

const isCompared = (found: Pick | null): boolean =>
  found !== null && found.verdict !== "alone" && found.verdict !== "cannot-tell";

/** True where a pick ranks a candidate that the other one could not examine, or could not tell from the others. */
function comparesMore({ ranking }: Pick, asked: Pick | null): boolean {
  if (asked?.verdict !== "alone") return true;
  return ranking.some(({ transport }) => asked.notExamined?.some((out) => out.transport === transport));
}

function obstacleTo(asked: Pick | null): string {
  if (asked === null) return "no candidate was measured in enough rounds";
  return asked.verdict === "alone"
    ? `only ${asked.transport} was measured`
    : "the candidates have too few rounds in common";
}
