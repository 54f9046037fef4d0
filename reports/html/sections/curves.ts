import { ABSENT, bytes, duration, quantity } from "../../../harness/results/format.ts";
import type { Curve, Report } from "../../../harness/results/model.ts";
import { isUnnamed, MODE_LABELS, PLACEMENT_LABELS } from "../../labels.ts";
import { type Html, html } from "../markup.ts";
import { scrollBox } from "./scroll.ts";

const VARIABLES: Readonly<Record<Curve["over"], string>> = {
  payloadBytes: "message size",
  inFlight: "messages in flight",
  clients: "client processes",
  ratePerSecond: "messages offered per second",
};

/** Renders growth of cost, one table per variable with all transports. Left out where nothing was varied. */
export function curvesSection({ curves = [] }: Pick<Report, "curves">): Html | "" {
  if (curves.length === 0) return "";
  const groups = [...Map.groupBy(curves, ({ over }) => over)];
  return html`<section id="curves">
<h2>Growth in numbers</h2>
<p class="note">Each line varies one thing and keeps the rest.
It shows p50 where there are round trips, else messages per second.</p>
${groups.map(([over, rows]) => group(over, rows))}
</section>`;
}

function group(over: Curve["over"], curves: readonly Curve[]): Html {
  const varied = VARIABLES[over] ?? over;
  const table = html`<table id="curves-${over}">
<thead><tr><th scope="col" class="text">transport</th><th scope="col" class="text">class</th>
<th scope="col" class="text">placement</th><th scope="col" class="text">benchmark</th>
<th scope="col" class="text">growth</th>
${over === "payloadBytes" && html`<th scope="col">fixed cost</th><th scope="col">per KiB</th>`}
${over === "ratePerSecond" && html`<th scope="col">followed up to</th>`}</tr></thead>
<tbody>${curves.map(row)}</tbody></table>`;
  return html`<details><summary>With ${varied}</summary>${scrollBox(`Growth with ${varied}`, table)}</details>`;
}

function row(curve: Curve): Html {
  const { over, fit, kneePerSecond } = curve;
  const name = isUnnamed(curve.peer) ? curve.transport : `${curve.transport} (${curve.peer})`;
  const points = curve.points.map((point) => `${xText(over, point.x)}: ${valueText(point)}`);
  return html`<tr><th scope="row" class="text"><code>${name}</code></th>
  <td class="text">${MODE_LABELS[curve.mode] ?? curve.mode}</td>
  <td class="text">${PLACEMENT_LABELS[curve.placement] ?? curve.placement}</td>
  <td class="text">${[curve.benchmark, curve.fixed].filter(Boolean).join(", ")}</td>
  <td class="text prose">${points.join("; ")}</td>
  ${
    over === "payloadBytes" &&
    html`<td>${duration(fit?.fixedNs)}</td>
  <td>${fit ? duration(fit.nsPerByte * 1024) : ABSENT}</td>`
  }
  ${over === "ratePerSecond" && html`<td>${kneeText(kneePerSecond)}</td>`}</tr>`;
}

function xText(over: Curve["over"], x: number): string {
  if (over === "payloadBytes") return bytes(x);
  return over === "ratePerSecond" ? `${quantity(x)}/s` : String(x);
}

function valueText({ p50, messagesPerSecond }: Curve["points"][number]): string {
  return p50 === null && messagesPerSecond !== null ? `${quantity(messagesPerSecond)}/s` : duration(p50);
}

/** Formats a knee; null where not even the lowest rate was followed, absent where it was not judged. */
function kneeText(knee: number | null | undefined): string {
  if (knee === undefined) return ABSENT;
  return knee === null ? "none of the rates" : `${quantity(knee)}/s`;
}
