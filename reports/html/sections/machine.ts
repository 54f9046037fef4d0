import { bytes, count, duration, durationRange, percent, sizeName } from "../../../harness/results/format.ts";
import type { Environment, Measurement, Report, TransportRecord } from "../../../harness/results/model.ts";
import { MODE_LABELS, PLACEMENT_LABELS, placementTitle, rowName, variantOf } from "../../labels.ts";
import { missingText, NO_P99, p99Text } from "../../missing.ts";
import { type Html, html } from "../markup.ts";
import { noise } from "./noise.ts";
import { scrollBox } from "./scroll.ts";
import { floorSentence } from "./verdict.ts";

/** Renders the machine, its noise, the cost of the instruments, and the versions of what was measured. */
export function machineSection(report: Report): Html {
  const versions = html`<table>
<thead><tr><th scope="col" class="text">transport</th><th scope="col" class="text">waiting classes</th>
<th scope="col" class="text">version, or why it is not available here</th></tr></thead>
<tbody>${report.transports.map(transport)}</tbody></table>`;
  return html`<section id="machine">
<h2>Machine and noise</h2>
${factsTable("Machine and setting", facts(report))}
${noise(report)}
${cBaseline(report)}
<details><summary>Transports and their versions</summary>
${scrollBox("Transports and their versions", versions)}</details>
</section>`;
}

/** Name of a fact and its text, empty where it was not recorded. */
export type Fact = readonly [name: string, value: string];

/** Renders facts as a table, and those that were not recorded as one sentence below it. */
export function factsTable(label: string, of: readonly Fact[]): Html {
  const rows = of.filter(([, value]) => value !== "");
  const missing = of.filter(([, value]) => value === "").map(([name]) => name);
  const table = html`<table class="facts-table"><tbody>${rows.map(
    ([name, value]) => html`<tr><th scope="row">${name}</th><td class="text">${value}</td></tr>`,
  )}</tbody></table>`;
  return html`${rows.length > 0 && scrollBox(label, table)}
${missing.length > 0 && html`<p class="note">Not recorded: ${missing.join(", ")}.</p>`}`;
}

function facts(report: Report): Fact[] {
  return [
    ...machineFacts(report.environment),
    ["Floor of the harness", floorSentence(report)],
    ["Length of the run", durationText(report.duration)],
  ];
}

export function machineFacts(here: Environment): Fact[] {
  const placements = Object.keys(here.placements ?? {}) as (keyof Environment["placements"])[];
  return [
    ["CPU", [here.cpuModel, here.cpus && count(here.cpus, "CPU")].filter(Boolean).join(", ")],
    ["CPUs this run may use", here.allowedCpus ?? ""],
    ["Placements", placements.map((placement) => placementTitle(placement, here)).join("; ")],
    ["Memory", here.memoryBytes ? bytes(here.memoryBytes) : ""],
    ["System", [here.platform, here.arch, here.kernel].filter(Boolean).join(" ")],
    ["Virtualization", here.virtualization ?? ""],
    ["Frequency governor", here.governor ?? ""],
    ["Clock at the end of the run", isNumber(here.frequencyMHz) ? `${Math.round(here.frequencyMHz)} MHz` : ""],
    ["Control group", cgroup(here.cgroup)],
    ["CPUs kept awake", keepAwake(here.keepAwake)],
    ["Fingerprint of machine and setting", here.fingerprint ?? ""],
    ["Node", [here.node, here.v8 && `V8 ${here.v8}`].filter(Boolean).join(", ")],
    ["Load before the run (1 min)", here.loadAverage1 === undefined ? "" : String(here.loadAverage1)],
    ["CPU time taken by the hypervisor", isNumber(here.stealShare) ? percent(here.stealShare) : ""],
    ["Reading the clock once", isNumber(here.timerNs) ? duration(here.timerNs) : ""],
    ["Foreign function interface", ffi(here.ffi)],
  ];
}

/** Smallest excess over the plan that is reported, as a share: a plan is an estimate. */
const OVERRAN_SHARE = 0.1;

function durationText(run: Report["duration"]): string {
  if (!run) return "";
  const over = run.actualMs - run.plannedMs;
  const overran = over > run.plannedMs * OVERRAN_SHARE ? ` and overran by ${duration(over * 1e6)}` : "";
  const times = `planned ${duration(run.plannedMs * 1e6)}, took ${duration(run.actualMs * 1e6)}${overran}`;
  return `${run.effort}, ${count(run.rounds, "round")}, ${times}: ${run.sentence}`;
}

function cgroup(limits: Environment["cgroup"]): string {
  if (limits === undefined) return "";
  if (limits === null) return "none";
  const cpus = limits.cpus === null ? "no limit of CPU time" : count(limits.cpus, "CPU");
  return `${cpus}, ${limits.memoryBytes === null ? "no limit of memory" : bytes(limits.memoryBytes)}`;
}

function keepAwake(state: Environment["keepAwake"]): string {
  if (!state) return "not asked for: a halted CPU takes its time to wake";
  return "reason" in state ? `no: ${state.reason}` : `${state.cpus.join(", ")}, by a load of idle priority`;
}

function ffi(binding: Environment["ffi"] | undefined): string {
  if (!binding) return "";
  if (binding.binding === "none") return `none${binding.reason ? `: ${binding.reason}` : ""}`;
  const cost = isNumber(binding.callNs) ? `, ${duration(binding.callNs)} per call` : "";
  return `${binding.binding}${cost}${binding.reason ? ` (${binding.reason})` : ""}`;
}

/** Renders the cells of the C program; the ranking shows each row's distance to them. */
function cBaseline({ cBaseline: cells = [], cBaselineReason }: Report): Html {
  const reason = cBaselineReason?.reason ?? "it needs a C compiler";
  if (cells.length === 0) return html`<p class="note">Plain C was not measured in this run: ${reason}.</p>`;
  const table = html`<table id="c-baseline">
<thead><tr><th scope="col" class="text">mechanism</th><th scope="col" class="text">placement</th>
<th scope="col" class="text">class</th><th scope="col" class="text">benchmark</th><th scope="col">size</th>
<th scope="col">p50</th><th scope="col">95 % interval</th><th scope="col">p99</th></tr></thead>
<tbody>${cells.map(cBaselineRow)}</tbody></table>`;
  return html`<details><summary>C baseline: the same exchange in plain C</summary>
  ${scrollBox("The same exchange in plain C", table)}</details>`;
}

function cBaselineRow(cell: Measurement): Html {
  const lead = html`<th scope="row"><code>${rowName(cell)}</code></th>
  <td class="text">${PLACEMENT_LABELS[cell.placement] ?? cell.placement}</td>
  <td class="text">${MODE_LABELS[cell.mode] ?? cell.mode}</td>
  <td class="text">${[cell.benchmark, variantOf(cell)].filter(Boolean).join(", ")}</td>
  <td>${sizeName(cell)}</td>`;
  if (cell.status !== "measured" || !cell.latencyNs)
    return html`<tr>${lead}<td class="text" colspan="3">${missingText(cell)}</td></tr>`;
  const { p50, p99 } = cell.latencyNs;
  return html`<tr>${lead}<td>${duration(p50)}</td><td>${durationRange(cell.interval.p50, p50)}</td>
  <td${p99 === undefined && html` title="${NO_P99}"`}>${p99Text(cell)}</td></tr>`;
}

function transport(record: TransportRecord): Html {
  const state = record.available ? record.version : `unavailable: ${record.reason}`;
  const modes = (record.capabilities?.modes ?? []).map((mode) => MODE_LABELS[mode] ?? mode).join(", ");
  const baseline = record.baseline && " (baseline: no process boundary, never ranked)";
  return html`<tr><th scope="row"><code>${record.id}</code></th><td class="text">${modes}</td>
  <td class="text prose">${state}${baseline}</td></tr>`;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === "number";
}
