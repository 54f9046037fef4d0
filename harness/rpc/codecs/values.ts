import type { CodecId, CorpusId } from "../../../scenarios/benchmark.ts";
import { makeCorpus, type Sample } from "./corpora.ts";
import { createCodec } from "./load.ts";

/** Seed of the values in every run and in the table of codecs, so that sizes agree and reports can be compared. */
export const CORPUS_SEED = 1;

/** Returns why this codec cannot carry this kind of value; undefined if it can. */
export function cannotCarry(codec: CodecId, corpus: CorpusId): string | undefined {
  return codec === "raw" && corpus !== "blob-1mib" ? "raw carries bytes, and this corpus has fields" : undefined;
}

/**
 * Returns two values that round trips use in turn, so that an old reply is not mistaken for the current one. In every
 * codec both have the same size. @throws TypeError for a combination of {@link cannotCarry}
 */
export function valuesOf(codec: CodecId, corpus: CorpusId): readonly [unknown, unknown] {
  const reason = cannotCarry(codec, corpus);
  if (reason !== undefined) throw new TypeError(reason);
  const sample = makeCorpus(corpus, CORPUS_SEED);
  const other = alternate(sample);
  return codec === "raw" ? [bytesOf(sample), bytesOf(other)] : [sample, other];
}

function alternate(sample: Sample): Sample {
  switch (sample.kind) {
    case "call":
      return { ...sample, customer: `c-${[...sample.customer.slice(2)].reverse().join("")}` };
    case "table":
      return { ...sample, rows: sample.rows.toReversed() };
    case "blob":
      return { ...sample, data: sample.data.toReversed() };
  }
}

function bytesOf(sample: Sample): Uint8Array | undefined {
  return sample.kind === "blob" ? sample.data : undefined;
}

/** Returns the size of an encoded message; for a stateful codec, of every message after the first. */
export async function encodedBytes(id: CodecId, corpus: CorpusId): Promise<number> {
  const codec = await createCodec(id);
  const [first, second] = valuesOf(id, corpus);
  codec.encode(first);
  return codec.encode(second).length;
}

/** Compares field by field and ignores classes, since codecs may return a Buffer for a Uint8Array. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => sameValue((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]));
}
