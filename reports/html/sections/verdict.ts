import { count, duration } from "../../../harness/results/format.ts";
import type { Report } from "../../../harness/results/model.ts";
import { claimLines, claimsSummary } from "../../claims.ts";
import { interruption, MODE_LABELS, OTHER_SERVER } from "../../labels.ts";
import { ruledOutByNeeds } from "../../ruled-out.ts";
import { type Html, html } from "../markup.ts";

/** Renders one line of identity: what, when, where. */
export function masthead(report: Pick<Report, "environment" | "startedAt">): Html {
  const { cpuModel, cpus, node, platform } = report.environment;
  const when = (report.startedAt ?? "").replace("T", " ").replace(/(\.\d+)?Z$/, " UTC");
  const facts = [
    when,
    cpuModel && `${cpuModel}${cpus ? `, ${count(cpus, "CPU")}` : ""}`,
    platform,
    node && `Node ${node}`,
  ];
  return html`<p class="brand"><b>ipcmark</b> Inter-process communication on one machine</p>
<p class="facts">${facts.filter(Boolean).join(" · ")}</p>`;
}

/** Renders the answer first: pick, reasons, ties, the other waiting classes, what is out and why. */
export function verdict(report: Report): Html {
  const { pick } = report;
  if (!pick) return html`<section id="verdict"><h1>${noPick(report)}</h1>${warnings(report)}</section>`;
  const {
    reasons = [],
    ties = [],
    alternatives = [],
    otherServers = [],
    ruledOut = [],
    notExamined = [],
    immaterial = [],
  } = pick;
  return html`<section id="verdict">
<h1>${unbroken(pick.sentence)}</h1>
${reasons.length > 0 && html`<ul>${reasons.map((reason) => html`<li>${unbroken(reason)}</li>`)}</ul>`}
${
  immaterial.length > 0 &&
  html`<p class="tie"><b>Told from it, without a difference that is shown to matter:</b> ${immaterial.join(", ")}.</p>`
}
${
  ties.length > 0 &&
  pick.verdict !== "cannot-tell" &&
  html`<p class="tie"><b>Not distinguishable from it at 95 %:</b> ${ties.join(", ")}.
Choose among these by what else matters to you.</p>`
}
${
  alternatives.length + otherServers.length > 0 &&
  html`<dl class="alternatives">${[
    ...alternatives.map((other) => ({ ...other, label: MODE_LABELS[other.mode] ?? other.mode })),
    ...otherServers.map((other) => ({ ...other, label: OTHER_SERVER })),
  ].map(
    ({ transport, label, sentence }) =>
      html`<dt><code>${transport}</code> <span>${label}</span></dt>
      <dd>${unbroken(sentence)}</dd>`,
  )}</dl>`
}
${
  notExamined.length > 0 &&
  html`<details open><summary>Not examined here: ${notExamined.map((out) => out.transport).join(", ")}</summary>
<ul>${notExamined.map((out) => html`<li><code>${out.transport}</code>: ${unbroken(out.reason)}</li>`)}</ul></details>`
}
${
  ruledOut.length > 0 &&
  html`<details><summary>Ruled out: ${ruledOut.map((out) => out.transport).join(", ")}</summary>
<ul>${ruledOut.map((out) => html`<li><code>${out.transport}</code>: ${unbroken(out.reason)}</li>`)}</ul></details>`
}
${needsRuleOut(report)}
${warnings(report)}
</section>`;
}

function needsRuleOut(report: Report): Html | false {
  const lines = ruledOutByNeeds(report);
  return (
    lines.length > 0 &&
    html`<details><summary>Left out by needs, before anything was measured</summary>
<ul>${lines.map((line) => html`<li>${unbroken(line)}</li>`)}</ul></details>`
  );
}

/** Keeps a number and its unit on one line, and a flag such as --matters. */
export function unbroken(sentence: string): Html {
  const text = sentence.replace(/(\d) (?=(ns|µs|ms|s|B|[KMGT]iB|%)(?![\p{L}\d]))/gu, "$1\u00a0");
  // A split by a group has its matches at the odd places.
  const parts = text.split(/(--[a-z][a-z-]*)/);
  return html`${parts.map((part, at) => (at % 2 === 0 ? part : html`<span class="flag">${part}</span>`))}`;
}

function noPick(report: Report): string {
  const interrupted = interruption(report);
  if (interrupted !== undefined) return `The run was ${interrupted}: what follows is partial, and it names no pick.`;
  const claims = claimLines(report);
  if (claims.length > 0) return `${claimsSummary(claims)}.`;
  if (report.measurements.length === 0) return "Nothing was measured in this run, so it names no pick.";
  const measured = report.measurements.filter((cell) => cell.status === "measured").length;
  return `This run names no pick. ${count(measured, "cell")} of ${report.measurements.length} gave valid measurements.`;
}

export function warnings({ warnings: list }: { readonly warnings: readonly { readonly text: string }[] }): Html | "" {
  if (list.length === 0) return "";
  return html`<aside class="warning"><b>Read with care.</b>
  <ul>${list.map(({ text }) => html`<li>${unbroken(text)}</li>`)}</ul></aside>`;
}

/** Describes the floor of the harness; the machine section uses it too. */
export function floorSentence(report: Report): string {
  const floor = report.environment.harnessFloorNs;
  return floor === null || floor === undefined
    ? "not measured in this run"
    : `${duration(floor)} per round trip: what the harness itself costs, included in every number above`;
}
