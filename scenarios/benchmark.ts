/** A benchmark as data: which model runs, and what its chart means. */
export interface Benchmark {
  readonly name: string;
  /** Id of a model of the driver. */
  readonly model: string;
  readonly title: string;
  /** Printed under the chart: what it says, what it does not, when it misleads. */
  readonly analysis: string;
  /** Which pattern a transport needs. */
  readonly pattern: "request-reply" | "one-way";
  /** Share of a trial's time, relative to the other benchmarks. */
  readonly weight: number;
}
