// Eight colours that stay apart for colour-blind readers (after Okabe and Ito), and a second sign for everything:
// point shape and dash, so that a black-and-white print can be read too.
const COLOURS = 8;
const POINTS = /** @type {const} */ (["circle", "rect", "triangle", "rectRot", "crossRot", "star", "cross"]);
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]];

/**
 * Neighbours differ in all three signs. Each round of colours moves on by one more dash and point, so that no two of 24
 * share any two of the signs: where a figure has no lines, or a print no colours, the other two still separate them.
 * @param {number} index
 */
export function signsOf(index) {
  const round = Math.floor(index / COLOURS);
  return {
    colour: index % COLOURS,
    point: POINTS[(index + round) % POINTS.length] ?? "circle",
    dash: DASHES[(index + round) % DASHES.length] ?? [],
  };
}
