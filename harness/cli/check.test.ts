import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { junit } from "../../reports/junit.ts";
import { checkTables } from "../../reports/terminal/index.ts";
import { SCENARIOS } from "../../scenarios/checks/index.ts";
import { unix } from "../../transports/sockets/unix.ts";
import { CHECKS } from "../driver/checks/catalog.ts";
import { Sandbox } from "../testing/sandbox.ts";
import { announcement, endedEarly } from "./check.ts";

const root = new URL("../../", import.meta.url);
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "check-test-"));
  const broken = new URL("scenarios/mutants/broken.ts", root).href;
  const wanted = '["broken/none", "broken/open-to-all"]';
  const text = `import list from "${broken}";\nexport default list.filter(({ id }) => ${wanted}.includes(id));\n`;
  writeFileSync(join(directory, "module.mjs"), text);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function check(...args: readonly string[]) {
  const program = new URL("harness/cli/main.ts", root).pathname;
  const flags = [program, "check", "--out", join(directory, "out")];
  return spawnSync(process.execPath, [...flags, ...args], { encoding: "utf8", timeout: 50_000 });
}

test("a failed check is exit code 10, a row of the JSON with its reason, and a failure in the JUnit file", () => {
  const file = join(directory, "results", "checks.xml");
  const module = join(directory, "module.mjs");
  const { status, stdout, stderr } = check(
    "--transport",
    module,
    "--scenario",
    "permissions",
    "--json",
    "--junit",
    file,
  );
  expect(status, stderr).toBe(10);
  const report = JSON.parse(stdout) as { checks: { transport: string; status: string; reason?: string }[] };
  expect(report.checks.map(({ transport, status }) => [transport, status])).toEqual([
    ["broken/none", "passed"],
    ["broken/open-to-all", "failed"],
  ]);
  expect(report.checks[1]?.reason).toContain("0666");
  const xml = readFileSync(file, "utf8");
  expect(xml).toContain('tests="2" failures="1"');
  expect(xml).toContain("open to other users");
  expect(stderr).toMatch(/2 transports, 2 checks in all: about \d+ s/);
});

// Issue of a reader: 100 checks were announced for a server of his own, and 42 ran.
test("the checks of the API are not announced for a server that is a program of the user's", () => {
  const target = { transport: unix, reference: { id: "unix", module: null }, peerLanguage: "node" };
  const program = { ...target, peerLanguage: "program" };
  expect(announcement([target], CHECKS)).toMatch(`1 transport, ${CHECKS.length} checks: about `);
  expect(announcement([program], CHECKS)).toMatch(`1 transport, ${SCENARIOS.length} checks: about `);
  expect(announcement([target, program], CHECKS)).toMatch(
    `, ${CHECKS.length + SCENARIOS.length} checks in all: about `,
  );
});

test("a transport whose other checks would only have waited has one sentence, and they are counted apart", () => {
  const reason = "mute answers no request, seen in a and b; mend that";
  const row = { title: "", kind: "scenario", transport: "mute", peer: "node", notes: {}, durationMs: 0 } as const;
  const checks = [
    { ...row, scenario: "a", status: "failed", reason: "mute answers no request: none within 3 s" },
    { ...row, scenario: "c", status: "not-examined", reason },
    { ...row, scenario: "d", status: "not-examined", reason },
    { ...row, scenario: "e", status: "not-applicable", reason: "there is no event face" },
  ] as const;
  expect(endedEarly(checks)).toEqual([`mute: 2 checks were not examined: ${reason}`]);
  const printed = stripVTControlCharacters(checkTables({ checks }, { columns: 120 }));
  expect(printed).toContain("checks: 1 failed, 1 not applicable, 2 not examined");
  expect(printed).toMatch(/^not applicable\n- \[.\] there is no event face .*\nnot examined\n- \[.–.\] mute/m);
  const xml = junit({ checks, startedAt: "2026-01-01T00:00:00.000Z", durationMs: 1 });
  expect(xml).toContain(`<skipped message="not examined: ${reason}"/>`);
});

test("when everything holds it is exit code 0, and a prefix takes all scenarios of a group", () => {
  const { status, stdout, stderr } = check("--transport", "unix", "--scenario", "cleanup", "--json");
  expect(status, stderr).toBe(0);
  const { checks } = JSON.parse(stdout) as { checks: { scenario: string }[] };
  expect(checks.map(({ scenario }) => scenario)).toEqual([
    "cleanup/stop",
    "cleanup/exception",
    "cleanup/sigterm",
    "cleanup/sigkill",
  ]);
});

test("a run that examined nothing is not green: exit code 22, and the reason", () => {
  const { status, stderr } = check("--transport", "stdio", "--scenario", "concurrent-clients/1");
  expect(status, stderr).toBe(22);
  expect(stderr).toContain("nothing was examined: each peer belongs to one client");
});

test("an unknown scenario is one sentence with the nearest name, and exit code 2", () => {
  const { status, stderr } = check("--scenario", "idle-cpus");
  expect(status).toBe(2);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toContain('unknown scenario "idle-cpus" (did you mean idle-cpu?)');
});

// Issue 4: it printed nothing and ended with 0.
test("a named transport without a server in the chosen language has rows with the reason, and is exit code 22", () => {
  const { status, stdout, stderr } = check(
    "--transport",
    "stdio",
    "--peer",
    "python",
    "--scenario",
    "cleanup",
    "--json",
  );
  expect(status, stderr).toBe(22);
  expect(stderr).toContain("stdio was asked for by name and did not run: has no server written in python");
  const { checks } = JSON.parse(stdout) as { checks: { status: string; peer: string; reason?: string }[] };
  expect(checks).toHaveLength(4);
  for (const row of checks)
    expect(row).toMatchObject({ status: "not-applicable", peer: "python", reason: "has no server written in python" });
});

test("a reader of the prose that goes away costs the run nothing: it stores its report", async () => {
  const sandbox = new Sandbox();
  const args = ["check", "--transport", "loopback", "--scenario", "sequential-requests", "--out", "out"];
  const child = sandbox.start(args);
  child.stderr?.destroy();
  child.stdout?.resume();
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
  expect(existsSync(join(sandbox.directory, "out/report.json"))).toBe(true);
  expect(sandbox.leftovers()).toEqual([]);
  sandbox.remove();
});
