import { type Html, html, trusted } from "../markup.ts";

interface Figure {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** Figures in the order of a review: order by size, the tail, stability, capacity. */
const FIGURES: readonly Figure[] = [
  {
    id: "sizes",
    title: "Where the order flips by size",
    text:
      "Median round trip against message size, both axes logarithmic; whiskers are 95 % intervals. A number marks " +
      "where two rows change places: ratios within the same rounds tell them apart on both sides. A ? marks where " +
      "only the medians do, so that this run cannot tell.",
  },
  {
    id: "percentiles",
    title: "The whole distribution",
    text:
      "All trials merged. The horizontal axis is 1/(1−p), so that each step to the right is ten times rarer; " +
      "a line ends where fewer than 20 samples lie beyond.",
  },
  {
    id: "trials",
    title: "Trial by trial",
    text:
      "Each point is the median of one fresh pair of processes. A slope is drift of the machine; two bands are a " +
      "mechanism that settles differently from start to start. Invalid trials are named, not drawn.",
  },
  {
    id: "throughput",
    title: "Throughput",
    text: "Messages per second in one direction, clock stopped at the receiver, by message size.",
  },
  {
    id: "growth",
    title: "Load, depth and clients",
    text:
      "Cost against what varies in the chosen benchmark: offered rate, messages in flight, or client processes. " +
      "Numbers and ? as above. An upright bar is the knee: the last rate that a row followed with a median below " +
      "three times that at the lowest rate.",
  },
];

/** Figures whose lines may change places. */
const TURNING = ["sizes", "growth"];

/** Renders the frames of lists of changes: those marked by their numbers, the rest, and those that are open. */
function turns(id: string): Html {
  return html`<ol class="turns" id="${id}-turns"></ol>
<details id="${id}-more" hidden></details>
<details id="${id}-open" hidden></details>`;
}

/** Renders canvases, each with a table of the same numbers; the script fills both. */
export function figureSections(): Html[] {
  return FIGURES.map(
    ({ id, title, text }) => html`<section id="${id}"${id === "growth" && trusted(" hidden")}>
<h2>${title}</h2>
<p class="note">${text}</p>
<p class="finding" id="${id}-finding" aria-live="polite"></p>
<figure><div class="plot"><canvas id="${id}-chart" role="img" aria-label="${title}"></canvas></div>
<figcaption id="${id}-caption"></figcaption></figure>
${TURNING.includes(id) && turns(id)}
<details><summary>The same numbers as a table</summary>
<div class="scroll" id="${id}-table" tabindex="0" role="region" aria-label="${title}: the same numbers as a table">
</div>
</details>
</section>`,
  );
}
