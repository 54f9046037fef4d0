/**
 * Maintenance (`npm run test:package`): builds and packs the package, installs it in a temporary folder, and uses it as
 * a foreign project would. It takes about two minutes and needs the registry or npm's cache, so `npm test` omits it.
 */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const LIMIT_MS = 180_000;
const folder = mkdtempSync(join(tmpdir(), "ipcmark-package-"));
const ipcmark = join(folder, "node_modules/ipcmark/dist/harness/cli/main.js");
let failures = 0;

function run(command: string, args: readonly string[], cwd = folder): SpawnSyncReturns<string> {
  return spawnSync(command, args, { cwd, encoding: "utf8", timeout: LIMIT_MS, maxBuffer: 2 ** 26 });
}

/** Prints whether a command ended as it should, and its last lines if it did not. */
function expectExit(wanted: number, command: string, args: readonly string[], cwd?: string): void {
  const { status, stdout, stderr } = run(command, args, cwd);
  const words = [command, ...args].join(" ").replaceAll(folder, "").replaceAll(process.execPath, "node");
  process.stdout.write(`${status === wanted ? "ok    " : "FAILED"} ${words}: exit ${status}\n`);
  if (status === wanted) return;
  failures++;
  process.stdout.write(`${`${stdout}\n${stderr}`.trim().split("\n").slice(-15).join("\n")}\n`);
}

/** Writes tests that use `ipcmark/testing` under two test runners, by the recipe of `transports/README.md`. */
function writeAuthorsTests(): void {
  const document = readFileSync(join(ROOT, "transports/README.md"), "utf8");
  const recipe = /```ts\n(import \{ test \} from "node:test";[^`]*(?:`[^`\n]*`[^`]*)*)\n```/.exec(document)?.[1];
  if (recipe === undefined) throw new Error("transports/README.md has no recipe for node:test any more");
  writeFileSync(join(folder, "node.test.ts"), recipe);
  writeFileSync(join(folder, "vitest.test.ts"), recipe.replace('"node:test"', '"vitest"'));
  copyFileSync(join(import.meta.dirname, "author/my-transport.ts"), join(folder, "my-transport.ts"));
  symlinkSync(join(ROOT, "node_modules/vitest"), join(folder, "node_modules/vitest"));
}

try {
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }\n');
  expectExit(0, "npm", ["pack", "--pack-destination", folder], ROOT);
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "no archive";
  expectExit(0, "npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", join(folder, archive)]);
  const node = (...args: readonly string[]): void => expectExit(0, process.execPath, [ipcmark, ...args]);
  node("list");
  node("doctor");
  node("check", "--transport", "unix", "--scenario", "sequential-requests", "--peer", "python");
  node("measure", "--transport", "shm/semaphore", "--quick", "--peer", "python");
  node("compare", "--transport", "unix", "fifo", "--quick");
  writeAuthorsTests();
  expectExit(0, process.execPath, ["--test", "node.test.ts"]);
  expectExit(0, process.execPath, ["node_modules/vitest/vitest.mjs", "run", "vitest.test.ts"]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures > 0 ? 1 : 0;
