/** A round: what C and what we needed, in the same unit. */
export interface Round {
  readonly c: number;
  readonly ours: number;
}

/** Neighbouring values further apart than this belong to different groups. */
const GAP = 1.6;
/** Rounds a group needs to count. */
const FEWEST = 3;

export interface RoundGroup {
  readonly c: number;
  readonly ours: number;
  readonly rounds: number;
  /** Median over its rounds of ours / c. */
  readonly ratio: number;
}

export interface Judgement {
  /** Of the group with most rounds. */
  readonly ratio: number;
  readonly rounds: number;
  /** Those both sides share, ascending. */
  readonly groups: readonly RoundGroup[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/**
 * The median of the ratios per round. Where a wake-up is either fast or slow, or the CPUs are now near each other and now far,
 * whole rounds fall into groups; then only rounds with both sides in the same group are compared, each group by itself.
 */
export function judge(rounds: readonly Round[]): Judgement {
  const references = thresholds(rounds.map(({ c }) => c));
  const ours = thresholds(rounds.map((round) => round.ours));
  const place = (value: number, edges: readonly number[]): number => edges.filter((edge) => value >= edge).length;
  // Where one side alone shows groups, or not the same number, the reference tells them apart for both.
  const crossed = (round: Round): boolean =>
    references.length === ours.length && place(round.c, references) !== place(round.ours, ours);
  const found = [...references, Number.POSITIVE_INFINITY].map((_, group) =>
    rounds.filter((round) => place(round.c, references) === group && !crossed(round)),
  );
  const counted = found.filter(({ length }) => length >= FEWEST).map(summarize);
  const groups = counted.length > 0 ? counted : [summarize(rounds)];
  const most = groups.reduce((a, b) => (b.rounds > a.rounds ? b : a));
  return { ratio: most.ratio, rounds: most.rounds, groups };
}

function summarize(rounds: readonly Round[]): RoundGroup {
  return {
    c: median(rounds.map(({ c }) => c)),
    ours: median(rounds.map(({ ours }) => ours)),
    rounds: rounds.length,
    ratio: median(rounds.map(({ c, ours }) => ours / c)),
  };
}

/** The values that divide groups, ascending: the middle of each wide gap that has enough rounds on either side. */
function thresholds(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const edges: number[] = [];
  let from = 0;
  for (let i = FEWEST; i <= sorted.length - FEWEST; i++) {
    const [below, above] = [sorted[i - 1] as number, sorted[i] as number];
    if (above / below < GAP || i - from < FEWEST) continue;
    edges.push(Math.sqrt(above * below));
    from = i;
  }
  return edges;
}
