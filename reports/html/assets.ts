import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { extname } from "node:path";
import { linked } from "./link.ts";

const STYLE_FILES = ["page", "top", "tables", "figures", "matrices", "print"] as const;

export interface Assets {
  readonly chartJs: string;
  readonly client: string;
  readonly style: string;
}

let loaded: Promise<Assets> | undefined;

/** The page's scripts and style as text, for inlining. @throws when the package was installed without chart.js. */
export function loadAssets(): Promise<Assets> {
  loaded ??= readAssets();
  return loaded;
}

async function readAssets(): Promise<Assets> {
  // The UMD build is not among the package's exports; it lies beside the entry that is.
  const chartUrl = new URL("chart.umd.min.js", import.meta.resolve("chart.js"));
  const [chartJs, style, client] = await Promise.all([
    readFile(chartUrl, "utf8"),
    loadStyle(STYLE_FILES),
    loadScript("reports/html/client/main"),
  ]);
  return { chartJs: inlined(chartJs), style, client: inlined(client) };
}

/** Returns the style of a page that has no script: that of the report, and of a gate. */
export function loadGateStyle(): Promise<string> {
  return loadStyle([...STYLE_FILES, "gate"]);
}

async function loadStyle(names: readonly string[]): Promise<string> {
  return inlined((await Promise.all(names.map((name) => near(`${name}.css`)))).join("\n"));
}

function near(file: string): Promise<string> {
  return readFile(new URL(`./client/${file}`, import.meta.url), "utf8");
}

/**
 * Returns a module with all that it imports as one script. What the page shares with the harness, such as the rule of
 * the pick, comes from the compiled package, or without its types when run from source.
 */
export function loadScript(entry: string): Promise<string> {
  const extension = extname(import.meta.url);
  return linked(entry, async (path) => {
    const ending = path.startsWith("reports/html/client/") ? ".js" : extension;
    const text = (await readFile(new URL(`../../${path}${ending}`, import.meta.url), "utf8")).replaceAll("\r\n", "\n");
    return ending === ".ts" ? withoutTypes(text) : text;
  });
}

/**
 * Strips types and hides Node's warning about it, which the reader has seen: this file itself runs from source then.
 */
function withoutTypes(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Returns the Content-Security-Policy source of an inline script or style; nothing else can run. */
export function cspHash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** Removes what the parser would change: line ends, and references to source maps that are missing. */
function inlined(text: string): string {
  const clean = text.replaceAll("\r\n", "\n").replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n");
  if (/<\/(script|style)/i.test(clean))
    throw new Error("an asset of the page contains a closing tag and cannot be inlined");
  return clean;
}
