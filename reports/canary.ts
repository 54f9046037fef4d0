import { duration, oneLine } from "../harness/results/format.ts";
import type { CanarySummary } from "../harness/results/model.ts";

/** Describes the tail floor, for the foot of a table with a p99: `the machine's own tail floor: p99 84.0 µs; …`. */
export function canaryText({ p99, sentence }: CanarySummary): string {
  const measured = p99 === undefined ? "too few wake-ups for a p99" : `p99 ${duration(p99)}`;
  return `the machine's own tail floor: ${measured}; ${oneLine(sentence ?? "")}`.replace(/; $/, "");
}
