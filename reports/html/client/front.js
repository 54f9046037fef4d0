// The front of two costs: rows that no other beats in both.
import { compareRounds, toldSide } from "../../../harness/results/ranking.ts";

/**
 * A row with two costs, smaller is better, and each of them round by round.
 *
 * @typedef {{ name: string, x: number, y: number, xRounds: ReadonlyMap<number, number>,
 *   yRounds: ReadonlyMap<number, number> }} Spot
 */
/**
 * `front`: ratios within the same rounds show the row to be better than each other row in at least one cost. `beaten`:
 * another row, `by`, is shown to be better in both. `open`: this run cannot tell.
 *
 * @typedef {{ spot: Spot, place: "front" | "beaten" | "open", by: string }} Placed
 */

/**
 * Places each row. An interval that contains 1, or fewer than 6 common rounds, shows nothing.
 *
 * @param {readonly Spot[]} spots @returns {Placed[]} in the order of `spots`
 */
export function placed(spots) {
  // Each pair is compared once: with 45 rows the comparisons take most of the time of a plot.
  const sides = spots.map((one, at) =>
    spots.slice(0, at).map((other) => [told(one.xRounds, other.xRounds), told(one.yRounds, other.yRounds)]),
  );
  return spots.map((spot, at) => {
    const others = spots
      .map((other, index) => ({
        other,
        costs: (index < at ? sides[at]?.[index] : sides[index]?.[at]?.map((side) => -side)) ?? [],
      }))
      .filter(({ other }) => other !== spot);
    const [strongest] = others
      .filter(({ costs }) => costs.every((side) => side === -1))
      .sort((a, b) => a.other.x * a.other.y - b.other.x * b.other.y);
    if (strongest) return { spot, place: "beaten", by: strongest.other.name };
    const isFront = others.every(({ costs }) => costs.includes(1));
    return { spot, place: isFront ? "front" : "open", by: "" };
  });
}

/**
 * Returns the side with the lower cost by ratios within the same rounds: 1 the first, -1 the other, 0 not told apart.
 *
 * @param {ReadonlyMap<number, number>} one @param {ReadonlyMap<number, number>} other
 */
const told = (one, other) => toldSide(compareRounds(one, other).interval);

/**
 * Returns the rows that no other beats in both medians, by their first cost: the line of the front.
 *
 * @template {{ x: number, y: number }} Point @param {readonly Point[]} points @returns {Point[]}
 */
export function frontLine(points) {
  let lowest = Number.POSITIVE_INFINITY;
  return [...points]
    .sort((a, b) => a.x - b.x || a.y - b.y)
    .filter(({ y }) => {
      const isLower = y < lowest;
      lowest = Math.min(lowest, y);
      return isLower;
    });
}
