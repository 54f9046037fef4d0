import { ofNodeClients } from "../../harness/results/languages.ts";
import type { Report } from "../../harness/results/model.ts";
import { renderCsv } from "../csv.ts";
import { baselineIds } from "../labels.ts";
import { loadAssets } from "./assets.ts";
import { answerable, embeddable } from "./embed.ts";
import { type Html, html, jsonForScript } from "./markup.ts";
import { htmlPage } from "./page.ts";
import { axesSection } from "./sections/axes.ts";
import { changesSection } from "./sections/changes.ts";
import { checksSection } from "./sections/checks.ts";
import { choiceLine } from "./sections/choice.ts";
import { claimsSection } from "./sections/claims.ts";
import { codecsSection } from "./sections/codecs.ts";
import { contents } from "./sections/contents.ts";
import { controls } from "./sections/controls.ts";
import { curvesSection } from "./sections/curves.ts";
import { detailsSection } from "./sections/details.ts";
import { figureSections } from "./sections/figures.ts";
import { machineSection } from "./sections/machine.ts";
import { methodSection } from "./sections/method.ts";
import { needsSection } from "./sections/needs.ts";
import { pairsSection } from "./sections/pairs.ts";
import { rankingSection } from "./sections/ranking.ts";
import { rawSection } from "./sections/raw.ts";
import { recordedSection } from "./sections/recorded.ts";
import { masthead, verdict } from "./sections/verdict.ts";
import { viewOf } from "./view.ts";

/**
 * Renders one self-contained page: no request leaves it, so it opens from `file://` with the network off.
 * Reads any report of this schema; whatever an older one lacks is shown as not recorded.
 */
export async function renderHtml(whole: Report): Promise<string> {
  const assets = await loadAssets();
  const embedded = embeddable(whole);
  const report = baselinesLast(ofNodeClients(whole));
  const measured = report.measurements.length > 0;
  const sections = html`
${verdict(report)}
${claimsSection(report)}
${changesSection(report)}
${
  measured &&
  html`<div id="chosen">${controls()}
${choiceLine()}
${rankingSection(report)}
${axesSection()}
${figureSections()}</div>`
}
${curvesSection(report)}
${measured && detailsSection(report)}
${recordedSection(report)}
${pairsSection(whole)}
${codecsSection(report)}
${needsSection(report)}
${checksSection(report)}
${machineSection(report)}
${methodSection(report)}
${rawSection(report, embedded.note)}`;
  const body = html`
<a class="skip" href="#main">Skip to the report</a>
<header class="page">${masthead(report)}</header>
${contents(sections)}
<main id="main" class="page">${sections}
</main>
<footer class="page">
<p>Written by ipcmark ${report.environment.ipcmark}. This file is complete in itself: it loads nothing.</p>
</footer>
${viewData(report)}
<script type="application/json" id="report">${jsonForScript(embedded.report)}</script>
<script type="application/json" id="answerable">${jsonForScript(answerable(report))}</script>
<script type="application/json" id="csv">${jsonForScript(renderCsv(whole))}</script>`;
  return htmlPage({ title: titleOf(report), body, style: assets.style, scripts: [assets.chartJs, assets.client] });
}

/** Renders what the script works on, with the cells of each placement apart: together they take long to read. */
function viewData(report: Report): Html {
  const { cells, ...view } = viewOf(report);
  const parts: [string, unknown][] = view.placements.map(({ id }) => [
    `cells-${id}`,
    cells.filter(({ placement }) => placement === id),
  ]);
  return html`${[["view", view] as const, ...parts].map(
    ([id, data]) => html`<script type="application/json" id="${id}">${jsonForScript(data)}</script>
`,
  )}`;
}

function titleOf({ pick, recheck }: Report): string {
  if (recheck) return `ipcmark: recheck of ${recheck.chosen}`;
  return `ipcmark: ${pick ? `${pick.transport} picked` : "comparison of IPC mechanisms"}`;
}

/** Puts rows of baselines behind all others: they cross no process boundary, so they are no choice. */
function baselinesLast(report: Report): Report {
  const baselines = baselineIds(report);
  const last = <Row>(rows: readonly Row[], idOf: (row: Row) => string): Row[] =>
    rows.toSorted((a, b) => Number(baselines.has(idOf(a))) - Number(baselines.has(idOf(b))));
  const byTransport = <Row extends { readonly transport: string }>(rows: readonly Row[]): Row[] =>
    last(rows, ({ transport }) => transport);
  const { transports, checks, measurements, curves } = report;
  return {
    ...report,
    transports: last(transports, ({ id }) => id),
    checks: byTransport(checks),
    measurements: byTransport(measurements),
    ...(curves === undefined ? {} : { curves: byTransport(curves) }),
  };
}
