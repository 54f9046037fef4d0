/** A round: what C and what we needed, in the same unit. */
export interface Round {
  readonly limit: number;
  readonly ours: number;
}

/** Neighbouring values further apart than this belong to different humps. */
const GAP = 1.6;
/** Rounds a hump needs on either side to count. */
const FEWEST = 3;

export interface Judgement {
  /** Median over the judged rounds of ours / limit. */
  readonly ratio: number;
  readonly rounds: number;
  /** One median per hump, ascending. */
  readonly limitHumps: readonly number[];
  readonly ourHumps: readonly number[];
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
 * The median of the ratios per round. Where a wake-up is either fast or slow, whole rounds fall into one of two humps;
 * then only rounds with both sides in the same hump are compared, in the hump most rounds share.
 */
export function judge(rounds: readonly Round[]): Judgement {
  const split = { limit: threshold(rounds.map(({ limit }) => limit)), ours: threshold(rounds.map(({ ours }) => ours)) };
  // One side alone may stay in one hump: the other's threshold tells which.
  const at = { limit: split.limit ?? split.ours, ours: split.ours ?? split.limit };
  const low = rounds.filter(({ limit, ours }) => limit < (at.limit ?? Infinity) && ours < (at.ours ?? Infinity));
  const high = rounds.filter(({ limit, ours }) => limit >= (at.limit ?? Infinity) && ours >= (at.ours ?? Infinity));
  const shared = [low, high].sort((a, b) => b.length - a.length)[0] as Round[];
  const judged = shared.length >= FEWEST ? shared : rounds;
  return {
    ratio: median(judged.map(({ limit, ours }) => ours / limit)),
    rounds: judged.length,
    limitHumps: humps(
      rounds.map(({ limit }) => limit),
      split.limit,
    ),
    ourHumps: humps(
      rounds.map(({ ours }) => ours),
      split.ours,
    ),
  };
}

/** The value that divides two humps: the middle of the widest gap, when each side of it has enough rounds. */
function threshold(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  let widest = GAP;
  let found: number | undefined;
  for (let i = FEWEST; i <= sorted.length - FEWEST; i++) {
    const [below, above] = [sorted[i - 1] as number, sorted[i] as number];
    if (above / below < widest) continue;
    widest = above / below;
    found = Math.sqrt(above * below);
  }
  return found;
}

function humps(values: readonly number[], at: number | undefined): number[] {
  if (at === undefined) return [median(values)];
  return [median(values.filter((value) => value < at)), median(values.filter((value) => value >= at))];
}
