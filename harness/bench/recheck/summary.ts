import { EXIT } from "../../results/exit-codes.ts";

/** `unchanged`: the code of the record. `slow`: its round trip takes twice as long. `node`: another version of Node. */
export const KINDS = ["unchanged", "slow", "node"] as const;
export type Kind = (typeof KINDS)[number];

/** One recheck: its exit code and its sentence. */
export interface Recheck {
  readonly kind: Kind;
  readonly code: number | null;
  readonly sentence: string;
  readonly wallMs: number;
}

interface Promised {
  readonly words: string;
  readonly holds: (share: (code: number) => number) => boolean;
}

/** Shares that are promised of 40 rechecks. */
const PROMISED: Readonly<Record<Kind, Promised>> = {
  unchanged: {
    words: "at most 1 of 40 end with 20, and at most 8 with 21",
    holds: (share) =>
      share(EXIT.regression) <= 1 / 40 &&
      share(EXIT.inconclusive) <= 8 / 40 &&
      share(EXIT.ok) + share(EXIT.regression) + share(EXIT.inconclusive) === 1,
  },
  slow: {
    words: "all of 40 end with 20 or 21, at least 36 with 20",
    holds: (share) => share(EXIT.regression) >= 36 / 40 && share(EXIT.regression) + share(EXIT.inconclusive) === 1,
  },
  node: { words: "all end with 22", holds: (share) => share(EXIT.incomplete) === 1 },
};

export interface Line {
  readonly text: string;
  readonly holds: boolean;
}

/** Writes a line for each kind that was run: the number of rechecks by exit code, and whether the promise holds. */
export function summaryOf(all: readonly Recheck[]): Line[] {
  return KINDS.flatMap((kind): Line[] => {
    const own = all.filter((each) => each.kind === kind);
    if (own.length === 0) return [];
    const codes = [...new Set(own.map(({ code }) => code))].toSorted((a, b) => Number(a) - Number(b));
    const counts = codes.map((code) => `${own.filter((each) => each.code === code).length} with ${code}`).join(", ");
    const share = (code: number): number => own.filter((each) => each.code === code).length / own.length;
    const { words, holds } = PROMISED[kind];
    const isKept = holds(share);
    return [
      { text: `${kind}: ${own.length} rechecks, ${counts}; ${words}: ${isKept ? "holds" : "MISSED"}`, holds: isKept },
    ];
  });
}
