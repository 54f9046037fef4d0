import { commandAgain } from "../../../harness/results/command-line.ts";
import { duration } from "../../../harness/results/format.ts";
import type { Report } from "../../../harness/results/model.ts";
import { type Html, html } from "../markup.ts";

/** Renders the command that repeats the run, and the report and its cells as downloads. */
export function rawSection(report: Report, note: string): Html {
  const took = report.durationMs === undefined ? "" : ` and took ${duration(report.durationMs * 1e6)}`;
  return html`<section id="raw">
<h2>Run it again, raw data</h2>
${command(report)}
<p>The random order of the trials came from seed ${report.seed ?? "(not recorded)"};
the run started ${report.startedAt ?? "(not recorded)"}${took}. ${note}</p>
<p><button type="button" id="download" hidden>Download report.json</button>
<button type="button" id="download-csv" hidden>Download all cells as CSV</button>
<span class="quiet">schema version ${report.schemaVersion}</span></p>
<p class="paper note">This paper leaves out what the file folds: the numbers behind the figures, every row in detail,
what rules out a mechanism by which need, the C baseline and the versions of the transports. Open the file for them,
and for other placements, classes and sizes.</p>
</section>`;
}

/** Renders the command as it is typed, with a button to copy it; a line that is no certain command has none. */
function command(report: Report): Html {
  const again = commandAgain(report);
  if (again === undefined)
    return html`<pre class="command"><code>${report.commandLine ?? "command line not recorded"}</code></pre>`;
  const where =
    report.startedFrom === "clone"
      ? "As it is typed in a clone of ipcmark"
      : "As it is typed where ipcmark is installed";
  return html`<p class="note">${where}; the seed makes the trials come in the same order:</p>
<pre class="command"><code id="command">${again}</code></pre>
<p><button type="button" id="copy" hidden>Copy the command</button> <span id="copied" role="status"></span></p>`;
}
