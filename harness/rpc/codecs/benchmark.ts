import { Bench } from "tinybench";
import { CODEC_IDS, CORPUS_IDS, type CodecId, type CorpusId } from "../../../scenarios/benchmark.ts";
import type { Codec } from "./codec.ts";
import { makeCorpus, type Sample } from "./corpora.ts";
import { createCodec } from "./load.ts";

export interface CodecBenchmarkOptions {
  readonly seed?: number;
  /** Time measured per codec, corpus and direction, ms; default 100. Warm-up takes the same, at most 50. */
  readonly timeMs?: number;
  readonly codecs?: readonly CodecId[];
  readonly corpora?: readonly CorpusId[];
  readonly signal?: AbortSignal;
}

/** Result of one codec with one corpus. Times are per message: the median over tinybench's samples. */
export type CodecRow = {
  readonly codec: CodecId;
  readonly corpus: CorpusId;
} & (
  | {
      readonly status: "measured";
      /** Size of an encoded message; for a stateful codec, of every message after the first. */
      readonly bytes: number;
      /** Size of the first message of a connection; differs from `bytes` for stateful codecs. */
      readonly firstBytes: number;
      readonly encodeNs: number;
      readonly decodeNs: number;
      /** Relative margin of error of the mean, percent, the larger of the two directions. */
      readonly marginPercent: number;
      /** Messages per sample: enough for the resolution of the clock. */
      readonly batch: number;
    }
  | { readonly status: "not-applicable"; readonly reason: string }
);

const DEFAULT_TIME_MS = 100;
const MAX_WARMUP_MS = 50;
/** Least length of a sample, so that the time for reading the clock (some 30 ns) does not matter. */
const SAMPLE_NS = 20_000;
const MAX_BATCH = 4096;
const COMPILE_MS = 10;

/** Sink for results. It is exported so that the JIT cannot eliminate the work. */
export let sink = 0;

/** Measures every codec on every corpus, one after the other in this thread. */
export async function benchmarkCodecs(options: CodecBenchmarkOptions = {}): Promise<readonly CodecRow[]> {
  const { seed = 1, codecs = CODEC_IDS, corpora = CORPUS_IDS } = options;
  const rows: CodecRow[] = [];
  for (const corpus of corpora) {
    const sample = makeCorpus(corpus, seed);
    for (const codec of codecs) {
      options.signal?.throwIfAborted();
      rows.push(await measure(await createCodec(codec), corpus, sample, options.timeMs ?? DEFAULT_TIME_MS));
    }
  }
  return rows;
}

async function measure(codec: Codec, corpus: CorpusId, sample: Sample, timeMs: number): Promise<CodecRow> {
  const value = codec.id === "raw" ? bytesOf(sample) : sample;
  if (value === undefined) {
    const reason = "raw carries bytes, and this corpus has fields";
    return { codec: codec.id, corpus, status: "not-applicable", reason };
  }
  const first = Uint8Array.from(codec.encode(value));
  // The decoder needs the first message too, since a stateful one takes from it what the second omits.
  codec.decode(first);
  const later = Uint8Array.from(codec.encode(value));
  codec.decode(later);
  const encode = await timed(timeMs, () => {
    sink ^= codec.encode(value).length;
  });
  const decode = await timed(timeMs, () => {
    if (codec.decode(later) === undefined) sink++;
  });
  return {
    codec: codec.id,
    corpus,
    status: "measured",
    bytes: later.length,
    firstBytes: first.length,
    encodeNs: encode.ns,
    decodeNs: decode.ns,
    marginPercent: Math.max(encode.marginPercent, decode.marginPercent),
    batch: Math.min(encode.batch, decode.batch),
  };
}

function bytesOf(sample: Sample): Uint8Array | undefined {
  return sample.kind === "blob" ? sample.data : undefined;
}

async function timed(timeMs: number, work: () => void): Promise<{ ns: number; marginPercent: number; batch: number }> {
  const batch = batchOf(work);
  const bench = new Bench({
    time: timeMs,
    iterations: 8,
    warmupTime: Math.min(timeMs, MAX_WARMUP_MS),
    warmupIterations: 4,
    // The samples are needed only while tinybench computes the median.
    retainSamples: false,
    throws: true,
  });
  const run = (): void => {
    for (let left = batch; left > 0; left--) work();
  };
  bench.add("codec", run, { async: false });
  await bench.run();
  const result = bench.tasks[0]?.result;
  if (result?.state !== "completed") throw new Error(`the codec benchmark ended as ${result?.state ?? "nothing"}`);
  const { p50, rme } = result.latency;
  return { ns: (p50 * 1e6) / batch, marginPercent: rme, batch };
}

/** Doubles a batch until it lasts long enough. Warms up before, since first calls are a hundred times slower. */
function batchOf(work: () => void): number {
  const warmUntil = performance.now() + COMPILE_MS;
  while (performance.now() < warmUntil) work();
  for (let batch = 1; batch < MAX_BATCH; batch *= 2) {
    // Takes the quickest of three, since an interruption could make a small batch look long enough.
    let quickest = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 3; attempt++) quickest = Math.min(quickest, durationNs(work, batch));
    if (quickest >= SAMPLE_NS) return batch;
  }
  return MAX_BATCH;
}

function durationNs(work: () => void, times: number): number {
  const start = process.hrtime.bigint();
  for (let left = times; left > 0; left--) work();
  return Number(process.hrtime.bigint() - start);
}
