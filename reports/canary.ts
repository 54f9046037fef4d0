import { duration, oneLine } from "../harness/results/format.ts";
import type { CanarySummary } from "../harness/results/model.ts";

/** `the machine's own tail floor: p99 84.0 µs; …`, for the foot of a table that shows a p99. */
export function canaryText({ p99, sentence }: CanarySummary): string {
  const measured = p99 === undefined ? "too few wake-ups for a p99" : `p99 ${duration(p99)}`;
  return `the machine's own tail floor: ${measured}; ${oneLine(sentence ?? "")}`.replace(/; $/, "");
}
