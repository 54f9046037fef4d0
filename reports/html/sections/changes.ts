import { count } from "../../../harness/results/format.ts";
import type { Report } from "../../../harness/results/model.ts";
import { type ChangeLine, changesText, type UncomparedLine } from "../../changes.ts";
import { type Html, html } from "../markup.ts";
import { scrollBox } from "./scroll.ts";
import { unbroken } from "./verdict.ts";

/** Renders what changed since the report of `--against`; nothing where none was named. */
export function changesSection({ against }: Report): Html | "" {
  if (against === undefined) return "";
  const { head, sentences, changed, notToldApart, notComparable } = changesText(against);
  return html`<section id="against">
<h2>${head}</h2>
${sentences.map((sentence) => html`<p>${unbroken(sentence)}</p>`)}
${changed.length > 0 && scrollBox("Cells that became slower or faster", table(changed))}
${notToldApart.length > 0 && folded(`${count(notToldApart.length, "cell")} not told apart`, table(notToldApart))}
${
  notComparable.length > 0 && folded(`${count(notComparable.length, "cell")} not comparable`, uncompared(notComparable))
}
</section>`;
}

function folded(title: string, body: Html): Html {
  return html`<details><summary>${title}</summary>${scrollBox(title, body)}</details>`;
}

function table(lines: readonly ChangeLine[]): Html {
  return html`<table>
<thead><tr><th scope="col" class="text">mechanism</th><th scope="col" class="text">cell</th><th scope="col">before</th>
<th scope="col">now</th><th scope="col">now / before</th><th scope="col" class="text">rounds</th>
<th scope="col" class="text">verdict</th></tr></thead>
<tbody>${lines.map(
    ({ name, cell, before, now, ratio, pairing, verdict }) => html`<tr>
<th scope="row" class="text"><code>${name}</code></th><td class="text">${cell}</td><td>${before}</td><td>${now}</td>
<td>${ratio}</td><td class="text">${pairing}</td><td class="text">${verdict}</td></tr>`,
  )}</tbody></table>`;
}

function uncompared(lines: readonly UncomparedLine[]): Html {
  return html`<table>
<thead><tr><th scope="col" class="text">mechanism</th><th scope="col" class="text">cell</th>
<th scope="col" class="text">not comparable because</th></tr></thead>
<tbody>${lines.map(
    ({ name, cell, reason }) => html`<tr><th scope="row" class="text"><code>${name}</code></th>
<td class="text">${cell}</td><td class="text reason">${unbroken(reason)}</td></tr>`,
  )}</tbody></table>`;
}
