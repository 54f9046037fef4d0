import { duration } from "../../../harness/results/format.ts";
import type { Report } from "../../../harness/results/model.ts";
import { type Html, html } from "../markup.ts";

/** Renders the download of the report as JSON. */
export function rawSection(report: Report, note: string): Html {
  const took = report.durationMs === undefined ? "" : ` and took ${duration(report.durationMs * 1e6)}`;
  return html`<section id="raw">
<h2>Run it again, raw data</h2>
<pre class="command"><code>${report.commandLine ?? "command line not recorded"}</code></pre>
<p>The random order of the trials came from seed ${report.seed ?? "(not recorded)"};
the run started ${report.startedAt ?? "(not recorded)"}${took}. ${note}</p>
<p><button type="button" id="download">Download report.json</button>
<span class="quiet">schema version ${report.schemaVersion}</span></p>
<p class="paper note">This paper leaves out what the file folds: the numbers behind the figures, every row in detail,
the C baseline and the versions of the transports. Open the file for them, and for other placements, classes and
sizes.</p>
</section>`;
}
