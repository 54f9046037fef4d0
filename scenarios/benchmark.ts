/** Codecs that turn values into bytes; `harness/rpc/codecs` loads them. */
export const CODEC_IDS = ["raw", "json", "msgpack", "msgpack-records", "cbor", "structured-clone", "struct"] as const;
export type CodecId = (typeof CODEC_IDS)[number];

/** Kinds of values that codecs are measured with; `harness/rpc/codecs/corpora.ts` makes them. */
export const CORPUS_IDS = ["rpc-object", "table-200", "blob-1mib"] as const;
export type CorpusId = (typeof CORPUS_IDS)[number];

/** One size of the requests, and its share of all of them. */
export interface MixPart {
  readonly bytes: number;
  /** 0 < share <= 1; the shares of all parts add up to 1. */
  readonly share: number;
}

/** One way of running a benchmark: each becomes a row of its own. What is absent takes the plain value: 1, 1, closed loop. */
export interface Variant {
  readonly inFlight?: number;
  readonly clients?: number;
  readonly ratePerSecond?: number;
  readonly arrivals?: "fixed" | "poisson";
  readonly batched?: boolean;
  /** Of `workload`: sizes that take turns; the size of the cell is then their mean. */
  readonly mix?: readonly MixPart[];
  /** Of `workload`: CPU time that the server spends on each request beside the echo. */
  readonly workMicros?: number;
  /** Kind of value that both ends convert; its size takes the place of the payload's. */
  readonly corpus?: CorpusId;
  /** Filled in from `--codec`: the variant runs once with each. */
  readonly codec?: CodecId;
}

/** A benchmark as data: which model runs, and what its chart means. */
export interface Benchmark {
  readonly name: string;
  /** Id of a model of the driver. */
  readonly model: string;
  readonly title: string;
  /** Printed under the chart: what it says, what it does not, when it misleads. */
  readonly analysis: string;
  /** Which pattern a transport needs; `any` when it sends nothing of its own kind. */
  readonly pattern: "request-reply" | "one-way" | "fan-out" | "any";
  /** Share of a trial's time, relative to the other benchmarks. */
  readonly weight: number;
  /** Part of a plain `compare` and `measure`; the others run when named. */
  readonly standard: boolean;
  readonly variants: readonly [Variant, ...Variant[]];
  /** Sizes when none are asked for; default: those of the workload. */
  readonly payloads?: readonly number[];
}
