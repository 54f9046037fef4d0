import { duration, oneLine } from "../../../harness/results/format.ts";
import type { CheckResult, Report } from "../../../harness/results/model.ts";
import {
  checkMatrix,
  checkRowName,
  checkSummary,
  failedChecks,
  reasonsByText,
  STATUS_MARKS,
} from "../../check-groups.ts";
import { noteText } from "../../check-notes.ts";
import { CONTAINER_NOTE, CONTAINER_TITLES, containerRows } from "../../containers.ts";
import { type Html, html } from "../markup.ts";
import { scrollBox } from "./scroll.ts";

/** Renders failures with their reasons, then the matrix, then reasons why checks did not apply. */
export function checksSection(report: Report): Html {
  const { checks } = report;
  if (checks.length === 0) return html`<section id="checks"><h2>Checks</h2><p>No check ran.</p></section>`;
  const failed = failedChecks(checks);
  return html`<section id="checks">
<h2>Checks</h2>
<p>${checkSummary(report)}. Speed counts only together with behaviour:
a mechanism that failed here can lose, mix up or leave behind messages.</p>
${failed.map(failure)}
${matrix(checks)}
${containers(checks)}
${reasonList(checks, "unavailable", "Unavailable here")}
${reasonList(checks, "not-applicable", "Not applicable, and why")}
${reasonList(checks, "not-examined", "Not examined, and why")}
</section>`;
}

function failure(check: CheckResult): Html {
  return html`<article class="failure"><h3>✗ <code>${checkRowName(check)}</code> fails ${check.scenario}</h3>
<p>Claim: ${check.title}</p>
<p class="reason">${oneLine(check.reason ?? check.error ?? "no reason recorded")}</p>
${check.error && html`<details><summary>Full error</summary><pre>${check.error}</pre></details>`}</article>`;
}

function matrix(checks: readonly CheckResult[]): Html {
  const { checks: columns, rows } = checkMatrix(checks);
  const table = html`<table class="matrix">
<thead><tr><td></td>
${columns.map((check, index) => html`<th scope="col" title="${check.id}: ${check.title}">${index + 1}</th>`)}
</tr></thead>
<tbody>${rows.map(
    (row) => html`<tr><th scope="row"><code>${row.name}</code></th>
    ${columns.map((check) => cell(row.results.get(check.id)))}</tr>
`,
  )}</tbody></table>`;
  const key =
    "✓ passed. ✗ failed: the mechanism cannot. ? this machine cannot run the check or the mechanism. – the claim " +
    "does not exist for such a mechanism. Blank: not examined in this run. The columns are explained below.";
  return html`${scrollBox("Matrix of checks", table, key)}
<ol class="columns">${columns.map((check) => html`<li><code>${check.id}</code> ${check.title}</li>`)}</ol>`;
}

/** Renders what two containers have to share; nothing in a report that did not try it. */
function containers(checks: readonly CheckResult[]): Html | "" {
  const rows = containerRows(checks);
  if (rows.length === 0) return "";
  const table = html`<table id="containers-table">
<thead><tr>${CONTAINER_TITLES.map((title) => html`<th scope="col" class="text">${title}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([name, ...cells]) => html`<tr><th scope="row" class="text"><code>${name}</code></th>
${cells.map((text) => html`<td class="text prose">${text}</td>`)}</tr>`,
  )}</tbody></table>`;
  return html`<h3>Between containers</h3><p class="note">${CONTAINER_NOTE}</p>${scrollBox("Containers", table)}`;
}

function cell(result: CheckResult | undefined): Html {
  if (!result) return html`<td><span class="hidden">not run</span></td>`;
  const notes = Object.entries(result.notes ?? {}).map(([name, value]) => noteText(name, value));
  const took = !result.durationMs ? "" : duration(result.durationMs * 1e6);
  const detail = [result.status, result.reason, ...notes, took].filter(Boolean).join("; ");
  const mark = STATUS_MARKS[result.status];
  return html`<td class="${result.status}" title="${detail}"><span aria-hidden="true">${mark}</span>
<span class="hidden">${detail}</span></td>`;
}

function reasonList(
  checks: readonly CheckResult[],
  status: Exclude<CheckResult["status"], "passed" | "failed">,
  title: string,
): Html | "" {
  const groups = reasonsByText(checks, status);
  if (groups.length === 0) return "";
  return html`<details><summary>${title}</summary><dl class="reasons">${groups.map(
    (group) =>
      html`<dt>${group.reason}</dt>
      <dd>${group.transports.join(", ")} <span class="quiet">(${group.checks.join(", ")})</span></dd>`,
  )}</dl></details>`;
}
