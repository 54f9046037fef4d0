import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { environmentIn, prepareTree, reasonIn, refusePlugAndPlay } from "./install.ts";

afterEach(() => vi.unstubAllEnvs());

it("gives the base no program of the head, and every other one", () => {
  const bin = (folder: string): string => join(folder, "node_modules", ".bin");
  const manager = bin("/opt/setup-pnpm");
  const path = [bin(process.cwd()), bin(dirname(process.cwd())), bin("/"), manager, "/usr/bin"];
  vi.stubEnv("PATH", path.join(delimiter));
  vi.stubEnv("npm_package_name", "head");
  vi.stubEnv("NODE_ENV", "production");
  const { PATH, npm_package_name: name, NODE_ENV: environment } = environmentIn("/base");
  expect(PATH?.split(delimiter)).toEqual([bin("/base"), dirname(process.execPath), manager, "/usr/bin"]);
  expect([name, environment]).toEqual([undefined, undefined]);
});

it.each([
  [
    "Error: ERR_PNPM_OUTDATED_LOCKFILE\n\n  × installing\n  help: Regenerate the lockfile.\n",
    "ERR_PNPM_OUTDATED_LOCKFILE",
  ],
  ["➤ YN0028: │ The lockfile would have been modified\n➤ YN0000: └ Completed\n➤ YN0000: · Failed\n", "lockfile would"],
  [
    "npm error code EUSAGE\nnpm error\nnpm error `npm ci` needs a lock file in sync.\nnpm error\nnpm error Usage:\n",
    "`npm ci` needs a lock file in sync.",
  ],
  ["error Your lockfile needs to be updated.\ninfo Visit the documentation\n", "error Your lockfile needs"],
  ["npm error code EUSAGE\nnpm error A complete log of this run can be found in: x\n", "code EUSAGE"],
  [
    'npm error Missing script: "build"\nnpm error\nnpm error To see a list of scripts, run:\nnpm error   npm run\n',
    'Missing script: "build"',
  ],
  [
    "npm error code E404\nnpm error 404 Not Found - GET x\nnpm error 404\nnpm error 404 Note that you can also\n",
    "404 Not Found - GET x",
  ],
  [
    "npm error code 1\nnpm error path /x\nnpm error command failed\nnpm error command sh -c node x.js\n" +
      "npm error Error: no compiler\nnpm error     at x.js:1:7\nnpm error\nnpm error Node.js v26.10.0\n",
    "Error: no compiler",
  ],
])("names the reason of an installer that failed: %j", (output, reason) => {
  expect(reasonIn(output)).toContain(reason);
});

it("refuses a base of Yarn Plug'n'Play, unless its setup made node_modules", () => {
  const tree = mkdtempSync(join(tmpdir(), "gate-install-"));
  try {
    expect(() => refusePlugAndPlay(tree)).not.toThrow();
    writeFileSync(join(tree, ".pnp.cjs"), "");
    expect(() => refusePlugAndPlay(tree)).toThrow(/YARN_NODE_LINKER=node-modules yarn install.*--cmd/);
    mkdirSync(join(tree, "node_modules"));
    expect(() => refusePlugAndPlay(tree)).not.toThrow();
  } finally {
    rmSync(tree, { recursive: true });
  }
});

it("names no reason where nothing was printed", () => expect(reasonIn(" \n")).toBeUndefined());

it("leaves the reason of a script of a workspace to its output, where compilers write", async () => {
  const tree = mkdtempSync(join(tmpdir(), "gate-setup-"));
  const frame =
    "npm error Lifecycle script `build` failed with error:\nnpm error code 2\nnpm error command sh -c tsc\n";
  writeFileSync(join(tree, "out"), "> tsc\n\nx.ts(3,1): error TS1005\n");
  writeFileSync(join(tree, "err"), frame);
  const { signal } = new AbortController();
  const prepared = prepareTree({ tree, folder: "", setup: "cat out; cat err >&2; exit 2", signal });
  await expect(prepared).rejects.toThrow("failed in the base: x.ts(3,1): error TS1005; mend --base-setup");
  rmSync(tree, { recursive: true });
});
