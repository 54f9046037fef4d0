/** Messages of Node about a file that cannot be imported, with what its author can do. */
const REMEDIES: readonly (readonly [message: RegExp, remedy: (path: string, found: readonly string[]) => string])[] = [
  [
    /Cannot use import statement outside a module|Unexpected token 'export'|Cannot use 'import\.meta' outside a module/,
    (path) => `rename it to ${path.replace(/\.([jt])s$/, ".m$1s")}, or write "type": "module" into package.json`,
  ],
  [
    /strip-only mode/,
    () => "Node only strips types: write it without enums, namespaces and parameter properties, or compile it first",
  ],
  [/types is currently unsupported for files under node_modules/, () => "compile that file to JavaScript"],
  [
    /does not provide an export named '([^']+)'/,
    (_, [, name = ""]) => `if ${name} is a type, write \`import type { ${name} }\``,
  ],
  [/Cannot find package '(@[^/']+\/[^/']+|[^/'.]+)/, (_, [, name = ""]) => `run npm install ${name}`],
  [/Cannot find module '[^']*\/[^./']+' imported/, () => "an import names the whole file, such as ./name.ts"],
];

/** Returns the message of a failed import in one line, with a remedy where one is known. */
export function withRemedy(message: string, path: string): string {
  for (const [pattern, remedy] of REMEDIES) {
    const found = pattern.exec(message);
    if (found !== null) return `${message}; ${remedy(path, found)}`;
  }
  return message;
}

/**
 * Imports a module of the user and returns its default export. Node's warnings on the kind of the module are left out,
 * since a failure has a sentence of its own.
 */
export async function importDefault(url: string): Promise<unknown> {
  const printers = process.listeners("warning");
  const print = (warning: Error): void => {
    if (!/ES module|MODULE_TYPELESS/.test(warning.message + ("code" in warning ? warning.code : "")))
      for (const printer of printers) printer(warning);
  };
  process.removeAllListeners("warning").on("warning", print);
  try {
    return ((await import(url)) as { readonly default?: unknown }).default;
  } finally {
    // Warnings are emitted behind the import.
    await new Promise(setImmediate);
    process.removeListener("warning", print);
    for (const printer of printers) process.on("warning", printer);
  }
}
