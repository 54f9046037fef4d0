import { count } from "../../../harness/results/format.ts";
import type { Report } from "../../../harness/results/model.ts";
import { CLASS_LABELS, CLASS_MEANINGS, WAIT_CLASSES } from "../../labels.ts";
import { type Html, html } from "../markup.ts";

/** Explains enough to judge the numbers without experience with the tool. */
export function methodSection(report: Report): Html {
  const trials = Math.max(0, ...report.measurements.map((cell) => cell.trials.length));
  return html`<section id="method">
<h2>Method and limits</h2>
<div class="box"><h3>Understanding this report</h3>
<dl>
<dt>Round trip</dt><dd>A request and its reply between two processes, with the same number of bytes both ways.
Every reply is checked against its request; one lost or wrong message makes the trial invalid, not slow.</dd>
<dt>p50, p99</dt><dd>Half of the round trips, or 99 of 100, were faster than this. A percentile is shown only with at
least 20 samples beyond it; otherwise a dash stands in its place. With fewer than 100, a ~ marks it as rough.</dd>
<dt>Trial</dt><dd>A fresh pair of processes, warmed up, then a fixed number of messages.
${trials > 0 && `This run made up to ${count(trials, "trial")} per cell. `}The trials of all cells are
interleaved in random order, so that a slow minute of the machine hits all of them.</dd>
<dt>95 % interval</dt><dd>Range that holds the median over trials, by their order statistics. It needs at least 6 trials
and describes this machine at this hour, not every machine.</dd>
<dt>Ratio</dt><dd>How many times as long a row takes as the best of the same table (class, placement and size), or how
many times as many messages the best carries. It is the median over the rounds in which both ran, with its 95 %
interval. Within one round both met the same machine, so a slow minute does not hide a difference.
Unselecting transports recomputes it. The pick uses the same ratios, over all sizes of its workload together.</dd>
<dt>Tie</dt><dd>The interval of the ratio contains 1: this run does not tell the two apart, so choose by something else.
Intervals of p50 may overlap and the ratio may still tell two rows apart.</dd>
<dt>?</dt><dd>Fewer than 6 rounds in common: there is no interval, and this run cannot tell which is faster.</dd>
<dt>Waiting class</dt>
<dd><ul>${WAIT_CLASSES.map((id) => html`<li><b>${CLASS_LABELS[id]}</b>: ${CLASS_MEANINGS[id]}.</li>`)}</ul></dd>
<dt>Placement</dt><dd><b>same CPU</b>: both processes share one, and each message forces a switch; <b>two CPUs</b>:
each has its own, and each message must wake the other; <b>unpinned</b>: the system chooses, and may choose again.</dd>
<dt>Baseline</dt><dd>No process boundary is crossed, so it is no choice: it shows what the harness itself costs.</dd>
</dl></div>
<h3>What these numbers do not show</h3>
<ul>
<li>They hold for this machine, kernel and Node version. Across virtual CPUs the tail is largely the host's.</li>
<li>Ping-pong sends the next request after the reply. While a server stalls, no further request is sent. So the tail
is shorter than that which users at a fixed arrival rate see.</li>
<li>A comparison of many rows at 95 % is expected to be wrong about one in twenty of them.</li>
<li>The harness adds its own cost to every row; the floor above shows how much.</li>
</ul>
</section>`;
}
