import type { WaitMode } from "../transports/contract/capabilities.ts";
import type { CodecId, CorpusId } from "./benchmark.ts";

/**
 * Results of a run for the evaluation of needs: verdicts and figures. The harness implements this interface, so that no
 * need depends on the format of a report.
 */
export interface Evidence {
  /** Returns the result of a check for a transport, over all server languages of the run. */
  verdict(transport: string, check: string): Verdict;
  /** Returns a number that a check noted, in the unit that its name states; undefined if there is none. */
  figure(transport: string, check: string, note: string): Figure | undefined;
}

/**
 * `failed`: the mechanism cannot do it. `unavailable`: this machine cannot. `not-examined`: this run did not check it.
 * `not-applicable`: the claim does not exist for such a mechanism.
 */
export type Verdict =
  | { readonly status: "passed" | "not-examined" }
  | { readonly status: "failed" | "not-applicable" | "unavailable"; readonly reason: string };

export interface Figure {
  readonly value: number;
  /** 95 % interval, if several values were taken. */
  readonly interval?: readonly [low: number, high: number];
}

/** Name of a cell of a run, in words that do not depend on the format of a report. */
export interface CellName {
  readonly transport: string;
  readonly mode: WaitMode;
  /** Language of the server. */
  readonly peer: string;
  /** Name of a benchmark. */
  readonly benchmark: string;
  /** Size of a message, bytes; ignored if there is a `corpus`, whose size depends on the codec. */
  readonly payloadBytes: number;
  readonly corpus?: CorpusId;
  readonly codec?: CodecId;
  /** Default: the default placement of the run, which is two CPUs if the machine has two. */
  readonly placement?: "same-cpu" | "two-cpus";
}

/**
 * Figure of a cell. `p50`: median time, ns. `rate`: messages a second. `cpu`: CPU time a message, ns. `idle-cpu`: CPU
 * time of both ends over wall time while nothing is sent.
 */
export type CellMetric = "p50" | "rate" | "cpu" | "idle-cpu";

/**
 * `unavailable`: this machine cannot run the cell, or the mechanism has none. `not-examined`: this run has no figure
 * for it; if the run tried to measure it, there is a reason.
 */
export type Measured =
  | { readonly status: "measured"; readonly figure: Figure }
  | { readonly status: "not-examined"; readonly reason?: string }
  | { readonly status: "unavailable"; readonly reason: string };

/** Results of a run for the judgement of claims. */
export interface RunEvidence extends Evidence {
  /** Model of the CPU, as the system names it; empty where it does not. */
  readonly cpuModel: string;
  measured(cell: CellName, metric: CellMetric): Measured;
  /** Returns the figure of one cell as a multiple of that of another, from ratios within the same rounds. */
  ratio(one: CellName, other: CellName, metric: CellMetric): Measured;
}
