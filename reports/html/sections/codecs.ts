import type { Report } from "../../../harness/results/model.ts";
import {
  CODEC_COLUMNS,
  CODEC_NOTE,
  type CodecGroup,
  type CodecLine,
  codecGroups,
  unsteadyNote,
} from "../../codec-table.ts";
import { type Html, html } from "../markup.ts";
import { scrollBox } from "./scroll.ts";

/** Renders the codecs' own cost; nothing in a report that did not measure it. */
export function codecsSection(report: Pick<Report, "codecs">): Html | "" {
  const groups = codecGroups(report);
  if (groups.length === 0) return "";
  return html`<section id="codecs">
<h2>Codecs alone</h2>
<p class="note">${CODEC_NOTE}</p>
${groups.some(({ lines }) => lines.some((line) => line.unsteady)) && html`<p class="note">${unsteadyNote("⚠")}</p>`}
${groups.map(group)}
</section>`;
}

function group({ corpus, title, lines }: CodecGroup): Html {
  const [name, ...columns] = CODEC_COLUMNS;
  const table = html`<table id="codecs-${corpus}">
<thead><tr><th scope="col" class="text">${name}</th>
${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${lines.map((line) => row(line, columns.length))}</tbody></table>`;
  return html`<h3>${title}</h3>
${scrollBox(`Codecs: ${title}`, table)}`;
}

function row({ name, cells, reason, unsteady }: CodecLine, columns: number): Html {
  const lead = html`<th scope="row" class="text"><code>${name}</code>${unsteady && " ⚠"}</th>`;
  if (cells === undefined) return html`<tr>${lead}<td class="text" colspan="${columns}">${reason}</td></tr>`;
  return html`<tr>${lead}${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
}
