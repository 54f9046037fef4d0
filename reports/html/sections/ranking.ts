import { METRICS } from "../../../harness/pick/metric.ts";
import { ABSENT, bytes, count, mixText, ratio, recordedText } from "../../../harness/results/format.ts";
import type { Pick, Report } from "../../../harness/results/model.ts";
import { standingOf } from "../../../harness/results/ranking.ts";
import { CLASS_LABELS, classOf, PLACEMENT_LABELS, quickNote } from "../../labels.ts";
import { type Html, html } from "../markup.ts";
import { scrollBox } from "./scroll.ts";

/** Renders the overall table, and the frame of the ranking by size, which the script fills. */
export function rankingSection(report: Report): Html {
  const quick = quickNote(report);
  return html`<section id="ranking">
<h2>Ranking</h2>
${quick !== "" && html`<p class="note">${quick}</p>`}
${overall(report)}
<h3 id="ranking-title">By message size</h3>
<p class="note">One placement, one waiting class, one size at a time: numbers of different classes or placements answer
different questions and are never ranked against each other. The plot shows the ratio to the best with its 95 %
interval. A row whose bar reaches the line at 1 is a <em>tie</em>: this run does not tell it from the best.</p>
<p class="caption" id="ranking-caption"></p>
<div id="ranking-table" class="scroll" tabindex="0" role="region" aria-labelledby="ranking-title" aria-live="polite">
</div>
<ul id="ranking-notes" class="note"></ul>
</section>`;
}

const STANDINGS = { best: "", tied: "tie", behind: "", unknown: "too few rounds to tell" } as const;

/** Writes clients and rate of a workload: ` from 8 clients at 5000 a second`; empty where the benchmark has its own. */
function loadText({ clients, ratePerSecond }: Pick["workload"]): string {
  const rate = ratePerSecond === undefined || ratePerSecond === null ? "" : ` at ${ratePerSecond} a second`;
  return clients === undefined ? "" : ` from ${count(clients, "client")}${rate}`;
}

/** Renders the order behind the pick: over all payloads of the workload. */
function overall(report: Report): Html | "" {
  const { pick } = report;
  const ranking = pick?.ranking ?? [];
  if (!pick || ranking.length === 0) return "";
  const { workload } = pick;
  const each = (workload?.payloads ?? []).map((size) => bytes(size)).join(" and ");
  const codec = workload?.codec === undefined ? "" : ` in ${workload.codec}`;
  const own = workload?.recorded === undefined ? each : recordedText(workload.recorded);
  const sizes = (workload?.mix === undefined ? own : mixText(workload.mix)) + codec + loadText(workload);
  const { noun } = METRICS[workload?.optimize ?? "p50"];
  const placement = PLACEMENT_LABELS[pick.placement] ?? pick.placement;
  const rows = ranking.map((row, index) => {
    const isPick = row.transport === pick.transport && row.mode === pick.mode && pick.verdict !== "cannot-tell";
    const standing = isPick ? "pick" : index === 0 ? "" : STANDINGS[standingOf(row.interval)];
    const waits = CLASS_LABELS[classOf(row.mode, workload?.peer)] ?? row.mode;
    const interval = index > 0 && row.interval ? `${ratio(row.interval[0])} – ${ratio(row.interval[1])}` : ABSENT;
    return html`<tr class="${standing === "pick" ? "best" : ""}"><td>${index + 1}</td>
    <th scope="row"><code>${row.transport}</code></th><td class="text">${waits}</td>
    <td>${ratio(row.ratio)}</td><td>${interval}</td><td class="text">${standing}</td></tr>`;
  });
  const table = html`<table id="overall">
<thead><tr><th scope="col"></th><th scope="col" class="text">transport</th><th scope="col" class="text">class</th>
<th scope="col">ratio</th><th scope="col">95 % interval</th><th scope="col"></th></tr></thead>
<tbody>${rows}</tbody></table>`;
  const caption =
    `The workload of the pick: ${sizes || "all sizes measured"}, ${placement}. ` +
    `Ratio to the best within the same rounds, of the geometric mean of ${noun} over the sizes.`;
  return scrollBox("Ranking over the workload of the pick", table, caption);
}
