/**
 * `npm run test:windows [-- <id…>]`: `ipcmark check` between real Windows processes, on Node for Windows under Wine. It
 * tests functions only. A latency measured here would be that of Wine and not that of Windows.
 *
 * Exit codes are those of the command line: 0 all that can be proven passed, 10 something failed, 22 no Wine here.
 */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CheckResult, Report } from "../../harness/results/model.ts";
import { TRANSPORTS, whyNotProvable } from "./expectations.ts";
import { prepareToolchain, type Toolchain, Unavailable, wineEnvironment } from "./toolchain.ts";

const RUN_LIMIT_MS = 600_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Returns a path as Wine has it: the root of this machine is drive Z. */
const windowsPath = (path: string): string => `Z:${path.replaceAll("/", "\\")}`;
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

function checkUnderWine({ wine, prefix, node, packages }: Toolchain, transport: string): Report {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-windows-"));
  // Files, because a Windows Node cannot use the pipes of this system as its standard output.
  const [out, err] = [join(directory, "out"), join(directory, "err")];
  const descriptors = [openSync(out, "w"), openSync(err, "w")] as const;
  try {
    const shim = `file:///${windowsPath(here("stdio-shim.mjs")).replaceAll("\\", "/")}`;
    const main = windowsPath(here("../../harness/cli/main.ts"));
    const target = ["--transport", transport, "--json", "--out", windowsPath(join(directory, "report"))];
    const run = spawnSync(wine, [node, "--import", shim, main, "check", ...target], {
      env: wineEnvironment(prefix, windowsPath(packages)),
      stdio: ["ignore", ...descriptors],
      timeout: RUN_LIMIT_MS,
    });
    const text = readFileSync(out, "utf8");
    if (!text.trimStart().startsWith("{")) {
      throw new Error(`no report (exit ${run.status ?? run.signal}): ${readFileSync(err, "utf8").slice(-2000)}`);
    }
    return JSON.parse(text);
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Prints the results and returns the number of failures that count. */
function judge(transport: string, results: readonly CheckResult[]): number {
  const failed = results.filter(({ status }) => status === "failed");
  const passed = results.filter(({ status }) => status === "passed").length;
  let real = 0;
  const lines = failed.map(({ scenario, reason }) => {
    const unprovable = whyNotProvable(scenario, transport);
    if (unprovable !== undefined) return `  not provable here: ${scenario}: ${unprovable}`;
    real += 1;
    return `  failed: ${scenario}: ${reason ?? ""}`;
  });
  say(`${transport}: ${passed} passed, ${real} failed, ${failed.length - real} not counted`);
  for (const line of lines) say(line);
  if (passed === 0) say("  nothing passed: this counts as a failure");
  return real + (passed === 0 ? 1 : 0);
}

try {
  const toolchain = prepareToolchain(say);
  let failures = 0;
  let node = "";
  for (const transport of process.argv.length > 2 ? process.argv.slice(2) : TRANSPORTS) {
    const report = checkUnderWine(toolchain, transport);
    if (report.environment.platform !== "win32") throw new Error(`ran on ${report.environment.platform}, not on win32`);
    node = report.environment.node;
    failures += judge(transport, report.checks);
  }
  const label = toolchain.version.replace(/^wine-(\d+).*/, "Wine $1");
  say(`${failures === 0 ? "passed" : "failed"}: Node ${node} for Windows under ${label}, not Windows`);
  process.exitCode = failures === 0 ? 0 : 10;
} catch (error) {
  const unavailable = error instanceof Unavailable;
  say(`${unavailable ? "not run" : "failed"}: ${error instanceof Error ? error.message : error}`);
  process.exitCode = unavailable ? 22 : 10;
}
