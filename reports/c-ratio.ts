import { cDoubt, LEAST_C_RATIO } from "../harness/results/format.ts";
import type { MeasuredRow } from "../harness/results/model.ts";

export const C_COLUMN_NOTE = "× C: p50 as a multiple of plain C on the same mechanism, measured in the same rounds.";

const NOTES = {
  "told apart":
    `(…×): below ${LEAST_C_RATIO} × C. C makes the same system calls, so something else differed; ` +
    "the warnings name the cell.",
  chance: `(…×)?: below ${LEAST_C_RATIO} × C, but its interval reaches 1 or is missing: it may be chance.`,
} as const;

/** Explains the mark beside this row's ratio to plain C; undefined where there is none. */
export function cRatioNote({ cBaseline }: MeasuredRow): string | undefined {
  const doubt = cBaseline && cDoubt(cBaseline);
  return doubt && NOTES[doubt];
}
