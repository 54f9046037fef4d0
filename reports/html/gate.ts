import { count } from "../../harness/results/format.ts";
import type { Report } from "../../harness/results/model.ts";
import { loadGateStyle } from "./assets.ts";
import { type ForestRow, forest } from "./forest.ts";
import { type Html, html } from "./markup.ts";
import { htmlPage } from "./page.ts";
import { type Fact, factsTable, machineFacts } from "./sections/machine.ts";
import { scrollBox } from "./sections/scroll.ts";
import { masthead, unbroken, warnings } from "./sections/verdict.ts";

/** One metric of one cell, in words. */
export interface GatePageRow extends ForestRow {
  readonly cell: string;
  readonly metric: string;
  readonly base: string;
  readonly head: string;
  readonly change: string;
  readonly interval: string;
  readonly sees: string;
  readonly pairs: string;
  readonly verdict: string;
  /** Reason why there are no figures; empty where there are. */
  readonly reason: string;
  readonly notes: readonly string[];
}

/** Result of a gate as the page shows it: `ci/gate/page.ts` makes it. */
export interface GatePage extends Pick<Report, "environment" | "startedAt"> {
  readonly sentence: string;
  /** Sentences on the record itself: it was interrupted, or its pairs give another result. */
  readonly notices: readonly string[];
  readonly rows: readonly GatePageRow[];
  readonly budgets: readonly string[];
  readonly warnings: readonly { readonly text: string }[];
  readonly facts: readonly Fact[];
  /** Files that the processes of each side loaded, under the name of the side. */
  readonly loaded: readonly (readonly [side: string, files: readonly string[]])[];
  readonly ipcmark: string;
}

/** Longest sentence of the head. A longer one is split: its parts are listed below the first of them. */
const LONGEST_HEAD = 120;

/** Renders one page that is complete in itself and has no script. */
export async function renderGate(gate: GatePage): Promise<string> {
  const [first = "", ...more] = gate.sentence.length > LONGEST_HEAD ? gate.sentence.split("; ") : [gate.sentence];
  const body = html`
<a class="skip" href="#main">Skip to the verdict</a>
<header class="page">${masthead(gate)}</header>
<main id="main" class="page">
<section id="verdict"><h1>${unbroken(first)}</h1>${more.length > 0 && list(more)}
${gate.notices.length > 0 && html`<aside class="warning"><b>About this record.</b>${list(gate.notices)}</aside>`}
${warnings(gate)}</section>
${gate.rows.length > 0 && rowsSection(gate.rows)}
${gate.rows.length > 0 && forestSection(gate.rows)}
${gate.budgets.length > 0 && html`<section id="budgets"><h2>Budgets</h2>${list(gate.budgets)}</section>`}
<section id="compared"><h2>What was compared, and where</h2>
${factsTable("What was compared", gate.facts)}
${loadedFiles(gate.loaded)}
<details><summary>The machine and its setting</summary>
${factsTable("Machine and setting", machineFacts(gate.environment))}</details></section>
</main>
<footer class="page">
<p>Written by ipcmark ${gate.ipcmark}. This file is complete in itself: it loads nothing and has no script.</p>
</footer>`;
  return htmlPage({ title: `ipcmark gate: ${gate.sentence}`, body, style: await loadGateStyle(), scripts: [] });
}

function list(texts: readonly string[]): Html {
  return html`<ul>${texts.map((text) => html`<li>${unbroken(text)}</li>`)}</ul>`;
}

/** Number of columns with figures, which a reason takes the place of. */
const FIGURES = 6;

function rowsSection(rows: readonly GatePageRow[]): Html {
  const table = html`<table>
<thead><tr><th scope="col" class="text">cell</th><th scope="col" class="text">metric</th><th scope="col">base</th>
<th scope="col">head</th><th scope="col">change</th><th scope="col">95 % interval</th><th scope="col">could see</th>
<th scope="col">pairs</th><th scope="col" class="text">verdict</th></tr></thead>
<tbody>${rows.map(tableRow)}</tbody></table>`;
  const notes = [...new Set(rows.flatMap(({ name, notes: of }) => of.map((text) => `${name}: ${text}`)))];
  return html`<section id="rows"><h2>Base against head</h2>
${scrollBox("Each cell and metric", table, CAPTION)}
${notes.length > 0 && list(notes)}</section>`;
}

const CAPTION =
  "Medians over the pairs. The change is the typical one within a pair (Hodges-Lehmann), so it need not be the " +
  "difference of the medians. Could see: the smallest slowdown that a gate of this length finds in 4 of 5 runs.";

function tableRow(row: GatePageRow): Html {
  const lead = html`<th scope="row">${row.cell}</th><td class="text">${row.metric}</td>`;
  const verdict = html`<td class="text verdict">${row.verdict}</td>`;
  if (row.reason !== "")
    return html`<tr class="${row.tone}">${lead}
<td class="text reason" colspan="${FIGURES}">${row.reason}</td>${verdict}</tr>`;
  return html`<tr class="${row.tone}">${lead}<td>${row.base}</td><td>${row.head}</td><td>${row.change}</td>
<td>${row.interval}</td><td>${row.sees}</td><td>${row.pairs}</td>${verdict}</tr>`;
}

function forestSection(rows: readonly GatePageRow[]): Html {
  return html`<section id="changes"><h2>Size of each change</h2>
<figure>${forest(rows)}
<figcaption>The head relative to the base: estimate and 95 % interval of the change. Right of the upright line is
worse. The shaded band ends at the tolerance of the row. A row passes where its bound, the short upright mark, lies in
the band or left of it: the bound is wider than the interval, since it pays for every look at the data. A hollow point
has no verdict. An arrow goes on beyond the edge.</figcaption></figure></section>`;
}

function loadedFiles(loaded: GatePage["loaded"]): Html {
  return html`${loaded.map(
    ([side, files]) => html`<details><summary>${side}: ${count(files.length, "file")}</summary>
<ol class="columns">${files.map((file) => html`<li><code>${file}</code></li>`)}</ol></details>`,
  )}`;
}
