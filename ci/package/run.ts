/**
 * Maintenance (`npm run test:package`): builds and packs the package, installs it in empty projects, and uses it as a
 * stranger would, on each supported major version of Node. It needs the registry or npm's cache, so `npm test` does not
 * run it. `-- --short` is the part that `.ci/run` has time for: the least version of Node and the newest, and no
 * measurement.
 */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { EXIT } from "../../harness/results/exit-codes.ts";
import { blocksOf } from "../docs-commands.ts";

const ROOT = join(import.meta.dirname, "../..");
const AUTHOR = join(import.meta.dirname, "author/my-transport.ts");
const LIMIT_MS = 180_000;
const MAIN = "node_modules/ipcmark/dist/harness/cli/main.js";
const isShort = process.argv.includes("--short");
/** Major versions besides the one that runs this, and one that is too old. */
const OTHERS = isShort ? ["22"] : ["22", "24"];
const TOO_OLD = "20";
const TOOLS = ["publint@0.3.25", "@arethetypeswrong/cli@0.18.5"];

const folder = mkdtempSync(join(tmpdir(), "ipcmark-package-"));
let failures = 0;

function run(command: string, args: readonly string[], cwd: string): SpawnSyncReturns<string> {
  return spawnSync(command, args, { cwd, encoding: "utf8", timeout: LIMIT_MS, maxBuffer: 2 ** 26 });
}

/** Prints whether a command ended as it should with what it should print, and its last lines if it did not. */
function expectExit(cwd: string, wanted: number, command: string, args: readonly string[], pattern = /(?:)/): void {
  const { status, stdout, stderr } = run(command, args, cwd);
  const isRight = status === wanted && pattern.test(stdout + stderr);
  const words = [command, ...args].join(" ").replaceAll(folder, "").replace(process.execPath, "node");
  process.stdout.write(`${isRight ? "ok    " : "FAILED"} ${basename(cwd)}: ${words}: exit ${status}\n`);
  if (isRight) return;
  failures++;
  process.stdout.write(`${`${stdout}\n${stderr}`.trim().split("\n").slice(-15).join("\n")}\nexpected: ${pattern}\n`);
}

/** Makes a project as `npm init -y` does, which is CommonJS, and installs packages in it. */
function makeProject(name: string, packages: readonly string[], flags: readonly string[] = []): string {
  const project = join(folder, name);
  mkdirSync(project);
  expectExit(project, 0, "npm", ["init", "-y"]);
  expectExit(project, 0, "npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...flags, ...packages]);
  return project;
}

/** Writes tests that use `ipcmark/testing` under two test runners, by the recipe of `transports/README.md`. */
function writeAuthorsTests(project: string): void {
  const document = readFileSync(join(ROOT, "transports/README.md"), "utf8");
  const recipe = /```ts\n(import \{ test \} from "node:test";[^`]*(?:`[^`\n]*`[^`]*)*)\n```/.exec(document)?.[1];
  if (recipe === undefined) throw new Error("transports/README.md has no recipe for node:test any more");
  const code = recipe.replaceAll("my-transport.ts", "my-transport.mts");
  writeFileSync(join(project, "node.test.mts"), code);
  writeFileSync(join(project, "vitest.test.mts"), code.replace('"node:test"', '"vitest"'));
  symlinkSync(join(ROOT, "node_modules/vitest"), join(project, "node_modules/vitest"));
}

/** Compiles the modules of all documents against the types of the package. */
function compileDocuments(project: string): void {
  const documents = run("git", ["ls-files", "*.md"], ROOT).stdout.trim().split("\n");
  const modules = documents
    .flatMap((path) => blocksOf(path, readFileSync(join(ROOT, path), "utf8")))
    .filter(({ language, code }) => language === "ts" && code.startsWith("import "))
    .map(({ document, code }, index) => {
      const name = `${index}-${document.replaceAll("/", "-")}.mts`;
      writeFileSync(join(project, name), code.replaceAll("my-transport.ts", "my-transport.mts"));
      return name;
    });
  const flags = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--allowImportingTsExtensions"];
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const types = ["--typeRoots", join(ROOT, "node_modules/@types"), "--types", "node"];
  expectExit(project, 0, process.execPath, [compiler, ...flags, ...types, ...modules]);
}

/** Uses a package whose optional packages are installed, or left out, with one version of Node. */
function useOn(project: string, node: string, isWhole: boolean): void {
  const list = isWhole ? /POSIX binding: koffi|ffi-rs/ : /\(1\) optional packages are not installed \(.*npm install /;
  expectExit(project, 0, node, [MAIN, "list"], list);
  const check = ["check", "--transport", "./my-transport.mts", "stdio", "--scenario", "sequential-requests"];
  expectExit(project, 0, node, [MAIN, ...check], /2 passed.*written: \S*from-the-configuration/s);
  expectExit(project, EXIT.usage, node, [MAIN, "list", "--transport", "./plain.ts"], /rename it to \.\/plain\.mts/);
}

/** Writes a module and a configuration as `.mts`, and a module as `.ts`, which CommonJS refuses. */
function writeModules(project: string): void {
  const code = 'import { defineConfig } from "ipcmark";\nexport default defineConfig({ flags: { out: "OUT" } });\n';
  writeFileSync(join(project, "ipcmark.config.mts"), code.replace("OUT", "from-the-configuration"));
  copyFileSync(AUTHOR, join(project, "my-transport.mts"));
  copyFileSync(AUTHOR, join(project, "plain.ts"));
}

/** Measures, and runs the conformance suite under two test runners. */
function useAsAuthor(project: string): void {
  const node = (...args: readonly string[]): void => expectExit(project, 0, process.execPath, [MAIN, ...args]);
  node("doctor");
  node("measure", "--transport", "shm/semaphore", "--quick", "--peer", "python");
  node("compare", "--transport", "unix", "fifo", "--quick", "--placement", "same-cpu");
  writeAuthorsTests(project);
  expectExit(project, 0, process.execPath, ["--test", "node.test.mts"]);
  expectExit(project, 0, process.execPath, ["node_modules/vitest/vitest.mjs", "run", "vitest.test.mts"]);
}

/** Installs versions of Node and returns the paths of their programs. */
function installNodes(): { readonly good: readonly string[]; readonly tooOld: string | undefined } {
  const install = (major: string): string =>
    join(makeProject(`node-${major}`, [`node@${major}`]), "node_modules/node/bin/node");
  return { good: [process.execPath, ...OTHERS.map(install)], tooOld: isShort ? undefined : install(TOO_OLD) };
}

try {
  // What an earlier build left must not be packed.
  mkdirSync(join(ROOT, "dist"), { recursive: true });
  writeFileSync(join(ROOT, "dist/deleted.js"), "");
  expectExit(ROOT, 0, "npm", ["pack", "--pack-destination", folder]);
  const archive = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "no archive");
  expectExit(folder, 0, "tar", ["-tzf", archive], /^(?!.*deleted\.js).*dist\/harness\/cli\/main\.js/s);
  const { good, tooOld } = installNodes();
  const whole = makeProject("whole", [archive]);
  // CI of a user installs from the lock file, which `npm ci` refuses if the package of one platform is missing in it.
  expectExit(whole, 0, "npm", ["ci", "--dry-run"]);
  const bare = makeProject("bare", [archive], ["--omit=optional"]);
  for (const project of [whole, bare]) {
    writeModules(project);
    for (const node of good) useOn(project, node, project === whole);
  }
  if (tooOld !== undefined)
    expectExit(whole, EXIT.refused, tooOld, [MAIN, "list"], /^ipcmark: Node 20[^\n]* is too old[^\n]*\n$/);
  compileDocuments(whole);
  if (!isShort) useAsAuthor(whole);
  const tools = makeProject("tools", TOOLS);
  expectExit(tools, 0, "npx", ["publint", "--strict", archive]);
  // Node 22.18 and later load the package by `require` too; only these resolve it, so older ways are not examined.
  expectExit(tools, 0, "npx", ["attw", "--profile", "esm-only", archive]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures > 0 ? 1 : 0;
