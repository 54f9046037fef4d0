import { count, duration } from "../../../harness/results/format.ts";
import type { Environment, Pick, Rechecked, Report } from "../../../harness/results/model.ts";
import { checkSummary } from "../../check-groups.ts";
import { claimLines, claimsSummary } from "../../claims.ts";
import { CLASS_LABELS, classOf, interruption, MODE_LABELS, OTHER_SERVER, PLACEMENT_LABELS } from "../../labels.ts";
import {
  type Certainty,
  certaintyOf,
  loadText,
  pickTitle,
  recheckCertainty,
  recheckStanding,
  recheckTitle,
  requestsText,
} from "../../pick-words.ts";
import { ruledOutByNeeds } from "../../ruled-out.ts";
import { type Html, html, type Insertable } from "../markup.ts";
import { bars } from "./bars.ts";

/** Renders one line of identity: what, when, where. */
export function masthead(report: { readonly environment: Environment; readonly startedAt: string }): Html {
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

/** Renders the answer first: what to use, how sure that is, the picture, for what; then the rest of the evidence. */
export function verdict(report: Report): Html {
  const { recheck } = report;
  if (!report.pick)
    return html`<section id="verdict">${
      recheck ? html`${recheckHead(recheck)}<p>${unbroken(recheck.sentence)}</p>` : html`<h1>${noPick(report)}</h1>`
    }${warnings(report)}</section>`;
  const pick = filled(report.pick);
  return html`<section id="verdict" class="answer">
<div class="head">
${recheck ? recheckHead(recheck) : head(pickTitle(pick, report.environment.platform), certaintyOf(pick))}
</div>
${bars(report, pick)}
<div class="about">
${asked(report, pick)}
<p class="lead">${unbroken(pick.sentence)}</p>
${recheck === undefined && reasons(pick, report)}
</div>
<div class="beside">${recheck === undefined ? others(pick) : ownPick(pick, recheck, report)}</div>
<div class="rest">
${out(report, pick)}
${warnings(report)}
</div>
</section>`;
}

function head(title: string, certainty: Certainty | undefined): Html {
  return html`<h1>${unbroken(title)}</h1>
${
  certainty &&
  html`<p class="certainty"><b><span aria-hidden="true">${certainty.sign}</span> ${certainty.word}</b>
${unbroken(certainty.text)}</p>`
}`;
}

/** Renders the head of a recheck. It judges by a rule of its own: the certainty of a pick would contradict it. */
function recheckHead(recheck: Rechecked): Html {
  return head(recheckTitle(recheck), recheckCertainty(recheck));
}

function reasons({ reasons: all }: Pick, report: Report): Html | false {
  return all.length > 0 && html`<ul>${all.map((reason) => html`<li>${linked(reason, report)}</li>`)}</ul>`;
}

/** Renders what a recheck found besides its result: the pick of this run alone, which may be another option. */
function ownPick(pick: Pick, recheck: Rechecked, report: Report): Html | false {
  if (pick.reasons.length === 0) return false;
  const why = recheckStanding(recheck, pick, pick) === "decided" ? "" : ", the pick of this run by itself";
  return html`<p><b>About <code>${pick.transport}</code>${why}:</b></p>${reasons(pick, report)}`;
}

/** Returns a pick with what older reports lack, empty. */
function filled(pick: Pick): Pick {
  const { mode, placement } = pick;
  const lists = { reasons: [], ties: [], ranking: [], alternatives: [], ruledOut: [] };
  const workload: Partial<Pick["workload"]> = pick.workload ?? {};
  return { ...lists, ...pick, workload: { ...{ payloads: [], modes: [mode], placement }, ...workload } };
}

/** Renders the question that was answered: needs, requests, where both ends ran, and what was checked. */
function asked(report: Report, pick: Pick): Html {
  const { question } = report;
  const { workload, placement, mode } = pick;
  const { needs = [], profile } = question ?? {};
  const given = needs.length > 0 ? needs.join(", ") : "none given";
  const server = workload.peer ?? "node";
  const requests = requestsText(workload);
  const facts: [string, Insertable][] = [
    ...(question === undefined ? [] : [["Needs", `${given} (profile ${profile})`] as [string, string]]),
    ...(requests === "" ? [] : [["Requests", requests + loadText(workload)] as [string, string]]),
    ["Server", `in ${server}, ${CLASS_LABELS[classOf(mode, workload.peer)]}, ${PLACEMENT_LABELS[placement]}`],
    ...(report.checks.length === 0
      ? []
      : [["Checks", html`<a href="#checks">${checkSummary(report)}</a>`] as [string, Html]]),
  ];
  return html`<dl class="asked">${facts.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${typeof value === "string" ? unbroken(value) : value}</dd></div>`,
  )}</dl>`;
}

/** Renders a reason; where it counts checks, it leads to them. */
function linked(reason: string, { checks }: Report): Html {
  return checks.length > 0 && reason.startsWith("passed all ")
    ? html`<a href="#checks">${reason}</a>`
    : unbroken(reason);
}

/** Renders what stands near the pick, and the best of the other ways to wait. */
function others({ verdict: found, ties, immaterial = [], alternatives, otherServers = [] }: Pick): Html {
  return html`${
    immaterial.length > 0 &&
    html`<p class="tie"><b>Told from the pick, without a difference that is shown to matter:</b>
${immaterial.join(", ")}.</p>`
  }
${
  ties.length > 0 &&
  found !== "cannot-tell" &&
  html`<p class="tie"><b>Not distinguishable from the pick at 95 %:</b> ${ties.join(", ")}.
Choose among these by what else matters to you.</p>`
}
${
  alternatives.length + otherServers.length > 0 &&
  html`<dl class="alternatives">${[
    ...alternatives.map((other) => ({ ...other, label: MODE_LABELS[other.mode] ?? other.mode })),
    ...otherServers.map((other) => ({ ...other, label: OTHER_SERVER })),
  ].map(
    ({ transport, label, sentence }) =>
      html`<div><dt><code>${transport}</code> <span>${label}</span></dt>
      <dd>${unbroken(sentence)}</dd></div>`,
  )}</dl>`
}`;
}

/** Renders what is out, and why: never examined here, ruled out by this run, left out by needs. */
function out(report: Report, { ruledOut, notExamined = [] }: Pick): Html {
  return html`${
    notExamined.length > 0 &&
    html`<details open><summary>Not examined here: ${notExamined.map(({ transport }) => transport).join(", ")}</summary>
<ul>${notExamined.map(({ transport, reason }) => html`<li><code>${transport}</code>: ${unbroken(reason)}</li>`)}</ul>
</details>`
  }
${
  ruledOut.length > 0 &&
  html`<details><summary>Ruled out: ${ruledOut.map(({ transport }) => transport).join(", ")}</summary>
<ul>${ruledOut.map(({ transport, reason }) => html`<li><code>${transport}</code>: ${unbroken(reason)}</li>`)}</ul>
</details>`
}
${needsRuleOut(report)}`;
}

function needsRuleOut(report: Report): Html | false {
  const lines = ruledOutByNeeds(report);
  return (
    lines.length > 0 &&
    html`<details><summary>Left out by needs, before anything was measured</summary>
<ul>${lines.map((line) => html`<li>${unbroken(line)}</li>`)}</ul></details>`
  );
}

/** Keeps a number and its unit on one line, a flag such as --matters, a name such as local-socket, and an interval. */
export function unbroken(sentence: string): Html {
  const text = sentence.replace(/(\d) (?=(ns|µs|ms|s|B|[KMGT]iB|%)(?![\p{L}\d]))/gu, "$1\u00a0");
  // A split by a group has its matches at the odd places.
  const parts = text.split(/(--[a-z][a-z-]*|\b[a-z]+-[a-z]+\b|\([\d.]+–[\d.]+\))/);
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
