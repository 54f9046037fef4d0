import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitSandbox } from "../../harness/testing/git-sandbox.ts";

// Not an import: the types are tested in clones whose packages are older too.
const { parse } = createRequire(import.meta.url)("yaml") as { readonly parse: (text: string) => unknown };

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly on: unknown;
  readonly permissions: unknown;
  readonly jobs: { readonly gate: { readonly permissions?: unknown; readonly steps: readonly Step[] } };
}

interface Pipeline {
  readonly "ipc-gate": {
    readonly variables: Readonly<Record<string, unknown>>;
    readonly rules: readonly unknown[];
    readonly script: readonly string[];
    readonly artifacts: {
      readonly when: string;
      readonly paths: readonly string[];
      readonly reports: Readonly<Record<string, string>>;
    };
  };
}

const template = (name: string): unknown => parse(readFileSync(join(import.meta.dirname, name), "utf8"));
const workflow = template("github-actions.yml") as Workflow;
const pipeline = template("gitlab-ci.yml") as Pipeline;
const MAIN = new URL("../../harness/cli/main.ts", import.meta.url).href;
const BIN = "node_modules/.bin/ipcmark";
/** A runner has the Node that its workflow sets up; the first one of a machine may be too old. */
const PATH = [dirname(process.execPath), process.env["PATH"]].join(delimiter);

let sandbox: GitSandbox;
beforeEach(() => {
  sandbox = new GitSandbox();
});
afterEach(() => sandbox.remove());

/** Makes a project that has ipcmark as a package, and whose command became 30 % slower in the latest commit. */
function makeProject(): void {
  const vendored = { name: "ipcmark", version: "1.0.0", bin: "main.mjs", type: "module" };
  const manifest = { name: "team", private: true, type: "module", devDependencies: { ipcmark: "file:vendor/ipcmark" } };
  const { name, version, bin } = vendored;
  const packages = {
    "": manifest,
    "node_modules/ipcmark": { resolved: "vendor/ipcmark", link: true },
    "vendor/ipcmark": { name, version, dev: true, bin: { ipcmark: bin } },
  };
  sandbox.write({
    ".gitignore": "node_modules\nipcmark-out\ntmp\n",
    "package.json": JSON.stringify(manifest),
    "package-lock.json": JSON.stringify({ name: "team", lockfileVersion: 3, requires: true, packages }),
    "vendor/ipcmark/package.json": JSON.stringify(vendored),
    "vendor/ipcmark/main.mjs": `#!/usr/bin/env node\nawait import(${JSON.stringify(MAIN)});\n`,
    "ipcmark.config.mjs": 'export default { gate: { cmd: "cat latency", pairs: 8, seed: 1 } };\n',
    latency: '{"name":"latency","value":100,"unit":"us"}\n',
  });
  sandbox.commit("base");
  sandbox.write({ latency: '{"name":"latency","value":130,"unit":"us"}\n' });
  sandbox.commit("slower");
}

/** Runs steps as a runner does: a shell for each, which ends at the first failure. */
function execute(
  steps: readonly string[],
  env: NodeJS.ProcessEnv = {},
): { readonly code: number; readonly output: string } {
  let output = "";
  for (const step of steps) {
    const found = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", step], {
      cwd: sandbox.directory,
      env: { ...process.env, PATH, TMPDIR: sandbox.temporary, XDG_CACHE_HOME: sandbox.temporary, ...env },
      encoding: "utf8",
    });
    output += found.stdout + found.stderr;
    if (found.status !== 0) return { code: found.status ?? -1, output };
  }
  return { code: 0, output };
}

describe("the template of GitHub Actions", () => {
  const { steps } = workflow.jobs.gate;

  it("may read, and nothing else, and uses three actions of GitHub", () => {
    expect([workflow.on, workflow.permissions]).toEqual([{ pull_request: null }, { contents: "read" }]);
    expect(workflow.jobs.gate.permissions).toBeUndefined();
    const used = steps.flatMap(({ uses }) => uses?.replace(/@v\d+$/, "") ?? []);
    expect(used).toEqual(["actions/checkout", "actions/setup-node", "actions/upload-artifact"]);
    expect(steps[0]?.with).toEqual({ "fetch-depth": 0, "persist-credentials": false });
    expect(steps.at(-1)).toMatchObject({ if: "!cancelled()", with: { path: "ipcmark-out/" } });
    // Text of a pull request in a script would be code.
    expect(steps.map(({ run }) => run ?? "").join("\n")).not.toContain("${{");
  });

  it("goes red on a slower head, with an annotation, a step summary, JUnit and the record", () => {
    makeProject();
    const summary = join(sandbox.directory, "tmp/summary.md");
    const commands = steps.flatMap(({ run }) => run ?? []);
    const { code, output } = execute(commands, { GITHUB_STEP_SUMMARY: summary });
    expect([code, output]).toEqual([
      20,
      expect.stringMatching(/^::error title=ipcmark gate \(exit code 20\)::regress/m),
    ]);
    expect(readFileSync(summary, "utf8")).toMatch(/^### regression[\s\S]*latency/);
    const read = (name: string): string => readFileSync(join(sandbox.directory, "ipcmark-out", name), "utf8");
    expect(read("gate.xml")).toMatch(/<testcase name="latency[^>]*>\s*<failure/);
    expect(JSON.parse(read("gate.json"))).toMatchObject({ complete: true });
    expect(read("gate.log")).toContain("base: npm ci");
  });
});

describe("the template of a matrix of machines", () => {
  const matrix = template("compare-matrix.yml") as {
    readonly permissions: unknown;
    readonly jobs: Readonly<Record<"compare" | "merge", { readonly steps: readonly Step[] }>>;
  };
  const commands = (job: "compare" | "merge"): string[] => matrix.jobs[job].steps.flatMap(({ run }) => run ?? []);

  it("may read only, measures on each machine, and merges what each has stored under its name", () => {
    expect(matrix.permissions).toEqual({ contents: "read" });
    expect(commands("compare")).toEqual(["npm ci", expect.stringMatching(/^npx ipcmark compare .*--out ipcmark-out$/)]);
    expect(commands("merge")).toEqual([
      "npm ci",
      "npx ipcmark merge machines/*/report.json --format html markdown csv",
      'cat ipcmark-out/machines.md >> "$GITHUB_STEP_SUMMARY"',
    ]);
    const kept = matrix.jobs.compare.steps.at(-1);
    expect(kept?.with).toMatchObject({
      path: "ipcmark-out/report.json",
      name: expect.stringContaining("matrix.machine"),
    });
    const fetched = matrix.jobs.merge.steps.find(({ uses }) => uses?.startsWith("actions/download-artifact@"));
    expect(fetched?.with).toEqual({ path: "machines" });
  });
});

describe("the template of GitLab CI", () => {
  const job = pipeline["ipc-gate"];

  it("keeps what the gate found, and has the whole history", () => {
    expect(job).toMatchObject({ variables: { GIT_DEPTH: 0 }, artifacts: { when: "always", paths: ["ipcmark-out/"] } });
    expect(job.artifacts.reports).toEqual({ junit: "ipcmark-out/gate.xml" });
    expect(job.rules).toEqual([{ if: '$CI_PIPELINE_SOURCE == "merge_request_event"' }]);
  });

  it.each([0, 20, 21, 22])(
    "ends with the exit code %i of the gate, which gets the base of the merge request",
    (code) => {
      sandbox.write({ [BIN]: `#!/bin/sh\necho "$@" > args\nexit ${code}\n`, "bin/npm": "#!/bin/sh\nexit 0\n" });
      for (const path of [BIN, "bin/npm"]) chmodSync(join(sandbox.directory, path), 0o755);
      const path = `${join(sandbox.directory, "bin")}:${process.env["PATH"]}`;
      const ended = execute([job.script.join("\n")], { PATH: path, CI_MERGE_REQUEST_DIFF_BASE_SHA: "0123abc" });
      expect(ended).toEqual({ code, output: "" });
      expect(readFileSync(join(sandbox.directory, "args"), "utf8")).toBe(
        "gate --base 0123abc --junit ipcmark-out/gate.xml\n",
      );
      rmSync(join(sandbox.directory, "args"));
    },
  );
});
