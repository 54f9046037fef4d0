import { posix } from "node:path";

/** Returns the text of a module as JavaScript, by its path below the root without its ending. */
export type ReadModule = (path: string) => Promise<string>;

const IMPORT = /^import \{([^}]*)\} from ["](\.[^"]+)["];?$/gm;
const EXPORT = /^export (?=(?:async )?(?:function|const|class) (\w+))/gm;
/** Import or export that the rules above do not cover; a comment never begins a line with these words. */
const OTHER = /^(?:import\b(?!\()|export\b).*/m;

/**
 * Joins a module and all that it imports into one script, because a page opened from `file://` cannot import. Each
 * module has a scope of its own, so its names need to be unique in its own file only.
 *
 * @param entry path of the module whose exports are the value of the script
 * @throws for modules that import each other, and for a package
 */
export async function linked(entry: string, read: ReadModule): Promise<string> {
  const written = new Map<string, string>();
  const open = new Set<string>();
  const add = async (path: string): Promise<void> => {
    if (written.has(path)) return;
    if (open.has(path)) throw new Error(`the page cannot load "${path}": it imports itself through another module`);
    open.add(path);
    const { text, imports } = scoped(path, await read(path));
    for (const each of imports) await add(each);
    written.set(path, text);
  };
  await add(entry);
  const parts = [...written].map(([path, text]) => `modules[${JSON.stringify(path)}] = ${text};`);
  const lines = ['"use strict";', "const modules = {};", ...parts, `return modules[${JSON.stringify(entry)}];`];
  return `(() => {\n${lines.join("\n")}\n})();`;
}

/** Makes a function of a module that returns its exports; lists the paths of what it imports. */
function scoped(path: string, source: string): { readonly text: string; readonly imports: readonly string[] } {
  const imports: string[] = [];
  const names = [...source.matchAll(EXPORT)].map(([, name]) => name);
  const body = source
    .replace(IMPORT, (_, list: string, from: string) => {
      const wanted = list
        .split(",")
        .map((name) => name.trim().replace(/ as /, ": "))
        .filter((name) => name !== "");
      // Only types were imported.
      if (wanted.length === 0) return "";
      const other = posix.join(posix.dirname(path), from).replace(/\.[jt]s$/, "");
      imports.push(other);
      return `const { ${wanted.join(", ")} } = modules[${JSON.stringify(other)}];`;
    })
    .replace(EXPORT, "")
    .replace(/^export \{\s*\};?$/gm, "");
  const rest = OTHER.exec(body);
  if (rest !== null) throw new Error(`the page cannot load "${path}": it has "${rest[0].trim()}"`);
  return { text: `(() => {\n${body}\nreturn { ${names.join(", ")} };\n})()`, imports };
}
