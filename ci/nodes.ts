/**
 * Maintenance: runs the tests on each supported major version of Node, which npm installs in a temporary folder.
 *
 *     npm run test:nodes [-- --node 22 --shard 1/6 <file...>]
 *
 * The whole suite takes about 6 minutes on each; `--shard` runs a part of its files, as that option of Vitest does.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { EXIT } from "../harness/results/exit-codes.ts";

const ROOT = join(import.meta.dirname, "..");
const MAJORS = ["22", "24", "26"];

interface Options {
  readonly majors: readonly string[];
  /** Arguments of Vitest. */
  readonly rest: readonly string[];
}

function options(): Options {
  const known = { node: { type: "string", multiple: true }, shard: { type: "string" } } as const;
  try {
    const { values, positionals } = parseArgs({ options: known, allowPositionals: true });
    const { node: majors = MAJORS, shard } = values;
    const wrong = majors.find((major) => !MAJORS.includes(major));
    if (wrong !== undefined) throw new Error(`--node ${wrong} is not one of ${MAJORS.join(", ")}`);
    return { majors, rest: [...(shard === undefined ? [] : [`--shard=${shard}`]), ...positionals] };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}; valid options: --node <major>, --shard <part>/<parts>\n`);
    process.exit(EXIT.usage);
  }
}

/** Runs the tests on one version. @returns the exit code, and the version that ran them */
function runOn(folder: string, major: string, rest: readonly string[]): { status: number; version: string } {
  const project = mkdtempSync(join(folder, `${major}-`));
  writeFileSync(join(project, "package.json"), '{ "private": true, "allowScripts": { "node": true } }\n');
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", `node@${major}`];
  spawnSync("npm", install, { cwd: project, stdio: "inherit" });
  const bin = join(project, "node_modules/node/bin");
  const node = join(bin, "node");
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout?.trim();
  if (!version) return { status: EXIT.incomplete, version: `v${major}, which cannot be installed here` };
  // Tests start `node` too: it is the one that runs them.
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"]}` };
  const args = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", ...rest];
  return { status: spawnSync(node, args, { cwd: ROOT, env, stdio: "inherit" }).status ?? EXIT.crash, version };
}

const { majors, rest } = options();
const folder = mkdtempSync(join(tmpdir(), "ipcmark-nodes-"));
const failed: string[] = [];
try {
  for (const major of majors) {
    const { status, version } = runOn(folder, major, rest);
    process.stdout.write(`Node ${version}: exit ${status}\n\n`);
    if (status !== 0) failed.push(version);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(failed.length === 0 ? "passed on every Node\n" : `failed on Node ${failed.join(", ")}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
