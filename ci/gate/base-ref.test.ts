import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { keptTrees, listKeptTrees } from "../../harness/process/kept-trees.ts";
import { GitSandbox } from "../../harness/testing/git-sandbox.ts";
import type { CliResult } from "../../harness/testing/sandbox.ts";
import type { GateResult } from "./result.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const FIXTURE = new URL("../../harness/bench/fixtures/delayed-loopback.ts", import.meta.url).href;
const MODULE = `import { delayedLoopback } from ${JSON.stringify(FIXTURE)};
import { served } from "@team/wire";
export default delayedLoopback("served", [served]);
`;
const MANIFEST = { name: "team", private: true, type: "module", workspaces: ["packages/*"] };
const LOCK = {
  name: "team",
  lockfileVersion: 3,
  requires: true,
  packages: {
    "": { name: "team", workspaces: ["packages/*"] },
    "node_modules/@team/wire": { resolved: "packages/wire", link: true },
    "packages/wire": { name: "@team/wire", version: "1.0.0" },
  },
};
const QUICK = ["--placement", "unpinned", "--payload", "64", "--messages", "60", "--pairs", "8", "--seed", "1"];
const SERVED = ["--transport", "./served.mjs"];
/** Module that the base does not have: the gate opens the base and ends. */
const NEW = ["--transport", "./new.mjs"];

let caches: string;
beforeAll(() => {
  // Below the temporary directory nothing is kept.
  mkdirSync(join(ROOT, "node_modules/.cache"), { recursive: true });
  caches = mkdtempSync(join(ROOT, "node_modules/.cache/ipcmark-gate-test-"));
});
afterAll(() => rmSync(caches, { recursive: true, force: true }));

let sandbox: GitSandbox;
beforeEach(() => {
  sandbox = new GitSandbox();
  sandbox.write({
    ".gitignore": "node_modules\nout\ntmp\n",
    "package.json": JSON.stringify(MANIFEST),
    "package-lock.json": JSON.stringify(LOCK),
    "packages/wire/package.json": JSON.stringify({
      name: "@team/wire",
      version: "1.0.0",
      type: "module",
      main: "index.js",
    }),
    "packages/wire/index.js": "export const served = 200_000;\n",
    "bench/served.mjs": MODULE,
  });
  sandbox.commit("base");
  sandbox.git("branch", "base");
  mkdirSync(join(sandbox.directory, "node_modules/@team"), { recursive: true });
  symlinkSync("../../packages/wire", join(sandbox.directory, "node_modules/@team/wire"));
  sandbox.cwd = join(sandbox.directory, "bench");
});
afterEach(() => sandbox.remove());

function gate(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  const out = join(sandbox.directory, "out");
  return sandbox.run(["gate", "--out", out, ...QUICK, ...args], { XDG_CACHE_HOME: caches, ...env });
}

function stored(): GateResult {
  return JSON.parse(readFileSync(join(sandbox.directory, "out/gate.json"), "utf8")) as GateResult;
}

it("measures a base with the workspace packages of its own commit, from any folder, and keeps its tree", async () => {
  sandbox.write({ "packages/wire/index.js": "export const served = 400_000;\n" });
  sandbox.commit("slower");
  const { code, stderr } = await gate(["--base", "base", ...SERVED]);
  expect(stderr).toContain("base: npm ci");
  expect([code, stderr]).toEqual([20, expect.stringContaining("% slower than the base")]);
  const { rows, loaded } = stored();
  expect(rows[0]?.evidence?.effect.ratio).toBeGreaterThan(1.5);
  for (const files of [loaded?.base, loaded?.head]) {
    expect(files).toEqual(expect.arrayContaining(["bench/served.mjs", "packages/wire/index.js"]));
  }
  expect(loaded?.harness).toEqual(expect.arrayContaining([expect.stringMatching(/harness\/driver\/main\.ts$/)]));
  expect(loaded?.harness.filter((path) => /transports\/(?!contract|support|posix|registry)/.test(path))).toEqual([]);

  const trees = keptTrees(false, { XDG_CACHE_HOME: caches });
  if (typeof trees !== "string") return;
  sandbox.write({ "bench/new.mjs": MODULE });
  const again = await gate(["--base", "base", ...NEW]);
  expect([again.code, again.stderr]).toEqual([22, expect.stringContaining("base: installed by an earlier run")]);
  expect(again.stderr).not.toContain("npm ci");
  expect(listKeptTrees(trees)).toHaveLength(1);
  const emptied = await sandbox.run(["doctor", "--empty-cache"], { XDG_CACHE_HOME: caches });
  expect(emptied.stderr).toContain("removed 1 base that the gate had kept");
  expect([listKeptTrees(trees), sandbox.leftovers()]).toEqual([[], []]);
});

it("ends with 22 where the base loads a file of the head, after a sentence on each oddity of the two", async () => {
  const path = join(sandbox.directory, "packages/wire/index.js");
  sandbox.write({
    "bench/served.mjs": MODULE.replace("@team/wire", path),
    ".git/hooks/post-checkout": "#!/bin/sh\nexit 1\n",
  });
  chmodSync(join(sandbox.directory, ".git/hooks/post-checkout"), 0o755);
  sandbox.commit("by its path");
  sandbox.write({ "packages/wire/index.js": "export const served = 210_000;\n" });
  const { code, stdout, stderr } = await gate(["--base", "HEAD", ...SERVED]);
  expect([code, stdout]).toEqual([22, expect.stringContaining(`base: it loaded ${path}, a file of the head`)]);
  expect(stderr).toContain("base and head are the same commit");
  expect(stderr).toContain("not committed (packages/wire/index.js)");
  expect(stderr).toContain("the post-checkout hook of this repository does not run");
  expect(stored().warnings.map(({ id }) => id)).toEqual(expect.arrayContaining(["same-commit", "uncommitted-changes"]));
});

it("takes the base's transports from the base's tree where ipcmark itself is under test", async () => {
  const base = join(sandbox.directory, "ipcmark");
  cpSync(join(ROOT, "transports"), join(base, "transports"), { recursive: true });
  writeFileSync(join(base, "package.json"), JSON.stringify({ type: "module" }));
  const ours = join(ROOT, "transports/loopback/loopback.ts");
  rmSync(join(base, "transports/loopback/loopback.ts"));
  symlinkSync(ours, join(base, "transports/loopback/loopback.ts"));
  sandbox.cwd = ROOT;
  const { code, stdout } = await gate(["--base-dir", base, "--transport", "loopback"]);
  // The first file: none that the harness loads for itself is taken for the base's.
  expect([code, stdout]).toEqual([22, expect.stringContaining(`base: it loaded ${ours},`)]);
});

it("ends with 22 and the reason of the installer or the setup where the base cannot be installed", async () => {
  sandbox.write({ "package.json": JSON.stringify({ ...MANIFEST, dependencies: { "@team/absent": "file:absent" } }) });
  sandbox.commit("out of step");
  const { code, stderr } = await gate(["--base", "HEAD", ...SERVED]);
  const installer = expect.stringMatching(/"npm ci.*" failed in the base: .*lock file.*--base-setup.*--base-dir/);
  expect([code, stderr]).toEqual([22, installer]);
  const [summary, xml] = [join(sandbox.directory, "out/summary.md"), join(sandbox.directory, "out/gate.xml")];
  const setup = ["--base-setup", "echo no compiler >&2; exit 3", "--junit", xml];
  const failing = await gate(["--base", "HEAD", ...setup, ...SERVED], { GITHUB_STEP_SUMMARY: summary });
  const why = "failed in the base: no compiler; mend --base-setup, or use --base-dir";
  expect([failing.code, failing.stderr]).toEqual([22, expect.stringContaining(why)]);
  // Those who see only the pull request learn it too.
  expect(readFileSync(summary, "utf8")).toMatch(/^### incomplete: .*failed in the base: no compiler/);
  expect(readFileSync(xml, "utf8")).toContain('errors="1"');
  expect(stored().baseFailure).toContain(why);
});

it("uses packages that are committed in the base", async () => {
  sandbox.write({ ".gitignore": "out\ntmp\n" });
  sandbox.commit("with its packages");
  sandbox.write({ "bench/new.mjs": MODULE });
  const { code, stderr } = await gate(["--base", "HEAD", ...NEW]);
  expect([code, stderr]).toEqual([22, expect.stringContaining("node_modules is committed in the base")]);
  expect(stderr).not.toContain("npm ci");
});

it("advises to fetch more where a shallow clone lacks the base", async () => {
  const clone = join(sandbox.directory, "clone");
  sandbox.git("clone", "--quiet", "--depth", "1", `file://${sandbox.directory}`, clone);
  sandbox.cwd = join(clone, "bench");
  const { code, stderr } = await gate(["--base", "base", ...SERVED]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/shallow.*fetch-depth: 0/)]);
});
