import { cspHash } from "./assets.ts";
import { type Html, html, trusted } from "./markup.ts";

/** Returns a whole page, in which only these scripts and this style can work. */
export function htmlPage({
  title,
  body,
  style,
  scripts,
}: {
  readonly title: string;
  readonly body: Html;
  readonly style: string;
  readonly scripts: readonly string[];
}): string {
  const policy = [
    "default-src 'none'",
    ...(scripts.length === 0 ? [] : [`script-src ${scripts.map(cspHash).join(" ")}`]),
    `style-src ${cspHash(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${trusted(style)}</style>
</head>
<body>${body}
${scripts.map((script) => html`<script>${trusted(script)}</script>\n`)}</body>
</html>
`.text;
}
