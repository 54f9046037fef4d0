/** Times of C and of ours in one round, in the same unit. */
export interface Round {
  readonly c: number;
  readonly ours: number;
}

/** Gap between groups: neighbouring values with a larger ratio belong to different groups. */
const GAP = 1.6;
/** Fewest rounds of a group that counts. */
const FEWEST = 3;

export interface RoundGroup {
  readonly c: number;
  readonly ours: number;
  readonly rounds: number;
  /** Median over its rounds of ours / c. */
  readonly ratio: number;
}

export interface Judgement {
  /** Ratio of the group with most rounds. */
  readonly ratio: number;
  readonly rounds: number;
  /** Groups that both sides share, ascending. */
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
 * Returns the median of the ratios per round. Where wake-ups are fast or slow, or the CPUs near or far, rounds fall
 * into groups. Then only rounds with both sides in the same group are compared, each group by itself.
 */
export function judge(rounds: readonly Round[]): Judgement {
  const references = thresholds(rounds.map(({ c }) => c));
  const ours = thresholds(rounds.map((round) => round.ours));
  const place = (value: number, edges: readonly number[]): number => edges.filter((edge) => value >= edge).length;
  // Where one side alone shows groups, or another number of them, the reference divides both.
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

/** Returns the values that divide groups, ascending: the middle of each wide gap with enough rounds on either side. */
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
