import type { CodecId } from "../../../scenarios/benchmark.ts";
import type { Codec } from "./codec.ts";
import { makeTable, type TableSample } from "./corpora.ts";
import { createCodec } from "./load.ts";
import { CORPUS_SEED } from "./values.ts";

/** Smallest size of a value with fields, bytes: every codec encodes a table of one row in fewer bytes. */
export const LEAST_SIZED_BYTES = 256;
/** Least length of the text that fills the size, so that in every codec its length field has the same size. */
const LEAST_FILL = 40;
/** Number of rows by which the size of a row is estimated. */
const ESTIMATE_ROWS = 64;
const ATTEMPTS = 4;

/**
 * Returns two tables that round trips use in turn, so that an old reply is not mistaken for the current one. In this
 * codec both have exactly this number of bytes; a longer last name fills the size. For `raw` returns bytes.
 *
 * @throws RangeError for a size that is too small or that this codec cannot reach
 */
export async function sizedValues(id: CodecId, size: number): Promise<readonly [unknown, unknown]> {
  if (id === "raw") return [new Uint8Array(size).fill(0x5a), new Uint8Array(size).fill(0xa5)];
  if (size < LEAST_SIZED_BYTES) throw new RangeError(`a value takes at least ${LEAST_SIZED_BYTES} bytes, not ${size}`);
  const bytesOf = await measureWith(id);
  const one = bytesOf(filled(1, LEAST_FILL));
  const rowBytes = (bytesOf(filled(1 + ESTIMATE_ROWS, LEAST_FILL)) - one) / ESTIMATE_ROWS;
  for (let rows = 1 + Math.max(0, Math.floor((size - one) / rowBytes)); rows > 0; rows--) {
    const table = fillTo(size, rows, bytesOf);
    if (table !== undefined) return [table, alternate(table)];
  }
  throw new RangeError(`${id} makes no value of exactly ${size} bytes`);
}

/** Returns a table with that many rows and that size; undefined if such a table needs more bytes. */
function fillTo(size: number, rows: number, bytesOf: (table: TableSample) => number): TableSample | undefined {
  let fill = LEAST_FILL;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const table = filled(rows, fill);
    const lacking = size - bytesOf(table);
    if (lacking === 0) return table;
    fill += lacking;
    if (fill < LEAST_FILL) return undefined;
  }
  return undefined;
}

/** Returns a table in which the last name has that many letters. */
function filled(count: number, fill: number): TableSample {
  const table = makeTable(count, CORPUS_SEED);
  const rows = table.rows.map((row, index) => (index === count - 1 ? { ...row, name: "x".repeat(fill) } : row));
  return { ...table, rows };
}

function alternate({ kind, rows }: TableSample): TableSample {
  return { kind, rows: rows.map((row) => ({ ...row, email: [...row.email].reverse().join("") })) };
}

/** Returns a function for the size of an encoded table; for a stateful codec, of every table after the first. */
async function measureWith(id: CodecId): Promise<(table: TableSample) => number> {
  const codec: Codec = await createCodec(id);
  codec.encode(filled(2, LEAST_FILL));
  return (table) => codec.encode(table).length;
}
