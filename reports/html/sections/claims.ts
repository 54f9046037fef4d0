import type { Report } from "../../../harness/results/model.ts";
import { CLAIMS_NOTE, type ClaimLines, claimLines, claimsSummary } from "../../claims.ts";
import { type Html, html } from "../markup.ts";
import { scrollBox } from "./scroll.ts";
import { unbroken } from "./verdict.ts";

/** Renders the claims that the run tested; nothing where it tested none. */
export function claimsSection(report: Report): Html | "" {
  const claims = claimLines(report);
  if (claims.length === 0) return "";
  const table = html`<table id="claims-table">
<thead><tr><th scope="col" class="text">claim</th><th scope="col" class="text">verdict</th>
<th scope="col" class="text">figures</th></tr></thead>
<tbody>${claims.map(row)}</tbody></table>`;
  return html`<section id="claims">
<h2>Published claims, tested</h2>
${report.pick !== null && html`<p>${claimsSummary(claims)}.</p>`}
${scrollBox("Claims with their verdicts", table)}
<p class="note">${CLAIMS_NOTE}</p>
</section>`;
}

function row({ id, text, mark, verdict, parts, origin }: ClaimLines): Html {
  const claim = html`${unbroken(text)}<br><small>${origin}</small>`;
  return html`<tr id="claim-${id}"><th scope="row" class="text prose">${claim}</th>
<td class="text reason">${mark} ${unbroken(verdict)}</td>
<td class="text prose">${parts.map((part) => html`<div>${unbroken(part)}</div>`)}</td></tr>`;
}
