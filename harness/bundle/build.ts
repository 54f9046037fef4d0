import { readFileSync, statSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildOptions, Plugin, PluginBuild } from "esbuild";
import { inTime } from "../process/in-time.ts";
import { BUNDLED_ENTRIES, bundledName } from "../process/node-command.ts";
import { type Group, groupsOf } from "./groups.ts";
import { hashOf, type Input, readInput, stampOf } from "./manifest.ts";

/** Modules that ours require on demand: each stays a file of its own, under its last name. */
const REQUIRED = ["transports/sockets/unix-blocking", "transports/pipes/fifo-blocking"] as const;
const REQUIRE_PATTERN = /createRequire\(import\.meta\.url\)\(`\.\/([\w-]+)\$\{extname\(import\.meta\.filename\)\}`\)/g;

/** Module that imports what is under test. */
export const IMPORTER = "harness/process/import-tested";

/** Limit of a build, ms; a tenth of a second is usual. */
const BUILD_TIMEOUT_MS = 10_000;

/** Files of a bundle in memory. */
export interface Built {
  readonly files: readonly {
    readonly name: string;
    readonly content: Uint8Array;
    readonly inputs: readonly string[];
  }[];
  readonly inputs: readonly Input[];
}

/**
 * Bundles the processes that a run starts most: driver and peer. Their common modules and later imports get files of
 * their own. Packages stay where they are.
 *
 * @param root directory of the package
 * @param extension extension of our modules: `.ts` in a checkout, `.js` in the published package
 * @throws Error when esbuild is not installed or rejects a module
 */
export async function build(root: string, code: string, extension: string): Promise<Built> {
  const esbuild = await import("esbuild");
  const inputs = new Map<string, Input>();
  // The code that makes a bundle is an input too.
  for (const name of ["build", "groups"]) {
    note(inputs, root, relative(root, join(import.meta.dirname, `${name}${extension}`)));
  }
  const entry = (path: string): string => join(code, `${path}${extension}`);
  // Nothing is written there.
  const outdir = join(root, "bundle");
  const options: BuildOptions & { readonly metafile: true; readonly write: false } = {
    absWorkingDir: root,
    outdir,
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    // The output runs as written: nothing is lowered or renamed, and no file of settings is read.
    target: "esnext",
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    // The conditions of Node, and none of a bundler's own.
    conditions: ["node-addons", "module-sync"],
    logLevel: "silent",
    legalComments: "none",
    entryPoints: [
      ...BUNDLED_ENTRIES.map((path) => ({ in: `bundled:${path}`, out: withoutExtension(bundledName(path)) })),
      // A file of its own, by which the list of loaded files tells what is under test from the harness.
      { in: entry(IMPORTER), out: "import-tested" },
      ...REQUIRED.map((path) => ({ in: entry(path), out: path.slice(path.lastIndexOf("/") + 1) })),
    ],
    chunkNames: "[name]-[hash]",
    // ES modules wherever they lie.
    outExtension: { ".js": ".mjs" },
    plugins: [
      {
        name: "ipcmark",
        setup(build) {
          entries(build, code, extension);
          const groups = groupsOf(entry);
          resolveGroups(build, code, groups);
          packagesStayFiles(build, root, inputs);
          ownModules(build, root, inputs, groups);
        },
      } satisfies Plugin,
    ],
  };
  try {
    const { outputFiles, metafile } = await inTime("esbuild", BUILD_TIMEOUT_MS, () => esbuild.build(options));
    const outputs = Object.values(metafile.outputs);
    const files = outputFiles.map(({ path, contents }, index) => ({
      name: relative(outdir, path),
      content: contents,
      inputs: Object.keys(outputs[index]?.inputs ?? {}).filter((name) => inputs.has(name)),
    }));
    return { files, inputs: [...inputs.values()] };
  } finally {
    await esbuild.stop();
  }
}

function withoutExtension(name: string): string {
  return name.slice(0, -extname(name).length);
}

/** Adds the entries. Each first notes that it runs from a bundle, so that the processes it starts do too. */
function entries(build: PluginBuild, code: string, extension: string): void {
  build.onResolve({ filter: /^bundled:/ }, ({ path }) => ({
    path: path.slice("bundled:".length),
    namespace: "bundled",
  }));
  build.onLoad({ filter: /./, namespace: "bundled" }, ({ path }) => ({
    contents: `import "here:";\nimport ${JSON.stringify(join(code, "harness", `${path}${extension}`))};\n`,
    resolveDir: code,
  }));
  build.onResolve({ filter: /^here:$/ }, ({ path }) => ({ path, namespace: "here" }));
  build.onLoad({ filter: /./, namespace: "here" }, () => ({
    contents: `import { runsFromBundle } from ${JSON.stringify(join(code, `harness/process/node-command${extension}`))};
runsFromBundle(import.meta.dirname);\n`,
    resolveDir: code,
  }));
}

/** Makes one file of each group: a module outside of it loads all of it first, whichever part it uses. */
function resolveGroups(build: PluginBuild, code: string, groups: readonly Group[]): void {
  build.onResolve({ filter: /^group:/ }, ({ path }) => ({ path: path.slice("group:".length), namespace: "group" }));
  build.onLoad({ filter: /./, namespace: "group" }, ({ path }) => {
    const { modules } = groups.find(({ name }) => name === path) as Group;
    return { contents: [...modules].map((module) => `import ${JSON.stringify(module)};`).join("\n"), resolveDir: code };
  });
}

const ASKED_ALREADY = Symbol("resolved by esbuild itself");

/** Imports packages by their present path, which holds wherever the bundle lies. */
function packagesStayFiles(build: PluginBuild, root: string, inputs: Map<string, Input>): void {
  build.onResolve({ filter: /^[@a-z]/ }, async ({ path, kind, resolveDir, pluginData, namespace }) => {
    if (pluginData === ASKED_ALREADY || namespace !== "file" || path.startsWith("node:")) return undefined;
    const found = await build.resolve(path, { kind, resolveDir, pluginData: ASKED_ALREADY });
    const name = path.split("/", path.startsWith("@") ? 2 : 1).join("/");
    if (found.errors.length > 0) {
      note(inputs, root, join("node_modules", name, "package.json"));
      return { path, external: true };
    }
    const home = found.path.slice(0, found.path.lastIndexOf(join("node_modules", name)));
    note(inputs, root, relative(root, join(home, "node_modules", name, "package.json")));
    return { path: pathToFileURL(found.path).href, external: true };
  });
}

function note(inputs: Map<string, Input>, root: string, path: string): void {
  if (!inputs.has(path)) inputs.set(path, readInput(root, path));
}

/** Loads our modules with the `import.meta` of their place in the package, by which they find their neighbours. */
function ownModules(build: PluginBuild, root: string, inputs: Map<string, Input>, groups: readonly Group[]): void {
  build.onLoad({ filter: /\.[jt]s$/, namespace: "file" }, ({ path }) => {
    // Before the content: a write in between then shows as a change.
    const stamp = stampOf(statSync(path));
    const content = readFileSync(path);
    const name = relative(root, path);
    inputs.set(name, { path: name, hash: hashOf(content), stamp });
    const before = groups.filter(({ modules, users }) => !modules.has(path) && users.test(path));
    const first = before.map(({ name }) => `import "group:${name}";`).join(" ");
    return {
      contents: first + withBuiltins(inPlace(content.toString("utf8"), path)),
      loader: path.endsWith(".ts") ? "ts" : "js",
    };
  });
}

function inPlace(text: string, path: string): string {
  if (!text.includes("import.meta")) return text;
  const required = text.replaceAll(REQUIRE_PATTERN, (_, name: string) => {
    if (!REQUIRED.some((known) => known.endsWith(`/${name}`)))
      throw new Error(`${path} requires ${name}, which is not in REQUIRED`);
    return `createRequire(import.meta.bundle)("./${name}.mjs")`;
  });
  return required
    .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href))
    .replaceAll("import.meta.filename", JSON.stringify(path))
    .replaceAll("import.meta.dirname", JSON.stringify(join(path, "..")))
    .replaceAll("import.meta.bundle", "import.meta.url");
}

const BUILTIN_PATTERN = /^import (?!type )(?:\{([^"';]+)\}|(\w+)) from ["](node:[\w/]+)["];$/gm;

/**
 * Takes the imports of Node from `process.getBuiltinModule`. An import makes Node evaluate the whole module, with the
 * parts that it otherwise loads on use: `node:fs` costs 9 instead of 0.01 ms, `node:http` 100 instead of 11 ms.
 */
function withBuiltins(text: string): string {
  return text.replaceAll(BUILTIN_PATTERN, (_, names: string | undefined, whole: string, module: string) => {
    const from = `process.getBuiltinModule("${module}");`;
    if (names === undefined) return `const ${whole} = ${from}`;
    const wanted = names.split(",").map((name) => name.trim());
    const values = wanted.filter((name) => name !== "" && !name.startsWith("type "));
    return `const { ${values.map((name) => name.replace(" as ", ": ")).join(", ")} } = ${from}`;
  });
}
