import type { Report } from "../../../harness/results/model.ts";
import {
  NEED_SIGNS,
  type NeedReason,
  type NeedStanding,
  type NeedsMatrix,
  type NeedsRow,
  needReasons,
  needsOf,
} from "../../needs.ts";
import { type Html, html } from "../markup.ts";
import { scrollBox } from "./scroll.ts";

/** Renders each mechanism against each need, the candidates of the question first; nothing without records. */
export function needsSection(report: Report): Html | "" {
  const found = needsOf(report);
  if (found === undefined) return "";
  const { columns, candidates, others } = found;
  const asked = columns.filter(({ isAsked }) => isAsked).map(({ need }) => need);
  return html`<section id="needs">
<h2>Needs</h2>
<p>${
    asked.length > 0
      ? html`This question asked for <b>${asked.join(", ")}</b>: the first columns. The others are what else could be
asked for, with its default value.`
      : "This question asked for none. Each column is a need that could be asked for, with its default value."
  }</p>
${legend()}
${candidates.length > 0 && matrix("Candidates against needs", found, candidates)}
${candidates.length > 0 && reasons(needReasons(found, candidates))}
${
  others.length > 0 &&
  html`<details><summary>Mechanisms that are no candidates: ${others.length}</summary>
${matrix("Other mechanisms against needs", found, others)}
${reasons(needReasons(found, others))}</details>`
}
<details><summary>The needs in words</summary><dl class="reasons">
${columns.map(({ need, sentence }) => html`<dt><code>${need}</code></dt><dd>The mechanism ${sentence}.</dd>`)}</dl>
</details>
</section>`;
}

function legend(): Html {
  return html`<ul class="note key">${Object.values(NEED_SIGNS).map(
    ({ sign, words }) => html`<li><b>${sign}</b> ${words}</li>`,
  )}</ul>`;
}

function matrix(label: string, { columns }: NeedsMatrix, rows: readonly NeedsRow[]): Html {
  const table = html`<table class="matrix needs">
<thead><tr><td></td>${columns.map(
    ({ need, isAsked }) =>
      html`<th scope="col"${isAsked && html` class="asked"`}><span class="upright">${need}</span></th>`,
  )}</tr></thead>
<tbody>${rows.map(
    ({ transport, standings }) =>
      html`<tr><th scope="row"><code>${transport}</code></th>${standings.map(standingCell)}</tr>\n`,
  )}</tbody></table>`;
  return scrollBox(label, table);
}

/** Meaning of a sign for those who do not see it: short, since a page has a thousand of them. */
const SPOKEN: Readonly<Record<NeedStanding["kind"], string>> = {
  shown: "shown",
  record: "",
  cannot: "",
  refuted: "refuted",
  machine: "not on this machine",
  run: "not examined",
};

function standingCell({ kind }: NeedStanding): Html {
  const { sign } = NEED_SIGNS[kind];
  const spoken = SPOKEN[kind];
  if (spoken === "") return html`<td class="${kind}">${sign}</td>`;
  return html`<td class="${kind}" aria-label="${spoken}">${sign}</td>`;
}

function reasons(found: readonly NeedReason[]): Html | "" {
  if (found.length === 0) return "";
  return html`<details><summary>Ruled out or not examined, by what</summary><dl class="reasons">${found.map(
    ({ kind, need, reason, transports }) =>
      html`<dt><b>${NEED_SIGNS[kind].sign}</b> <code>${need}</code>: ${reason}</dt><dd>${transports.join(", ")}</dd>`,
  )}</dl></details>`;
}
