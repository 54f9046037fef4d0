/** Codecs that turn values into bytes; `harness/rpc/codecs` loads them. */
export const CODEC_IDS = ["raw", "json", "msgpack", "msgpack-records", "cbor", "structured-clone", "struct"] as const;
export type CodecId = (typeof CODEC_IDS)[number];

/** Kinds of values that codecs convert; `harness/rpc/codecs/corpora.ts` makes them. */
export const CORPUS_IDS = ["rpc-object", "table-200", "blob-1mib"] as const;
export type CorpusId = (typeof CORPUS_IDS)[number];

/** One size of the requests, and its share of them. */
export interface MixPart {
  readonly bytes: number;
  /** 0 < share <= 1; the shares of all parts add up to 1. */
  readonly share: number;
}

/** One way of running a benchmark, a row of its own. Absent fields mean one request, one client, a closed loop. */
export interface Variant {
  readonly inFlight?: number;
  readonly clients?: number;
  readonly ratePerSecond?: number;
  readonly arrivals?: "fixed" | "poisson";
  readonly batched?: boolean;
  /** Sizes that take turns, for `workload`; the size of the cell is their mean. */
  readonly mix?: readonly MixPart[];
  /** CPU time that the server spends on each request beside the echo, for `workload`. */
  readonly workMicros?: number;
  /** Kind of value that both ends convert; its size takes the place of the payload's. Absent: a value of that size. */
  readonly corpus?: CorpusId;
  /** Codec, filled in from `--codec`: the variant runs once with each. */
  readonly codec?: CodecId;
}

/** A benchmark as data: its model, and the meaning of its chart. */
export interface Benchmark {
  readonly name: string;
  /** Id of a model of the driver. */
  readonly model: string;
  readonly title: string;
  /** Text under the chart: what the figure means, what it does not mean, when it misleads. */
  readonly analysis: string;
  /** Pattern a transport needs; `any` when the model sends no messages. */
  readonly pattern: "request-reply" | "one-way" | "fan-out" | "any";
  /** Share of a trial's time, relative to the other benchmarks. */
  readonly weight: number;
  /** `true` for a part of plain `compare` and `measure`; the others run when named. */
  readonly standard: boolean;
  readonly variants: readonly [Variant, ...Variant[]];
  /** Default sizes; absent: those of the workload. */
  readonly payloads?: readonly number[];
}
