import { type Html, html, trusted } from "../markup.ts";

/** Section that is shown from the start, with its heading. Text of a report cannot look like one: it is escaped. */
const SECTION = /<section id="([\w-]+)">\s*<h2>([^<]+)<\/h2>/g;

/** Renders the table of contents: one link to each section. */
export function contents(sections: Html): Html {
  const found = [...sections.text.matchAll(SECTION)];
  return html`<nav class="contents page" aria-label="Contents"><ul>${found.map(
    ([, id = "", title = ""]) => html`<li><a href="#${id}">${trusted(title)}</a></li>`,
  )}</ul></nav>`;
}
