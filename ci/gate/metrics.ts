import type { PairSide } from "../../harness/coordinator/pairs.ts";
import { BAD_CANARY_NS } from "../../harness/coordinator/round-log.ts";
import { duration, quantity } from "../../harness/results/format.ts";
import { isRough } from "../../harness/results/quantiles.ts";
import type { Limits } from "./verdict.ts";

export const METRICS = ["p50", "p99", "throughput", "cpu"] as const;
export type Metric = (typeof METRICS)[number];

/** Units of time that a user may write, in ns. */
export const TIMES_NS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9 };

/** Default limits of p99, which scatters more than a median: one slow message in a hundred is still found. */
const P99_LIMITS: Limits = { minEffect: 0.2, tolerance: 0.5 };

/** @param rule limits of the other metrics: typed ones hold for p99 too */
export function limitsOf(metric: Metric | "value", { minEffect, tolerance }: Limits, typed: Partial<Limits>): Limits {
  return metric === "p99" ? { ...P99_LIMITS, ...typed } : { minEffect, tolerance };
}

/** Returns the cost of one side in ns, which is larger where it is worse; undefined where it was not measured. */
export function costOf(side: PairSide, metric: Metric): number | undefined {
  const cost = { p50: side.p50, p99: side.p99, throughput: side.messageNs, cpu: side.cpuNs }[metric];
  return cost !== null && cost > 0 && Number.isFinite(cost) ? cost : undefined;
}

/** Formats a cost; that of throughput as messages per second. */
export function costText(metric: Metric, cost: number): string {
  return metric === "throughput" ? `${quantity(1e9 / cost)}/s` : duration(cost);
}

/** Returns why the p99 of a cell cannot be told here; undefined where it can. */
export function tailObstacle(
  canaryNs: number | undefined,
  { messages, pairs }: { readonly messages: number; readonly pairs: number },
): string | undefined {
  if (canaryNs === undefined) return "the canary did not run, so the tail may be the machine's";
  if (canaryNs > BAD_CANARY_NS) {
    return `this machine wakes a sleeping process ${duration(canaryNs)} late in 1 of 100 cases: the tail is its own`;
  }
  if (isRough(0.99, messages * pairs)) {
    return `${pairs} pairs of ${messages} messages leave fewer than 100 beyond the p99; give more --messages`;
  }
  return undefined;
}
