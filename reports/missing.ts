import { oneLine, significant } from "../harness/results/format.ts";
import type { Measurement } from "../harness/results/model.ts";

/** What stands in a row without a time or a rate: why there is none, or what was measured instead. */
export function missingText({ status, reason, idleCpuShare }: Measurement, loads?: string): string {
  if (status === "measured" && typeof idleCpuShare === "number")
    return `${significant(idleCpuShare * 100)} % of one CPU while idle (both processes together)`;
  const word = status === "measured" ? "no value" : status.replace("-", " ");
  return `${word}${loads === undefined ? "" : ` at ${loads}`}: ${oneLine(reason ?? "no reason recorded")}`;
}

/** Why a row that was measured has no p99. */
export const NO_P99 =
  "p99 –: too few messages for it in the time of this run: it needs 2000 over all trials; give a longer --budget.";
