import type { Report } from "../../../harness/results/model.ts";
import { quickNote } from "../../labels.ts";
import { type Html, html } from "../markup.ts";

/** Renders the frame of the ranking by size, which the script fills. */
export function rankingSection(report: Report): Html {
  const quick = quickNote(report);
  return html`<section id="ranking">
<h2>Ranking</h2>
${quick !== "" && html`<p class="note">${quick}</p>`}
<h3 id="ranking-title">By message size</h3>
<p class="note">One placement, one waiting class, one size at a time: numbers of different classes or placements answer
different questions and are never ranked against each other. The plot shows the ratio to the best with its 95 %
interval. A row whose bar reaches the line at 1 is a <em>tie</em>: this run does not tell it from the best.</p>
<p class="caption" id="ranking-caption"></p>
<div id="ranking-table" class="scroll" tabindex="0" role="region" aria-labelledby="ranking-title" aria-live="polite">
</div>
<details id="missing"></details>
<ul id="ranking-notes" class="note"></ul>
</section>`;
}
