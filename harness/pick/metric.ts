import { duration, quantity } from "../results/format.ts";
import type { MeasuredRow, ValidTrial } from "../results/model.ts";

/** Names of metrics by which a pick can be ranked. */
export type MetricName = "p50" | "p99" | "throughput" | "cpu";

export interface Metric {
  /** Cost of a request in a trial, ns: smaller is better for every metric. Undefined where the trial lacks it. */
  readonly cost: (trial: ValidTrial) => number | undefined;
  /** Noun for a sentence: "its … is 19 µs". */
  readonly noun: string;
  /** Words behind a ratio: "1.3 times …". */
  readonly more: string;
  readonly less: string;
  /** Formats the figure of a row. */
  readonly show: (row: MeasuredRow) => string;
}

export const METRICS: Readonly<Record<MetricName, Metric>> = {
  p50: {
    cost: ({ latencyNs }) => latencyNs?.p50,
    noun: "median round trip",
    more: "as long",
    less: "as fast",
    show: ({ latencyNs }) => duration(latencyNs?.p50),
  },
  p99: {
    cost: ({ latencyNs }) => latencyNs?.p99,
    noun: "p99",
    more: "as long at p99",
    less: "as fast at p99",
    show: ({ latencyNs }) => duration(latencyNs?.p99),
  },
  throughput: {
    cost: ({ messagesPerSecond }) => (messagesPerSecond > 0 ? 1e9 / messagesPerSecond : undefined),
    noun: "throughput",
    more: "as long per message",
    less: "as many messages",
    show: ({ messagesPerSecond }) => `${quantity(messagesPerSecond)}/s`,
  },
  cpu: {
    cost: ({ cpuNsPerMessage }) => cpuNsPerMessage ?? undefined,
    noun: "CPU time per request",
    more: "as much CPU",
    less: "as little CPU",
    show: ({ cpuNsPerMessage }) => duration(cpuNsPerMessage),
  },
};
