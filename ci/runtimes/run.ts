/**
 * Maintenance (`npm run test:runtimes`): serves a Unix socket and a TCP port by the example of `transports/sockets` on
 * Node, Bun and Deno, and checks and measures all of them with the same client on Node. npm installs Bun and Deno in a
 * temporary folder. transports/existing-server/README.md has what was found.
 *
 * Exit codes: 0 all that applies passed, 10 a check failed, 22 a runtime cannot be installed here.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT } from "../../harness/results/exit-codes.ts";
import { EXAMPLE, echoServer, type Runtime } from "./servers.ts";

const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "harness/cli/main.ts");
const LIMIT_MS = 120_000;
const folder = mkdtempSync(join(tmpdir(), "ipcmark-runtimes-"));

/** Installs a package and returns its program; undefined where it cannot be installed or does not run here. */
function install(name: string, flags: readonly string[]): Runtime | undefined {
  const project = mkdtempSync(join(folder, `${name}-`));
  writeFileSync(join(project, "package.json"), `{ "private": true, "allowScripts": { "${name}": true } }\n`);
  const args = ["install", "--prefer-offline", "--no-audit", "--no-fund", name];
  const npm = spawnSync("npm", args, { cwd: project, encoding: "utf8", timeout: LIMIT_MS });
  const program = join(project, "node_modules/.bin", name);
  const { status, stdout, error } = spawnSync(program, ["--version"], { encoding: "utf8", timeout: LIMIT_MS });
  const [version = ""] = (stdout ?? "").trim().split("\n");
  const reason = error?.message ?? `exit ${status}; ${npm.stderr.trim().split("\n").at(-1)}`;
  process.stdout.write(status === 0 ? `${name}: ${version}\n` : `${name}: not installed here: ${reason}\n`);
  return status === 0 ? { name, command: [program, ...flags] } : undefined;
}

/** Writes the server and a module with a transport for each runtime and kind of socket. @returns the module's path */
function writeModule(runtimes: readonly Runtime[]): string {
  writeFileSync(join(folder, "server.mjs"), echoServer());
  copyFileSync(join(EXAMPLE, "frames.mjs"), join(folder, "frames.mjs"));
  const factory = JSON.stringify(new URL("servers.ts", import.meta.url));
  const args = [runtimes, join(folder, "server.mjs")].map((value) => JSON.stringify(value)).join(", ");
  const module = join(folder, "runtimes.mjs");
  writeFileSync(module, `import { runtimeServers } from ${factory};\nexport default runtimeServers(${args});\n`);
  return module;
}

function ipcmark(name: "check" | "measure", ...args: readonly string[]): number {
  const command = [MAIN, name, ...args, "--out", `ipcmark-out/runtimes/${name}`];
  return spawnSync(process.execPath, command, { cwd: ROOT, stdio: "inherit" }).status ?? EXIT.crash;
}

try {
  const others = [install("bun", []), install("deno", ["run", "--allow-all"])];
  const node = { name: "node", command: [process.execPath] };
  const module = writeModule([node, ...others.filter((one) => one !== undefined)]);
  const checked = ipcmark("check", "--transport", module);
  const cells = ["--benchmark", "round-trip", "--payload", "64", "4KiB", "--placement", "same-cpu", "--mode", "event"];
  const measured = ipcmark(
    "measure",
    "--transport",
    "unix",
    "tcp",
    module,
    ...cells,
    "--no-c-baseline",
    "--budget",
    "80s",
  );
  const absent = others.includes(undefined) ? EXIT.incomplete : EXIT.ok;
  process.exitCode = [checked, measured, absent].find((code) => code !== EXIT.ok) ?? EXIT.ok;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
