import { type Html, html } from "../markup.ts";

/**
 * A table in a box that scrolls sideways where it is wider than the page: reached by the keyboard, since nothing in it takes
 * the focus. The caption stands outside, or it would scroll out of sight with its table.
 */
export function scrollBox(label: string, table: Html, caption?: string): Html {
  return html`${caption !== undefined && html`<p class="caption">${caption}</p>`}<div class="scroll" tabindex="0" role="region" aria-label="${label}">${table}</div>`;
}
