/** The gate must be able to fail: each way through `--base <ref>`, in a repository made for it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitSandbox } from "../../harness/testing/git-sandbox.ts";
import { TEST_ALL } from "../../harness/testing/run-check.ts";
import type { CliResult } from "../../harness/testing/sandbox.ts";

const FIXTURE = new URL("../../harness/bench/fixtures/delayed-loopback.ts", import.meta.url).href;
/** Module whose server waits this long before each message, in turn. */
const served = (delaysNs: string): string =>
  [
    `import { delayedLoopback } from ${JSON.stringify(FIXTURE)};`,
    `export default delayedLoopback("served", ${delaysNs});`,
    "",
  ].join("\n");
const DEAD =
  served("[200_000]").replace("export default", "const transport =") +
  'const connect = () => Promise.reject(new Error("dead"));\n' +
  "export default { ...transport, event: { ...transport.event, connect } };\n";
const QUICK = ["--placement", "unpinned", "--payload", "64", "--pairs", "10", "--seed", "1", "--budget", "20s"];
const SHORT = ["--messages", "60"];

let sandbox: GitSandbox;
beforeEach(() => {
  sandbox = new GitSandbox();
  sandbox.write({
    ".gitignore": "ipcmark-out\ntmp\n",
    "package.json": JSON.stringify({ name: "team", private: true, type: "module" }),
  });
});
afterEach(() => sandbox.remove());

/** Gates a head with this module against a base with that. */
function gate(
  base: string,
  head: string,
  args: readonly string[] = SHORT,
  module = "./served.mjs",
): Promise<CliResult> {
  sandbox.write({ "served.mjs": base });
  sandbox.commit("base");
  sandbox.write({ "served.mjs": head, "notes.txt": "head" });
  sandbox.commit("head");
  return sandbox.run(["gate", "--base", "HEAD^1", "--transport", module, ...QUICK, ...args]);
}

/** One message in fifty takes ten times as long. */
const TAILED = "[...new Array(49).fill(100_000), 1_000_000]";

describe.skipIf(!TEST_ALL)("the gate through --base <ref>", () => {
  it.each([
    ["passes a base against itself", served("[200_000]"), SHORT, 0, /pass: a slowdown of 20 % or more is excluded/],
    ["is red on 30 % more", served("[260_000]"), SHORT, 20, /regression: served.* p50 is \d+\.\d % slower/],
    ["is red on a mechanism that is dead in the head", DEAD, SHORT, 20, /regression: served.* is broken: head: .*dead/],
    [
      "is incomplete where the head's module does not load",
      "export default {",
      SHORT,
      22,
      /served.mjs" cannot be used/,
    ],
    ["is incomplete where the setup fails", served("[1]"), [...SHORT, "--base-setup", "exit 3"], 22, /"exit 3" failed/],
  ] as const)("%s", async (_name, head, args, code, words) => {
    const ended = await gate(served("[200_000]"), head, args);
    expect([ended.code, ended.stdout + ended.stderr]).toEqual([code, expect.stringMatching(words)]);
    expect(sandbox.leftovers()).toEqual([]);
  });

  it("is incomplete where the base's module does not load", async () => {
    const { code, stdout } = await gate("export default {", served("[200_000]"));
    expect([code, stdout]).toEqual([22, expect.stringMatching(/DID NOT RUN\n +base: /)]);
  });

  it("is red on an empty list", async () => {
    const { code, stderr } = await gate(served("[200_000]"), served("[200_000]"), SHORT, "");
    expect([code, stderr]).toEqual([2, expect.stringContaining("names nothing")]);
  });

  it("is red on a tail, where this machine has none of its own", async () => {
    const ended = await gate(served("[100_000]"), served(TAILED), ["--metric", "p99", "--messages", "1300"]);
    const isUntold = ended.stderr.includes("p99 cannot be told here");
    expect([ended.code, ended.stderr]).toEqual([
      isUntold ? 21 : 20,
      expect.stringMatching(isUntold ? /this machine wakes|canary/ : /regression: served.* p99 is/),
    ]);
  });

  it("is red on a budget that is broken", async () => {
    const budgets = [{ cell: "served", metric: "p50", atMost: "50us" }];
    sandbox.write({ "ipcmark.config.mjs": `export default { gate: { budgets: ${JSON.stringify(budgets)} } };\n` });
    const { code, stderr } = await gate(served("[200_000]"), served("[200_000]"));
    expect([code, stderr]).toEqual([20, expect.stringContaining("over its budget: served")]);
  });
});
