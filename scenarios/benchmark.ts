/** Codecs that turn values into bytes; `harness/rpc/codecs` loads them. */
export const CODEC_IDS = ["raw", "json", "msgpack", "msgpack-records", "cbor", "structured-clone", "struct"] as const;
export type CodecId = (typeof CODEC_IDS)[number];

/** Kinds of values that codecs convert; `harness/rpc/codecs/corpora.ts` makes them. */
export const CORPUS_IDS = ["rpc-object", "table-200", "blob-1mib"] as const;
export type CorpusId = (typeof CORPUS_IDS)[number];

/** One size of requests, and the share of requests that have it. */
export interface MixPart {
  readonly bytes: number;
  /** 0 < share <= 1; the shares of all parts add up to 1. */
  readonly share: number;
}

/** Recorded messages of a user, as a report keeps them: without contents and without a path. */
export interface Recorded {
  /** Name of the file or directory. */
  readonly name: string;
  readonly sha256: string;
  /** Number of messages. */
  readonly count: number;
  /** Mean size of a request, rounded. */
  readonly meanBytes: number;
  /** Size of the largest request or reply. */
  readonly largestBytes: number;
  /** True: the server replies with the recorded responses. False: it echoes. */
  readonly hasResponses: boolean;
  /** Field of the requests by which latencies are grouped. */
  readonly group?: string;
}

/** One way of running a benchmark; it has its own row. Absent fields mean one request, one client, a closed loop. */
export interface Variant {
  readonly inFlight?: number;
  readonly clients?: number;
  readonly ratePerSecond?: number;
  readonly arrivals?: "fixed" | "poisson";
  readonly batched?: boolean;
  /** For `workload`: sizes that take turns; the mean is the size of the cell. */
  readonly mix?: readonly MixPart[];
  /** For `workload`: CPU time that the server spends on each request beside the echo. */
  readonly workMicros?: number;
  /** Messages that are replayed in their order instead of made ones; their mean is the size of the cell. */
  readonly recorded?: Recorded;
  /** Kind of value that both ends convert; its size replaces the payload size. Absent: a value of the payload size. */
  readonly corpus?: CorpusId;
  /** Codec, filled in from `--codec`: the variant runs once with each codec given there. */
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
  /** Pattern that a transport must have; `any` if the model sends no messages. */
  readonly pattern: "request-reply" | "one-way" | "fan-out" | "any";
  /** Share of a trial's time, relative to the other benchmarks. */
  readonly weight: number;
  /** `true` if plain `compare` and `measure` run it; the others run only when named. */
  readonly standard: boolean;
  readonly variants: readonly [Variant, ...Variant[]];
  /** Default sizes; absent: the sizes of the workload. */
  readonly payloads?: readonly number[];
}
