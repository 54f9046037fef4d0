import { answerOf, cautions, type MachineReport, machineLine, READ_BY_COLUMN, sideBySide } from "../side-by-side.ts";
import { loadGateStyle } from "./assets.ts";
import { type Html, html } from "./markup.ts";
import { htmlPage } from "./page.ts";
import { scrollBox } from "./sections/scroll.ts";

/** Renders the reports of several machines side by side: one page that is complete in itself and has no script. */
export async function renderMachines(machines: readonly MachineReport[]): Promise<string> {
  const warned = cautions(machines);
  const [first] = machines;
  const body = html`
<a class="skip" href="#main">Skip to the answers</a>
<header class="page"><p class="brand"><b>ipcmark</b> Inter-process communication on ${machines.length} machines</p>
</header>
<main id="main" class="page">
<section id="verdict"><h1>${machines.length} machines, each with its own answer</h1>
${warned.length > 0 && html`<aside class="warning"><ul>${warned.map((text) => html`<li>${text}</li>`)}</ul></aside>`}
${machines.map(answer)}</section>
<section id="figures"><h2>Figures by machine</h2><p>${READ_BY_COLUMN}</p>
${sideBySide(machines).map(({ title, rows }) => scrollBox(title, figures(machines, rows), title))}</section>
</main>
<footer class="page">
<p>Written by ipcmark ${first?.report.environment.ipcmark}. This file is complete in itself: it loads nothing and has no
script.</p>
</footer>`;
  return htmlPage({ title: `ipcmark: ${machines.length} machines`, body, style: await loadGateStyle(), scripts: [] });
}

function answer({ name, report }: MachineReport): Html {
  return html`<h2>${name}</h2>
<p class="facts">${machineLine(report.environment)}, measured ${report.startedAt.slice(0, 10)}</p>
<p>${answerOf(report)}</p>`;
}

function figures(machines: readonly MachineReport[], rows: readonly (readonly string[])[]): Html {
  const titles = machines.map(({ name }) => html`<th scope="col">${name}</th>`);
  return html`<table>
<thead><tr><th scope="col" class="text">transport</th>${titles}</tr></thead>
<tbody>${rows.map(
    ([name, ...cells]) => html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  )}</tbody></table>`;
}
