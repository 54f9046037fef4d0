import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../results/model.ts";
import { type CliResult, Sandbox } from "../testing/sandbox.ts";

const EXAMPLES = new URL("../../transports/existing-server/example/", import.meta.url);
const example = (name: string): string => fileURLToPath(new URL(name, EXAMPLES));
const INDEX = new URL("../index.ts", import.meta.url).href;

/** Ends after thirty requests. */
const DIES = "(i, o) => { if (++n < 30) return i.pipe(o); console.log('no credit'); process.exit(7) }";
/** Servers that go wrong while they serve; `program.test.ts` of their folder has those that never do. */
const BAD = `
import { existingServer, loopbackPort } from "${INDEX}";
const post = async ({ host, port }, body) => {
  const response = await fetch(\`http://\${host}:\${port}/\`, { method: "POST", body });
  return new Uint8Array(await response.arrayBuffer());
};
const bad = (id, code) => existingServer({
  id, address: loopbackPort, command: ({ port }) => [process.execPath, "-e", code, String(port)],
  connect: (address) => ({ request: (body) => post(address, body), close() {} }),
});
const serve = (answer) => \`require("http").createServer(\${answer}).listen(process.argv[1], "127.0.0.1")\`;
export default [
  bad("bad/wrong", serve("(i, o) => { console.log('no idea'); o.end('42') }")),
  bad("bad/dies", "let n = 0;" + serve("${DIES}")),
];`;

function hasPython(): boolean {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return process.platform !== "win32";
  } catch {
    return false;
  }
}

const GOOD = ["my-http", ...(hasPython() ? ["my-frames"] : [])];

describe("servers of a user's", () => {
  const sandbox = new Sandbox();
  let result: CliResult;
  let report: Report;
  beforeAll(async () => {
    writeFileSync(join(sandbox.directory, "bad.mjs"), BAD);
    const profile = { name: "short", why: "as few checks as there can be", needs: [], workload: {}, checks: [] };
    writeFileSync(join(sandbox.directory, "short.mjs"), `export default ${JSON.stringify(profile)};`);
    result = await sandbox.run([
      ...["compare", "--profile", "short.mjs", "--json", "--out", "out"],
      ...["--transport", "unix", ...GOOD.map((name) => example(`${name}.ts`)), "bad.mjs"],
      ...["--payload", "64", "--placement", "unpinned", "--trials", "1", "--messages", "40", "--no-c-baseline"],
    ]);
    report = JSON.parse(result.stdout);
  }, 120_000);
  afterAll(() => sandbox.remove());

  it("are checked, measured and ranked beside the mechanisms of ipcmark", () => {
    expect(report.pick?.ranking.map(({ transport }) => transport).sort(), result.stderr).toEqual(
      [...GOOD, "unix"].sort(),
    );
    for (const id of GOOD) {
      const own = report.checks.filter(({ transport }) => transport === id);
      expect(own.map(({ scenario, status }) => `${scenario}: ${status}`)).toEqual(["concurrent-clients/8: passed"]);
      const row = report.measurements.find(
        ({ transport, benchmark }) => transport === id && benchmark === "round-trip",
      );
      expect(row).toMatchObject({ status: "measured", peer: { language: "program" } });
      const { peakMemory } = row?.status === "measured" ? row : {};
      if (process.platform === "linux") expect(peakMemory?.peer).toBeGreaterThan(1e6);
    }
  });

  it.each([
    ["bad/wrong", "answered wrongly: a reply of 2 bytes to a request of", "no idea"],
    ["bad/dies", "died: it exited with code 7", "no credit"],
  ])("are named when they go wrong, with what they printed last, and the others go on: %s", (id, what, last) => {
    const [out] = report.pick?.ruledOut.filter(({ transport }) => transport === id) ?? [];
    expect(out?.reason).toContain(what);
    expect(out?.reason).toContain(`${id} (node -e `);
    expect(out?.reason).toMatch(new RegExp(`; last line of its output: ${last}$`));
    expect(report.measurements.find(({ transport }) => transport === id)?.status).toBe("failed");
  });

  it("leave nothing behind", async () => {
    expect(sandbox.leftovers()).toEqual([]);
    if (process.platform === "linux") await sandbox.expectNoProcess();
  });
});

it.each(["existing-server/example/my-http.ts", "support/example/my-json.ts"])(
  "the example of the documentation is the one that runs: %s",
  (path) => {
    const transports = new URL("../../transports/", import.meta.url);
    const code = readFileSync(new URL(path, transports), "utf8")
      .replace('"../../../harness/index.ts"', '"ipcmark"')
      .replace('"../../../harness/authors.ts"', '"ipcmark/testing"');
    expect(readFileSync(new URL("README.md", transports), "utf8")).toContain(`\`\`\`ts\n${code}\`\`\``);
  },
);
