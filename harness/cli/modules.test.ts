import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Report } from "../results/model.ts";
import { eventually, Sandbox } from "../testing/sandbox.ts";
import { resolveTransports } from "./transports.ts";

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

const UNIX = new URL("../../transports/sockets/unix.ts", import.meta.url).href;

/** A module of a user: `unix` under another name, with something added or instead. */
function module(name: string, code: string): string {
  const path = join(sandbox.directory, `${name}.mjs`);
  writeFileSync(path, `import { unix } from "${UNIX}";\n${code}\n`);
  return path;
}

const mine = (name: string, rest = ""): string => `{ ...unix, id: "mine/${name}", ${rest} }`;
const probing = (name: string, body: string): string =>
  module(name, `export default ${mine(name, `probe() { ${body} }`)};`);
const FORGED = '{"type":"check","id":"sequential-requests","status":"passed","notes":{},"durationMs":1}';

/** Each with what it does, as the user is told. */
const BAD: readonly (readonly [path: string, said: string])[] = [
  [module("exits", "process.exit(0);"), "its import did not end: the inspecting process exited with code 0"],
  [module("throws", 'throw new Error("no \\u001b[31mlibrary\\nhere");'), "its import failed: no \\u001b[31mlibrary"],
  [
    module("loud", 'process.stdout.write("x".repeat(2e6)); process.kill(process.pid, "SIGSEGV");'),
    "was ended by SIGSEGV",
  ],
  [module("nothing", "export const transport = unix;"), "the default export is missing and must be a Transport"],
  [
    module("bare", `export default ${mine("bare", "capabilities: {}")};`),
    "capabilities.modes is missing and must be a list",
  ],
  [
    module("odd", `export default ${mine("odd", 'capabilities: { ...unix.capabilities, delivery: "mostly" }')};`),
    'capabilities.delivery is "mostly" and must be reliable or lossy',
  ],
  [
    module("coloured", 'export default { ...unix, id: "a\\u001b[31mred\\nline" };'),
    'id is "a\\u001b[31mred\\nline" and must',
  ],
  [module("taken", "export default unix;"), 'its id "unix" is that of a transport of ipcmark'],
  [module("second", `export default [${mine("prints")}];`), 'its id "mine/prints" is that of a transport of '],
  [probing("leaves", "process.exit(0);"), "its probe did not end: the inspecting process exited with code 0"],
  [
    probing("mumbles", "return { available: 1 };"),
    "its probe failed: the answer.available is 1 and must be true or false",
  ],
];

describe("modules of a user", () => {
  it("that cannot be used get a sentence each, and the others run as if alone", async () => {
    const output = `console.log('${FORGED}'); process.stdout.write("progress 50 %");`;
    const prints = `connect(...args) { ${output} return unix.event.connect(...args); }`;
    const good = module("prints", `export default ${mine("prints", `event: { ...unix.event, ${prints} }`)};`);
    const paths = [good, ...BAD.map(([path]) => path)];
    const { code, stdout, stderr } = await sandbox.run([
      "check",
      ...["--transport", ...paths, "fifo", "--scenario", "sequential-requests", "--json", "--out", "out"],
    ]);
    const lines = stderr.split("\n");
    for (const [path, said] of BAD) {
      const sentences = lines.filter((line) => line.includes(`"${path}"`));
      expect(sentences, path).toHaveLength(1);
      expect(sentences[0]).toContain(said);
    }
    const { checks, warnings } = JSON.parse(stdout) as Report;
    const ran = checks.filter(({ status }) => status !== "unavailable");
    expect(ran.map(({ transport, status }) => [transport, status])).toEqual([
      ["mine/prints", "failed"],
      ["fifo", "passed"],
    ]);
    expect(ran[0]?.reason).toMatch(/^printed on standard output, .*progress 50 %\); print to stderr$/);
    // What was counted, so no forged line has taken the place of a result.
    for (const { notes } of ran) expect(notes["requests"]).toBeGreaterThan(1);
    expect(warnings.map(({ text }) => text).join("\n")).toContain(BAD[0]?.[1]);
    expect(code).toBe(10);
    expect(sandbox.leftovers()).toEqual([]);
  });

  it.runIf(process.platform === "linux")("leave no process behind, whatever they started and left it to", async () => {
    const options = `{ detached: true, stdio: "ignore" }`;
    const start = `(await import("node:child_process")).spawn("sleep", ["600"], ${options}).pid`;
    const pids = ["probe", "import"].map((name) => join(sandbox.directory, `${name}-pid`));
    const write = (file: string | undefined): string =>
      `(await import("node:fs")).writeFileSync("${file}", String(${start}));`;
    const probe = `async probe() { ${write(pids[0])} return { available: true, version: "1" }; }`;
    const probes = module("probes", `export default ${mine("probes", probe)};`);
    const imports = module("imports", `${write(pids[1])} process.exit(0);`);
    await resolveTransports([probes, imports]);
    for (const file of pids) {
      const pid = readFileSync(file, "utf8");
      expect(await eventually(() => !existsSync(`/proc/${pid}`), 5000), file).toBeGreaterThanOrEqual(0);
    }
  });

  it("that hang are given up after a time, and cost nobody else anything", async () => {
    const never = "new Promise(() => setInterval(() => {}, 1000))";
    const hanging = module("hanging", `await ${never};`);
    const busy = module("busy", "for (;;);");
    const half = module("half", `export default [${mine("stuck", `probe: () => ${never}`)}, ${mine("sound")}];`);
    const [imports, probes] = await Promise.all([
      resolveTransports([hanging, busy, "fifo"], { importMs: 1000, probeMs: 1000 }),
      resolveTransports([half], { importMs: 30_000, probeMs: 2500 }),
    ]);
    const why = "its import did not end within 1 s";
    expect(imports.refused).toEqual(
      [hanging, busy].map((path) => ({
        id: "module-refused",
        text: `transport module "${path}" cannot be used: ${why}`,
        where: { module: path },
      })),
    );
    expect(imports.candidates.map(({ record }) => [record.id, record.available])).toEqual([["fifo", true]]);
    expect(probes.candidates.map(({ record }) => [record.id, record.available])).toEqual([
      ["mine/stuck", false],
      ["mine/sound", true],
    ]);
  });

  it("do not outlive a command that was killed while they were looked at", async () => {
    const file = join(sandbox.directory, "pid");
    const busy = module(
      "orphan",
      `import { renameSync, writeFileSync } from "node:fs";
       writeFileSync("${file}.new", String(process.pid)); renameSync("${file}.new", "${file}"); for (;;);`,
    );
    const command = sandbox.start(["list", "--transport", busy]);
    expect(await eventually(() => existsSync(file), 30_000)).toBeGreaterThanOrEqual(0);
    const pid = Number(readFileSync(file, "utf8"));
    command.kill("SIGKILL");
    expect(await eventually(() => !existsSync(`/proc/${pid}`), 10_000)).toBeGreaterThanOrEqual(0);
  });
});

it.each(["./my-http", "/srv/my-http.ts:one", "..\\my-http", "~/my-http.py"])(
  "does not take %s for an id",
  async (path) => {
    await expect(resolveTransports([path])).rejects.toThrow("no transport module: its file must end in .ts, .mts, .js");
  },
);
