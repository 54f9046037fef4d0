import type { CodecId } from "../../../scenarios/benchmark.ts";
import type { Codec } from "./codec.ts";
import { makeTable, type TableSample } from "./corpora.ts";
import { createCodec } from "./load.ts";
import { CORPUS_SEED } from "./values.ts";

/** Least size of a value with fields, bytes: every codec encodes a table of one row in fewer. */
export const LEAST_SIZED_BYTES = 256;
/** Length of the text that fills the size: with every codec, its length then takes the same number of bytes. */
const LEAST_FILL = 40;
/** Rows from which the size of a row is estimated. */
const ESTIMATE_ROWS = 64;
const ATTEMPTS = 4;

/**
 * Returns two tables that a round trip takes in turn, so that an earlier reply cannot pass for the current one. Both
 * take exactly this number of bytes in this codec; the last name is longer, to fill the size. `raw` gets bytes.
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

/** Returns a table of that many rows and that size; undefined where its fewest bytes are more. */
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

/** Returns a table whose last name has that many letters. */
function filled(count: number, fill: number): TableSample {
  const table = makeTable(count, CORPUS_SEED);
  const rows = table.rows.map((row, index) => (index === count - 1 ? { ...row, name: "x".repeat(fill) } : row));
  return { ...table, rows };
}

function alternate({ kind, rows }: TableSample): TableSample {
  return { kind, rows: rows.map((row) => ({ ...row, email: [...row.email].reverse().join("") })) };
}

/** Returns the size of an encoded table; with a stateful codec, of any but the first. */
async function measureWith(id: CodecId): Promise<(table: TableSample) => number> {
  const codec: Codec = await createCodec(id);
  codec.encode(filled(2, LEAST_FILL));
  return (table) => codec.encode(table).length;
}
