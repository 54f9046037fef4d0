import { ABSENT, bytes, duration, percent, significant } from "../harness/results/format.ts";
import type { CodecCost, Report } from "../harness/results/model.ts";

export const CODEC_COLUMNS = ["codec", "encode", "decode", "both", "±", "size", "first message"] as const;

export const CODEC_NOTE =
  "Medians per message in one thread, without a transport. ± is the 95 % margin of the mean, for the direction that " +
  "varies more. A round trip of values has two encodings and two decodings: if twice the column “both” is close to " +
  "the time of a round trip, most of that time is the codec and not the mechanism.";

/** Largest steady margin, percent; beyond it the order of two codecs is chance more often than not. */
const UNSTEADY_PERCENT = 20;

/** Explains `mark`, which stands beside the name of an unsteady row. */
export function unsteadyNote(mark: string): string {
  const why = "do not rely on this row, its place among the others may be chance";
  return `${mark} ± above ${UNSTEADY_PERCENT} %: ${why}; repeat while nothing else runs.`;
}

export interface CodecLine {
  readonly name: string;
  /** True where the numbers spread too far to be trusted. */
  readonly unsteady: boolean;
  /** Texts in the order of the columns after the name; undefined where there is a reason instead. */
  readonly cells?: readonly string[];
  readonly reason?: string;
}

export interface CodecGroup {
  readonly corpus: string;
  readonly title: string;
  readonly lines: readonly CodecLine[];
}

const TITLES: Readonly<Record<string, string>> = {
  "rpc-object": "a call with eight fields",
  "table-200": "a table of 200 rows",
  "blob-1mib": "a block of 1 MiB",
};

/** Groups codecs by kind of value, quickest first, those without a number last. Empty where none was measured. */
export function codecGroups({ codecs = [] }: Pick<Report, "codecs">): CodecGroup[] {
  return [...Map.groupBy(codecs, ({ corpus }) => corpus)].map(([corpus, rows]) => ({
    corpus,
    title: TITLES[corpus] === undefined ? corpus : `${corpus}: ${TITLES[corpus]}`,
    lines: rows.toSorted((a, b) => both(a) - both(b)).map(lineOf),
  }));
}

function both(row: CodecCost): number {
  return row.status === "measured" ? row.encodeNs + row.decodeNs : Number.MAX_VALUE;
}

function lineOf(row: CodecCost): CodecLine {
  if (row.status !== "measured") return { name: row.codec, unsteady: false, reason: `not applicable: ${row.reason}` };
  const first = row.firstBytes === row.bytes ? ABSENT : size(row.firstBytes);
  return {
    name: row.codec,
    unsteady: row.marginPercent > UNSTEADY_PERCENT,
    cells: [
      duration(row.encodeNs),
      duration(row.decodeNs),
      duration(both(row)),
      percent(row.marginPercent / 100),
      size(row.bytes),
      first,
    ],
  };
}

/** Formats a size; a whole MiB gets the decimals of the sizes beside it: 1.00 MiB, 1.01 MiB. */
function size(count: number): string {
  const text = bytes(count);
  return count < 1024 ? text : text.replace(/^\d+(?= )/, (whole) => significant(Number(whole)));
}
