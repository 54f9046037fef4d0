// Places of names beside the marks of a plot, none over another.

/** @typedef {{ left: number, top: number, right: number, bottom: number }} Box */
/** @typedef {{ x: number, y: number, width: number, height: number }} Label the centre of its mark, and its size; px */

/** Distances of a name from its mark that are tried in this order, px. From the third on, a line joins the two. */
const DISTANCES = [8, 14, 24, 38];
const LEADER_FROM = 24;
/** Half the side of the square that a mark covers, px. */
const MARK = 6;
const DIAGONAL = 0.75;
const DIRECTIONS = /** @type {const} */ ([
  [1, 0],
  [-1, 0],
  [0, -1],
  [0, 1],
  [DIAGONAL, -DIAGONAL],
  [DIAGONAL, DIAGONAL],
  [-DIAGONAL, -DIAGONAL],
  [-DIAGONAL, DIAGONAL],
]);

/**
 * Returns the box of each name, first come first served; null where all places near its mark are taken.
 *
 * @param {readonly Label[]} labels the most important first @param {Box} area
 * @param {readonly Box[]} [obstacles] what no name may cover besides the marks
 * @returns {({ box: Box, hasLeader: boolean } | null)[]}
 */
export function placeLabels(labels, area, obstacles = []) {
  const marks = labels.map(({ x, y }) => ({ left: x - MARK, top: y - MARK, right: x + MARK, bottom: y + MARK }));
  const taken = [...obstacles, ...marks];
  return labels.map((label) => {
    for (const distance of DISTANCES) {
      for (const direction of DIRECTIONS) {
        const box = boxAt(label, distance, direction);
        if (!isInside(box, area) || taken.some((other) => overlaps(box, other))) continue;
        taken.push(box);
        return { box, hasLeader: distance >= LEADER_FROM };
      }
    }
    return null;
  });
}

/** @param {Label} label @param {number} distance @param {readonly [number, number]} direction @returns {Box} */
function boxAt({ x, y, width, height }, distance, [right, down]) {
  const left = x + right * distance + (right > 0 ? 0 : right < 0 ? -width : -width / 2);
  const top = y + down * distance + (down > 0 ? 0 : down < 0 ? -height : -height / 2);
  return { left, top, right: left + width, bottom: top + height };
}

/** @param {Box} box @param {Box} area */
function isInside(box, area) {
  return box.left >= area.left && box.right <= area.right && box.top >= area.top && box.bottom <= area.bottom;
}

/** @param {Box} one @param {Box} other */
function overlaps(one, other) {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}
