import { type Html, html } from "../markup.ts";

/**
 * Puts a table into a box that scrolls sideways where it is wider than the page. The box takes the keyboard focus,
 * since nothing in it does. The caption stands outside, or it would scroll out of sight with its table.
 */
export function scrollBox(label: string, table: Html, caption?: string): Html {
  return html`${caption !== undefined && html`<p class="caption">${caption}</p>`}
  <div class="scroll" tabindex="0" role="region" aria-label="${label}">${table}</div>`;
}
