import { count } from "../../../harness/results/format.ts";
import type { Report } from "../../../harness/results/model.ts";
import { MODE_LABELS, MODE_MEANINGS, WAIT_MODES } from "../../labels.ts";
import { type Html, html } from "../markup.ts";

/** Enough to judge the numbers without knowing the tool. */
export function methodSection(report: Report): Html {
  const trials = Math.max(0, ...report.measurements.map((cell) => cell.trials?.length ?? 0));
  return html`<section id="method">
<h2>Method and limits</h2>
<div class="box"><h3>Understanding this report</h3>
<dl>
<dt>Round trip</dt><dd>A request and its reply between two processes, with the same number of bytes both ways. Every reply is checked
against its request; one lost or wrong message makes the trial invalid, not slow.</dd>
<dt>p50, p99</dt><dd>Half of the round trips, or 99 of 100, were faster than this. A percentile is shown only with at least 20 samples
beyond it; otherwise a dash stands in its place.</dd>
<dt>Trial</dt><dd>A fresh pair of processes, warmed up, then a fixed number of messages. ${trials > 0 && `This run made up to ${count(trials, "trial")} per cell. `}The trials of all cells are
interleaved in random order, so that a slow minute of the machine hits all of them.</dd>
<dt>95 % interval</dt><dd>Where the median over trials lies, by their order statistics. It needs at least 6 trials and describes this machine at
this hour, not every machine.</dd>
<dt>Not distinguishable</dt><dd>The interval overlaps that of the best. The order of the two may be chance; choose by something else. Intervals that
do not overlap differ; intervals that barely overlap may still differ.
The ranking of the pick compares the two round by round, which cancels drift of the machine and so can separate what the tables of single sizes cannot.</dd>
<dt>Ratio</dt><dd>How many times worse than the best of the same table: the same class, placement and size. Unselecting transports recomputes it.</dd>
<dt>Waiting class</dt><dd><ul>${WAIT_MODES.map((mode) => html`<li><b>${MODE_LABELS[mode]}</b>: ${MODE_MEANINGS[mode]}.</li>`)}</ul></dd>
<dt>Placement</dt><dd><b>same CPU</b>: both processes share one, and each message forces a switch; <b>two CPUs</b>: each has its own, and each message must
wake the other; <b>unpinned</b>: the system chooses, and may change its mind.</dd>
<dt>Baseline</dt><dd>No process boundary is crossed, so it is no choice: it shows what the harness itself costs.</dd>
</dl></div>
<h3>What these numbers do not say</h3>
<ul>
<li>They hold for this machine, kernel and Node version. Across virtual CPUs the tail is largely the host's.</li>
<li>Ping-pong sends the next request after the reply. It measures service time: a server that stalls stalls the clock with it, so its tail is
kinder than what users at a fixed arrival rate would see.</li>
<li>A comparison of many rows at 95 % is expected to be wrong about one in twenty of them.</li>
<li>The harness adds its own cost to every row; the floor above says how much.</li>
</ul>
</section>`;
}
