import type { Report } from "../../../harness/results/model.ts";
import { RECORDED_NOTE, type RecordedRow, type RecordedTable, recordedTables } from "../../recorded.ts";
import { type Html, html } from "../markup.ts";
import { scrollBox } from "./scroll.ts";

/** Renders the latencies of recorded messages by group; nothing in a report without any. */
export function recordedSection(report: Report): Html | "" {
  const tables = recordedTables(report);
  if (tables.length === 0) return "";
  return html`<section id="recorded">
<h2>Your own messages</h2>
<p class="note">${RECORDED_NOTE}</p>
${tables.map(table)}
</section>`;
}

function table({ title, rows, missing }: RecordedTable): Html {
  const body = html`<table>
<thead><tr><th scope="col" class="text">messages</th><th scope="col">share</th>
<th scope="col">p50</th><th scope="col">p99</th></tr></thead>
${rows.map(rowsOf)}
<tbody>${missing.map(
    ({ transport, reason }) => html`<tr><th scope="row" class="text"><code>${transport}</code></th>
<td class="text" colspan="3">${reason}</td></tr>`,
  )}</tbody></table>`;
  return html`<h3>${title}</h3>
${scrollBox(`Your own messages: ${title}`, body)}`;
}

function rowsOf({ transport, all, groups }: RecordedRow): Html {
  const lines = [all, ...groups].map(
    ({ name, cells }) =>
      html`<tr><th scope="row" class="text">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  );
  return html`<tbody><tr><th scope="rowgroup" class="text" colspan="4"><code>${transport}</code></th></tr>
${lines}</tbody>`;
}
