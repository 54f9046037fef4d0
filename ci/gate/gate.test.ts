import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gateIn } from "./load-gate.ts";
import { reanalysed } from "./reanalysis.ts";

const MAIN = fileURLToPath(new URL("../../harness/cli/main.ts", import.meta.url));
const FIXTURE = new URL("../../harness/bench/fixtures/delayed-loopback.ts", import.meta.url).href;

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "ipcmark-test-gate-"));
  // The delay spins on the clock, so a busy machine changes the median of neither side.
  checkout("base", { served: 200_000 });
  checkout("same", { served: 200_000 });
  checkout("slower", { served: 260_000 });
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function checkout(name: string, delays: { served: number }): void {
  const directory = join(root, name);
  mkdirSync(directory);
  const source = `import { delayedLoopback } from ${JSON.stringify(FIXTURE)};
export default delayedLoopback("served", [${delays.served}]);
`;
  writeFileSync(join(directory, "served.mjs"), source);
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function gate(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, "gate", "--out", join(root, "out"), ...args], {
    cwd: join(root, cwd),
    env: { ...process.env, GITHUB_STEP_SUMMARY: "", ...env },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

const QUICK = [
  "--transport",
  "./served.mjs",
  "--placement",
  "unpinned",
  "--payload",
  "64",
  "--pairs",
  "8",
  "--messages",
  "100",
];

describe("the gate", () => {
  it("goes red on an injected 30 %, with JUnit and a step summary", async () => {
    const junit = join(root, "gate.xml");
    const summary = join(root, "summary.md");
    // `must-hold.test.ts` has the pass of a base against itself.
    const slower = await gate(
      "slower",
      ["--base-dir", "../base", "--seed", "1", "--json", "--junit", junit, ...QUICK],
      {
        GITHUB_STEP_SUMMARY: summary,
      },
    );
    expect(slower.stderr).toContain("slower than the base");
    expect(slower.code).toBe(20);
    const stored = gateIn(JSON.parse(slower.stdout), "gate.json", "");
    const { rows, pairs, looks } = stored;
    expect(rows[0]?.outcome).toBe("regression");
    expect(rows[0]?.evidence?.effect.ratio).toBeGreaterThan(1.15);
    expect(pairs[0]?.pairs.length).toBeGreaterThanOrEqual(8);
    expect(pairs[0]?.pairs[0]).toMatchObject({ base: { p50: expect.toSatisfy((ns: number) => ns > 200_000) } });
    expect(looks?.step).toBe(8);
    expect(reanalysed(stored)).toMatchObject({ rows, differences: [] });
    expect(readFileSync(junit, "utf8")).toContain('failures="1"');
    expect(readFileSync(summary, "utf8")).toContain("**slower**");
  }, 120_000);

  it("exits 22 where nothing is on both sides, and where a named transport has no cell in the mode", async () => {
    mkdirSync(join(root, "empty"), { recursive: true });
    const [isNew, noMode] = await Promise.all([
      gate("same", ["--base-dir", "../empty", ...QUICK]),
      gate("same", ["--base-dir", "../base", "--mode", "polling", ...QUICK]),
    ]);
    expect([isNew.code, isNew.stdout]).toEqual([22, expect.stringContaining("the base has no such transport")]);
    expect([noMode.code, noMode.stdout]).toEqual([22, expect.stringMatching(/DID NOT RUN\n.*has no polling face/)]);
  });

  it("exits 22 when the base's module ends whoever imports it, and is not ended itself", async () => {
    mkdirSync(join(root, "deadly"), { recursive: true });
    writeFileSync(join(root, "deadly", "served.mjs"), "process.exit(0);\n");
    const ended = await gate("same", ["--base-dir", "../deadly", ...QUICK]);
    expect(ended.code).toBe(22);
    expect(ended.stdout).toContain("base: its import did not end");
  });

  it("names in one sentence what it needs, with exit code 2", async () => {
    writeFileSync(join(root, "configured.mjs"), 'export default { gate: { base: "main", setup: "make" } };\n');
    writeFileSync(join(root, "limited.mjs"), 'export default { gate: { limits: [{ cell: "nobody" }] } };\n');
    const refused: readonly (readonly [readonly string[], string])[] = [
      [[], "either --base-dir <checkout> or --base <git ref>"],
      [["--base-dir", "../base", "--base", "main"], "cannot be used with option"],
      [
        ["--config", "../configured.mjs", "--base-dir", "../nowhere"],
        'ipcmark: --base-dir "../nowhere" is not a directory',
      ],
      [["--base-dir", "../base", "--transport", "unix"], "is no checkout of ipcmark"],
      [["--base-dir", "../base", "--tolerance", "4%"], "must be above --min-effect"],
      [["--config", "../limited.mjs", "--base-dir", "../base", ...QUICK], 'no cell of this gate is called "nobody"'],
    ];
    await Promise.all(
      refused.map(async ([args, words]) => {
        const ended = await gate("same", args);
        expect(ended.stderr).toContain(words);
        expect(ended.code).toBe(2);
      }),
    );
  });
});
