/**
 * Maintenance (`npm run test:nodes [-- <file...>]`): runs the tests on each supported major version of Node, which it
 * installs in a temporary folder. The whole suite takes about 6 minutes for each.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const MAJORS = ["22", "24", "26"];

const folder = mkdtempSync(join(tmpdir(), "ipcmark-nodes-"));
const failed: string[] = [];
try {
  for (const major of MAJORS) {
    const project = mkdtempSync(join(folder, `${major}-`));
    writeFileSync(join(project, "package.json"), '{ "private": true }\n');
    const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", `node@${major}`];
    spawnSync("npm", install, { cwd: project, stdio: "inherit" });
    const bin = join(project, "node_modules/node/bin");
    // Tests start `node` too: it is the one that runs them.
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"]}` };
    const args = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", ...process.argv.slice(2)];
    const { status } = spawnSync(join(bin, "node"), args, { cwd: ROOT, env, stdio: "inherit" });
    process.stdout.write(`Node ${major}: exit ${status}\n\n`);
    if (status !== 0) failed.push(major);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(failed.length === 0 ? "passed on every Node\n" : `failed on Node ${failed.join(", ")}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
