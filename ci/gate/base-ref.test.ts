import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type CliResult, Sandbox } from "../../harness/testing/sandbox.ts";
import type { GateResult } from "./result.ts";

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
const QUICK = ["--transport", "./served.mjs", "--placement", "unpinned", "--payload", "64", "--messages", "60"];

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
  write({
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
  git("init", "--quiet");
  commit("base");
  git("branch", "base");
  mkdirSync(join(sandbox.directory, "node_modules/@team"), { recursive: true });
  symlinkSync("../../packages/wire", join(sandbox.directory, "node_modules/@team/wire"));
  sandbox.cwd = join(sandbox.directory, "bench");
});
afterEach(() => sandbox.remove());

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(sandbox.directory, path)), { recursive: true });
    writeFileSync(join(sandbox.directory, path), text);
  }
}

function git(...args: readonly string[]): void {
  const settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"];
  execFileSync("git", [...settings, ...args], { cwd: sandbox.directory });
}

function commit(message: string): void {
  git("add", "--all");
  git("commit", "--quiet", "--message", message);
}

function gate(args: readonly string[] = []): Promise<CliResult> {
  const out = join(sandbox.directory, "out");
  return sandbox.run(["gate", "--base", "base", "--pairs", "8", "--seed", "1", "--out", out, ...QUICK, ...args]);
}

function stored(): GateResult {
  return JSON.parse(readFileSync(join(sandbox.directory, "out/gate.json"), "utf8")) as GateResult;
}

it("measures a base with the workspace packages of its own commit, also from a folder of the repository", async () => {
  write({ "packages/wire/index.js": "export const served = 400_000;\n" });
  commit("slower");
  const { code, stderr } = await gate();
  expect(stderr).toContain("base: npm ci");
  expect([code, stderr]).toEqual([20, expect.stringContaining("regression: 1 of 1 cells")]);
  expect(stored().rows[0]?.confirm?.effect.ratio).toBeGreaterThan(1.5);
});

it("ends with 22 and the installer's reason where the base cannot be installed, unless a setup does", async () => {
  git("checkout", "--quiet", "base");
  write({ "package.json": JSON.stringify({ ...MANIFEST, dependencies: { "@team/absent": "file:absent" } }) });
  commit("out of step");
  git("branch", "--force", "broken");
  const { code, stderr } = await gate(["--base", "broken"]);
  expect([code, stderr]).toEqual([
    22,
    expect.stringMatching(/"npm ci.*" failed in the base: npm .*--base-setup.*--base-dir/),
  ]);
  const failing = await gate(["--base", "broken", "--base-setup", "echo no compiler >&2; exit 3"]);
  expect([failing.code, failing.stderr]).toEqual([22, expect.stringContaining("failed in the base: no compiler")]);
});
