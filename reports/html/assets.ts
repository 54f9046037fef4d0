import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { extname } from "node:path";

/** Modules that the page shares with the terminal, since unselecting a transport ranks again. Order matters. */
const SHARED_FILES = ["quantiles", "intervals", "format", "ranking"] as const;
/** Client files, concatenated in this order after the shared ones: a file may use only what stands before it. */
const CLIENT_FILES = [
  "data",
  "state",
  "signs",
  "look",
  "dom",
  "fit",
  "charts",
  "findings",
  "ranking",
  "figures",
  "main",
] as const;
const STYLE_FILES = ["page", "top", "tables", "figures", "print"] as const;

export interface Assets {
  readonly chartJs: string;
  readonly client: string;
  readonly style: string;
}

/** The page's scripts and style as text, for inlining. @throws when the package was installed without chart.js. */
export async function loadAssets(): Promise<Assets> {
  // The UMD build is not among the package's exports; it lies beside the entry that is.
  const chartUrl = new URL("chart.umd.min.js", import.meta.resolve("chart.js"));
  const [chartJs, style, client] = await Promise.all([
    readFile(chartUrl, "utf8"),
    loadStyle(STYLE_FILES),
    Promise.all(CLIENT_FILES.map((name) => near(`${name}.js`))),
  ]);
  const modules = [...(await sharedModules()), ...client];
  return { chartJs: inlined(chartJs), style, client: inlined(bundle(modules)) };
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

/** Reads the shared files as JavaScript: from the compiled package, or without their types when run from source. */
export function sharedModules(): Promise<string[]> {
  const extension = extname(import.meta.url);
  return Promise.all(
    SHARED_FILES.map(async (name) => {
      const text = await readFile(new URL(`../../harness/results/${name}${extension}`, import.meta.url), "utf8");
      return extension === ".ts" ? withoutTypes(text) : text;
    }),
  );
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

/**
 * Joins the client files into one script. They are modules, so that they can be checked and tested one by one, but a
 * page opened from file:// cannot import. So import statements go, `export` goes, and all files share one scope, in
 * which names are unique.
 */
export function bundle(modules: readonly string[]): string {
  const bodies = modules.map((text) =>
    text.replace(/^import [^;]*;$/gm, "").replace(/^export (?=(async )?(function|const|class) )/gm, ""),
  );
  return `(() => {\n"use strict";\n${bodies.join("\n")}\n})();`;
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
