// Ticks of an axis: round ones, as many as have room.

/** Smallest number of ticks of 1, 2 and 5 on a log axis. */
const LEAST_TICKS = 3;
/** Least distance of two ticks, px: room for `500 ms` beside one another, for a line below one another. */
const ROOM = { across: 44, down: 17 };
/** Share of a chart that its plot has at least; the rest is for texts. */
const PLOT_SHARE = 0.7;

/**
 * Keeps 1, 2 and 5 of each decade; over a short range, where they are too few, all numbers of two digits. So there are
 * no ticks at the ends of a range that is given, and Chart.js leaves out none of the round ones for others.
 *
 * @param {readonly number[]} all @returns {readonly number[]}
 */
export function roundTicks(all) {
  const round = all.filter((value) => [1, 2, 5].some((lead) => Math.abs(leadOf(value) - lead) < 1e-6));
  if (round.length >= LEAST_TICKS) return round;
  const short = all.filter((value) => Math.abs(10 * leadOf(value) - Math.round(10 * leadOf(value))) < 1e-6);
  return short.length > 0 ? short : all;
}

/** Returns the number before the power of ten: 2.5 of 250. @param {number} value */
function leadOf(value) {
  return value / 10 ** Math.floor(Math.log10(value) + 1e-9);
}

/**
 * Returns the ticks within the range of an axis that leave room for their texts, the last one first of all: Chart.js
 * draws ticks beyond the range too, and one over the other.
 *
 * @typedef {{ min: number, max: number, chart: { width: number, height: number }, isHorizontal: () => boolean }} Scale
 * @param {readonly number[]} ticks in ascending order @param {Scale} scale @param {boolean} isLogarithmic
 * @returns {number[]}
 */
export function roomyTicks(ticks, scale, isLogarithmic) {
  const { min, max, chart } = scale;
  const place = isLogarithmic ? Math.log : Number;
  const [length, room] = scale.isHorizontal() ? [chart.width, ROOM.across] : [chart.height, ROOM.down];
  const pixels = (PLOT_SHARE * length) / (place(max) - place(min) || 1);
  let next = Number.POSITIVE_INFINITY;
  const kept = ticks
    .filter((value) => value >= min && value <= max)
    .reverse()
    .filter((value) => {
      const hasRoom = (next - place(value)) * pixels >= room;
      if (hasRoom) next = place(value);
      return hasRoom;
    });
  return kept.reverse();
}
