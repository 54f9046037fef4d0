import { type NeedStanding, type NeedsMatrix, type NeedsRow, needsMatrix } from "../harness/pick/needs-matrix.ts";
import type { Report } from "../harness/results/model.ts";

export type { NeedStanding, NeedsMatrix, NeedsRow } from "../harness/pick/needs-matrix.ts";

/** Sign and meaning of each standing towards a need. */
export const NEED_SIGNS: Readonly<Record<NeedStanding["kind"], { readonly sign: string; readonly words: string }>> = {
  shown: { sign: "✓", words: "a check of this run has shown it" },
  record: { sign: "yes", words: "the record of the mechanism states it; no check examines it here" },
  cannot: { sign: "no", words: "the mechanism cannot, by its record" },
  refuted: { sign: "✗", words: "the mechanism cannot: a check of this run failed, or noted too much" },
  machine: { sign: "?", words: "this machine cannot examine it" },
  run: { sign: "·", words: "not examined in this run" },
};

/** Signs that stand for a reason which a reader may want. */
const EXPLAINED: readonly NeedStanding["kind"][] = ["refuted", "cannot", "machine"];

/** A reason with the mechanisms and the needs it concerns. */
export interface NeedReason {
  readonly kind: NeedStanding["kind"];
  readonly need: string;
  readonly reason: string;
  readonly transports: readonly string[];
}

/** Returns the matrix of a report; undefined where it has no mechanism with a complete record. */
export function needsOf(report: Report): NeedsMatrix | undefined {
  const found = needsMatrix(report);
  return found.candidates.length + found.others.length === 0 ? undefined : found;
}

/** Returns why rows are ruled out or could not be examined, each reason once, what a check refuted first. */
export function needReasons({ columns }: NeedsMatrix, rows: readonly NeedsRow[]): NeedReason[] {
  const all = columns.flatMap(({ need }, at) =>
    rows.flatMap(({ transport, standings }) => {
      const standing = standings[at];
      return standing === undefined || !EXPLAINED.includes(standing.kind) ? [] : [{ transport, need, ...standing }];
    }),
  );
  return [...Map.groupBy(all, ({ kind, need, reason }) => JSON.stringify([kind, need, reason])).values()]
    .flatMap((group) => {
      const [first] = group;
      return first === undefined
        ? []
        : [
            {
              kind: first.kind,
              need: first.need,
              reason: first.reason,
              transports: group.map((each) => each.transport),
            },
          ];
    })
    .toSorted((a, b) => EXPLAINED.indexOf(a.kind) - EXPLAINED.indexOf(b.kind));
}
