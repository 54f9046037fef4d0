import { type Html, html } from "../markup.ts";

/** Renders the place of the answer for the rows that the reader leaves; the script fills it. */
export function choiceLine(): Html {
  return html`<div id="choice" class="box" role="status" hidden></div>`;
}
