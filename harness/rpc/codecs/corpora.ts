import type { CorpusId } from "../../../scenarios/benchmark.ts";
/** Three realistic kinds of values, the same for the same seed. */

/** A call of a remote procedure, as in most messages of most applications. */
export interface CallSample {
  readonly kind: "call";
  readonly id: number;
  readonly method: string;
  readonly customer: string;
  readonly limit: number;
  readonly amount: number;
  readonly urgent: boolean;
  readonly tags: readonly string[];
}

export interface TableRow {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly amount: number;
  readonly active: boolean;
  readonly createdAt: number;
}

/** The result of a query: many objects of one shape. */
export interface TableSample {
  readonly kind: "table";
  readonly rows: readonly TableRow[];
}

/** A file or an image: a name and a large block of bytes. */
export interface BlobSample {
  readonly kind: "blob";
  readonly name: string;
  readonly data: Uint8Array;
}

export type Sample = CallSample | TableSample | BlobSample;

export const TABLE_ROWS = 200;
export const BLOB_BYTES: number = 1024 * 1024;

export function makeCorpus(id: CorpusId, seed: number): Sample {
  const random = generator(seed);
  switch (id) {
    case "rpc-object":
      return makeCall(random);
    case "table-200":
      return tableFrom(TABLE_ROWS, random);
    case "blob-1mib":
      return { kind: "blob", name: `scan-${word(random)}.tiff`, data: makeBytes(random) };
  }
}

export function makeTable(rows: number, seed: number): TableSample {
  return tableFrom(rows, generator(seed));
}

function tableFrom(rows: number, random: Random): TableSample {
  return { kind: "table", rows: Array.from({ length: rows }, (_, index) => makeRow(index, random)) };
}

type Random = () => number;

function makeCall(random: Random): CallSample {
  return {
    kind: "call",
    id: random() >>> 0,
    method: "orders.list",
    customer: `c-${word(random)}`,
    limit: (random() >>> 0) % 100,
    amount: cents(random),
    urgent: random() < 0,
    tags: [word(random), word(random)],
  };
}

/** Makes a row. Some names have letters beyond ASCII, so that a codec fast only for ASCII does not look fast. */
function makeRow(index: number, random: Random): TableRow {
  const name = `${word(random)} ${index % 8 === 0 ? "Müller" : word(random)}`;
  return {
    id: index + 1,
    name,
    email: `${word(random)}@${word(random)}.example`,
    amount: cents(random),
    active: random() < 0,
    createdAt: 1_700_000_000_000 + (random() >>> 4),
  };
}

function makeBytes(random: Random): Uint8Array {
  const words = new Int32Array(BLOB_BYTES / 4);
  for (let at = 0; at < words.length; at++) words[at] = random();
  return new Uint8Array(words.buffer);
}

/** Returns an amount with two decimals. Few are whole numbers, so most need all eight bytes. */
function cents(random: Random): number {
  return (random() >>> 8) / 100;
}

function word(random: Random): string {
  let text = "";
  const letters = 4 + ((random() >>> 0) % 6);
  for (let at = 0; at < letters; at++) text += String.fromCharCode(97 + ((random() >>> 0) % 26));
  return text;
}

/** Mulberry32 (T. Ettinger, 2017): 32 signed bits per call. */
function generator(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return mixed ^ (mixed >>> 14);
  };
}
