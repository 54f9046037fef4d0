import { type Html, html } from "../markup.ts";

/** Renders the form that the script fills from the view; without a script there is nothing to choose. */
export function controls(): Html {
  return html`<noscript>
  <p class="warning">The tables and charts of measurements need JavaScript, which is part of this file.</p></noscript>
<form id="controls" aria-label="What the tables and charts show" autocomplete="off">
<div class="choices">
<label>Placement <select name="placement"></select></label>
<label>Waiting class <select name="mode"></select></label>
<label>Benchmark <select name="benchmark"></select></label>
<label>Message size <select name="payload"></select></label>
</div>
<fieldset id="subset"><legend class="hidden">Transports shown; ratios are to the best of these</legend></fieldset>
</form>`;
}
