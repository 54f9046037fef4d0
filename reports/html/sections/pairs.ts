import type { Report } from "../../../harness/results/model.ts";
import { PAIRS_NOTE, type PairLine, type PairTable, pairTables } from "../../pairs.ts";
import { type Html, html } from "../markup.ts";
import { scrollBox } from "./scroll.ts";

/** Renders the pairs of languages; nothing in a report without a client in another language. */
export function pairsSection(report: Report): Html | "" {
  const tables = pairTables(report);
  if (tables.length === 0) return "";
  return html`<section id="pairs">
<h2>Pairs of languages</h2>
<p class="note">${PAIRS_NOTE}</p>
${tables.map(placement)}
</section>`;
}

function placement({ title, columns, mechanisms }: PairTable): Html {
  const table = html`<table>
<thead><tr><th scope="col" class="text">client → server</th><th scope="col" class="text">waits</th>
${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
${mechanisms.map(
  ({ transport, lines }) => html`<tbody>
<tr><th scope="rowgroup" class="text" colspan="${columns.length + 2}"><code>${transport}</code></th></tr>
${lines.map((line) => row(line, columns.length))}</tbody>`,
)}</table>`;
  return html`<h3>${title}</h3>
${scrollBox(`Pairs of languages: ${title}`, table)}`;
}

function row({ name, waits, cells, reason }: PairLine, columns: number): Html {
  const lead = html`<th scope="row" class="text">${name}</th><td class="text">${waits}</td>`;
  if (cells === undefined) return html`<tr>${lead}<td class="text" colspan="${columns}">${reason}</td></tr>`;
  return html`<tr>${lead}${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
}
