import {
  ABSENT,
  bytes,
  count,
  cRatio,
  duration,
  percent,
  quantity,
  ratio,
  sizeName,
} from "../../../harness/results/format.ts";
import type {
  Interval,
  MeasuredRow,
  Placement,
  Report,
  RoundRecord,
  Stationarity,
} from "../../../harness/results/model.ts";
import { MODE_LABELS, PLACEMENT_LABELS, PLACEMENT_ORDER, rowName, variantOf } from "../../labels.ts";
import { serverMemoryText } from "../../missing.ts";
import { type Html, html, jsonForScript } from "../markup.ts";
import { scrollBox } from "./scroll.ts";

/**
 * Renders what the figures have no room for: costs of each row, its drift, and the machine round by round. The script
 * adds the rows of the first table: as markup, the thousands of a large report would hold up all that is above.
 */
export function detailsSection(report: Report): Html {
  const rows = report.measurements.filter((cell) => cell.status === "measured");
  const table = html`<table id="details-table">
<thead><tr>
${HEADINGS.map((title, at) => html`<th scope="col"${at < TEXT_COLUMNS && html` class="text"`}>${title}</th>`)}
</tr></thead>
<tbody id="details-rows" data-rows="${rows.length}"></tbody></table>`;
  return html`<section id="details">
<h2>Every row in detail</h2>
<details><summary>${count(rows.length, "measured row")}: switches, memory, pauses, drift, lateness, parts</summary>
<p class="note">Per message, both processes together, medians over trials. At a voluntary switch a process goes to
sleep; at an involuntary one the scheduler takes the CPU away. Memory is the peak of each process's life, so a row
inherits that of the rows before it. Drift within a trial is the p50 of the second half of the samples over
that of the first; over the run, of the later rounds over the earlier ones: 1 is no drift.</p>
<noscript><p class="note">The rows need a script; report.json has their figures.</p></noscript>
${scrollBox("Every row in detail", table)}</details>
<script type="application/json" id="details-data">${jsonForScript(rows.map(detail))}</script>
${rounds(report)}
</section>`;
}

const HEADINGS = [
  "row",
  "placement",
  "class",
  "benchmark",
  "size",
  "trials",
  "messages per trial",
  "switches: voluntary",
  "involuntary",
  "CPU",
  "peak memory: driver",
  "peer",
  "collector pauses per trial",
  "lost",
  "drift within trials",
  "over the run",
  "× C",
  "besides",
];
const TEXT_COLUMNS = 4;

/** Returns the texts of a row, in the order of the headings. */
function detail(cell: MeasuredRow): string[] {
  const { stationarity, cBaseline, peakMemory } = cell;
  const valid = cell.trials.filter(({ status }) => status === "valid").length;
  return [
    rowName(cell),
    PLACEMENT_LABELS[cell.placement] ?? cell.placement,
    MODE_LABELS[cell.mode] ?? cell.mode,
    [cell.benchmark, variantOf(cell)].filter(Boolean).join(", "),
    sizeName(cell),
    valid === cell.trials.length ? String(valid) : `${valid} of ${cell.trials.length}`,
    String(cell.messages ?? ABSENT),
    quantity(cell.voluntarySwitchesPerMessage),
    quantity(cell.involuntarySwitchesPerMessage),
    duration(cell.cpuNsPerMessage),
    bytes(peakMemory?.driver),
    bytes(peakMemory?.peer),
    duration(cell.gcPauseNs),
    percent(cell.lossShare ?? (cell.lost === 0 ? 0 : null)),
    within(stationarity),
    ratio(stationarity?.overRun),
    `${cRatio(cBaseline)}${bracket(cBaseline?.interval)}`,
    besides(cell).join("; "),
  ];
}

function within(found: Stationarity | undefined): string {
  const drift = found?.withinTrial;
  return drift ? `${ratio(drift.ratio)}${bracket(drift.interval)}` : ratio(null);
}

function bracket(interval: Interval | null | undefined): string {
  return interval ? ` [${interval.map((bound) => bound.toFixed(2)).join("–")}]` : "";
}

/** Lists figures that only some models have. */
function besides({ latenessNs, phasesNs, idleCpuShare, serverMemory, clients }: MeasuredRow): string[] {
  const parts: string[] = [];
  if (latenessNs)
    parts.push(
      `the driver came late by ${duration(latenessNs.p50)} (p50), ${duration(latenessNs.p99)} (p99), ` +
        `${duration(latenessNs.max)} (most)`,
    );
  if (phasesNs) {
    const medians = Object.entries(phasesNs).map(([name, ns]) => `${name} ${duration(ns)}`);
    parts.push(`medians of the parts: ${medians.join(", ")}`);
  }
  if (typeof idleCpuShare === "number") parts.push(`${percent(idleCpuShare)} of a CPU`);
  if (serverMemory) parts.push(serverMemoryText(serverMemory, clients));
  return parts;
}

function rounds({ rounds: all = [] }: Report): Html | "" {
  if (all.length === 0) return "";
  const table = html`<table id="rounds-table">
<thead><tr><th scope="col">round</th><th scope="col">began after</th><th scope="col">took</th>
<th scope="col">taken by the hypervisor</th><th scope="col">load (1 min)</th><th scope="col">clock</th>
<th scope="col" class="text">frozen echo p50</th><th scope="col" class="text">wake-up p99</th></tr></thead>
<tbody>${all.map(round)}</tbody></table>`;
  const title = `${count(all.length, "round")}: what the machine did meanwhile`;
  return html`<details><summary>${title}</summary>${scrollBox("Rounds", table)}</details>`;
}

function round(one: RoundRecord): Html {
  const each = (found: readonly { readonly placement: Placement; readonly ns: number }[]): string =>
    PLACEMENT_ORDER.flatMap((placement) => found.filter((here) => here.placement === placement))
      .map(({ placement, ns }) => `${PLACEMENT_LABELS[placement] ?? placement} ${duration(ns)}`)
      .join(", ");
  const controls = (one.controls ?? []).map(({ placement, p50 }) => ({ placement, ns: p50 }));
  const canaries = (one.canaries ?? []).map(({ placement, p99 }) => ({ placement, ns: p99 }));
  const clock = typeof one.frequencyMHz === "number" ? `${Math.round(one.frequencyMHz)} MHz` : duration(null);
  return html`<tr><td>${one.round}</td><td>${duration(one.startedAtMs * 1e6)}</td>
  <td>${duration(one.durationMs * 1e6)}</td><td>${percent(one.stealShare)}</td>
  <td>${one.loadAverage1?.toFixed(2)}</td><td>${clock}</td>
  <td class="text">${each(controls)}</td><td class="text">${each(canaries)}</td></tr>`;
}
