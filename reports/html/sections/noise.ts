import { duration, durationRange, ratio } from "../../../harness/results/format.ts";
import type { Placement, Report } from "../../../harness/results/model.ts";
import { PLACEMENT_LABELS, PLACEMENT_ORDER } from "../../labels.ts";
import { type Html, html } from "../markup.ts";
import { scrollBox } from "./scroll.ts";

/** Renders the machine's own noise per placement: tail floor and drift of the frozen echo. Empty in old reports. */
export function noise(report: Report): Html {
  return html`${tailFloor(report)}${control(report)}`;
}

function tailFloor({ canaries = {} }: Report): Html | "" {
  const rows = PLACEMENT_ORDER.flatMap((placement) => {
    const canary = canaries[placement];
    return canary
      ? [
          html`<tr>${lead(placement)}<td>${duration(canary.p50)}</td><td>${duration(canary.p99)}</td>
          <td>${duration(canary.p999)}</td><td>${duration(canary.max)}</td><td>${canary.count}</td>
          <td class="text prose">${canary.bad && "⚠ "}${canary.sentence}</td></tr>`,
        ]
      : [];
  });
  if (rows.length === 0) return "";
  const table = html`<table id="canaries">
<thead><tr><th scope="col" class="text">placement</th><th scope="col">p50</th><th scope="col">p99</th>
<th scope="col">p99.9</th><th scope="col">most</th><th scope="col">wake-ups</th>
<th scope="col" class="text">what this means</th></tr></thead>
<tbody>${rows}</tbody></table>`;
  const caption =
    "The machine's own tail floor: how late it wakes a sleeping process. A p99 near this floor describes the machine.";
  return scrollBox("Tail floor of the machine", table, caption);
}

function control(report: Report): Html | "" {
  const rows = PLACEMENT_ORDER.flatMap((placement) => {
    const summary = report.controls?.[placement];
    if (!summary) return [];
    const { p50, interval, spread } = summary;
    return [
      html`<tr>${lead(placement)}<td>${duration(p50)}</td><td>${durationRange(interval, p50)}</td>
      <td>${ratio(spread)}</td><td class="text prose">${drift(report, placement)}</td></tr>`,
    ];
  });
  if (rows.length === 0) return "";
  const table = html`<table id="controls-drift">
<thead><tr><th scope="col" class="text">placement</th><th scope="col">p50</th><th scope="col">95 % interval</th>
<th scope="col">slowest round / fastest</th><th scope="col" class="text">p50 of the rounds, in order</th></tr></thead>
<tbody>${rows}</tbody></table>`;
  const caption =
    "The frozen echo, whose code never changes, runs once per round. If its time changes, the machine has changed.";
  return scrollBox("Drift of the frozen echo", table, caption);
}

function drift({ rounds = [] }: Report, placement: Placement): string {
  const values = rounds.flatMap(({ controls }) => (controls ?? []).filter((one) => one.placement === placement));
  return values.map(({ p50 }) => duration(p50)).join(", ") || "not recorded";
}

function lead(placement: Placement): Html {
  return html`<th scope="row" class="text">${PLACEMENT_LABELS[placement]}</th>`;
}
