import type { Report } from "../../harness/results/model.ts";
import { type Assets, cspHash, loadAssets } from "./assets.ts";
import { embeddable } from "./embed.ts";
import { type Html, html, jsonForScript, trusted } from "./markup.ts";
import { checksSection } from "./sections/checks.ts";
import { codecsSection } from "./sections/codecs.ts";
import { controls } from "./sections/controls.ts";
import { curvesSection } from "./sections/curves.ts";
import { detailsSection } from "./sections/details.ts";
import { figureSections } from "./sections/figures.ts";
import { machineSection } from "./sections/machine.ts";
import { methodSection } from "./sections/method.ts";
import { rankingSection } from "./sections/ranking.ts";
import { rawSection } from "./sections/raw.ts";
import { masthead, verdict } from "./sections/verdict.ts";
import { viewOf } from "./view.ts";

/**
 * Renders one self-contained page: no request leaves it, so it opens from `file://` with the network off.
 * Reads any report of this schema; whatever an older one lacks is shown as not recorded.
 */
export async function renderHtml(report: Report): Promise<string> {
  const assets = await loadAssets();
  const embedded = embeddable(report);
  const measured = report.measurements.length > 0;
  const body = html`
<a class="skip" href="#main">Skip to the report</a>
<header class="page">${masthead(report)}</header>
<main id="main" class="page">
${verdict(report)}
${measured && controls()}
${measured && rankingSection(report)}
${measured && figureSections()}
${curvesSection(report)}
${measured && detailsSection(report)}
${codecsSection(report)}
${checksSection(report)}
${machineSection(report)}
${methodSection(report)}
${rawSection(report, embedded.note)}
</main>
<footer class="page">
<p>Written by ipcmark ${report.environment.ipcmark}. This file is complete in itself: it loads nothing.</p>
</footer>
<script type="application/json" id="view">${jsonForScript(viewOf(report))}</script>
<script type="application/json" id="report">${jsonForScript(embedded.report)}</script>`;
  return page(body, assets, report);
}

function page(body: Html, assets: Assets, report: Report): string {
  const policy = [
    "default-src 'none'",
    `script-src ${cspHash(assets.chartJs)} ${cspHash(assets.client)}`,
    `style-src ${cspHash(assets.style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const title = `ipcmark: ${report.pick ? `${report.pick.transport} picked` : "comparison of IPC mechanisms"}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${trusted(assets.style)}</style>
</head>
<body>${body}
<script>${trusted(assets.chartJs)}</script>
<script>${trusted(assets.client)}</script>
</body>
</html>
`.text;
}
