import type { ClaimResult, Report } from "../../../harness/results/model.ts";
import { type Html, html } from "../markup.ts";
import { scrollBox } from "./scroll.ts";

/** What is commonly said of the mechanisms, and whether this machine bears it out. Left out where none was tested. */
export function claimsSection(report: Report): Html | "" {
  const claims = report.claims ?? [];
  if (claims.length === 0) return "";
  const table = html`<table>
<thead><tr><th scope="col" class="text">held here?</th><th scope="col" class="text">claim</th><th scope="col" class="text">evidence</th></tr></thead>
<tbody>${claims
    .toSorted((a, b) => order(a) - order(b))
    .map(
      (claim) =>
        html`<tr class="${claim.held === false ? "bad" : ""}"><td class="text">${answer(claim)}</td><td class="text prose">${claim.statement}</td><td class="text prose">${claim.evidence}</td></tr>`,
    )}</tbody></table>`;
  return html`<section id="claims"><h2>Claims put to the test</h2>${scrollBox("Claims", table)}</section>`;
}

function answer(claim: ClaimResult): string {
  if (claim.held === null || claim.held === undefined) return "? undecided";
  return claim.held ? "✓ held" : "✗ did not hold";
}

function order(claim: ClaimResult): number {
  return claim.held === false ? 0 : claim.held ? 2 : 1;
}
