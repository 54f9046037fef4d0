import { type Html, html } from "../markup.ts";

/** Renders the frame of the plot of two costs with the meaning of its marks; the script fills it. */
export function axesSection(): Html {
  return html`<section id="axes">
<h2>Latency against cost</h2>
<p class="choice"><label>Cost <select id="axes-cost"></select></label></p>
<p class="finding" id="axes-finding" aria-live="polite"></p>
<figure><div class="plot"><canvas id="axes-chart" role="img" aria-label="Latency against cost"></canvas></div>
<figcaption id="axes-caption"></figcaption></figure>
<p class="note" id="axes-note"></p>
<ul class="note key">
<li><b>◎</b> on the front: ratios within the same rounds show, for each other row, that it is better in one of
the two.</li>
<li><b>?</b> behind a name: this run cannot tell whether it is on the front.</li>
<li><b>•</b> small: ratios show that another row is better in both.</li>
<li>The line joins the rows that no other beats in both medians. Upright lines are 95 % intervals.</li>
</ul>
<ul class="note" id="axes-missing"></ul>
<details><summary>The same numbers as a table</summary>
<div class="scroll" id="axes-table" tabindex="0" role="region" aria-label="Latency against cost: the same numbers">
</div></details>
</section>`;
}
