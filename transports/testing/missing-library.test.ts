import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const registry = fileURLToPath(new URL("../registry.ts", import.meta.url));

/** Runs in a process of its own, where the packages cannot be found, and prints the results of the probes. */
const PROGRAM = `
import { registerHooks } from "node:module";
const absent = new Set(["zeromq", "@grpc/grpc-js", "ws"]);
registerHooks({
  resolve(specifier, context, next) {
    if (absent.has(specifier)) throw new Error("Cannot find package '" + specifier + "'");
    return next(specifier, context);
  },
});
const { REGISTRY } = await import(process.argv[1]);
const answers = {};
for (const { id, load } of REGISTRY) {
  if (/^(zeromq|grpc|ws)\\//.test(id)) answers[id] = await (await load()).probe();
}
console.log(JSON.stringify(answers));
`;

test("without its library a mechanism still loads, and its probe names the command that installs it", async () => {
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", PROGRAM, registry]);
  const answers = JSON.parse(stdout) as Record<string, { available: boolean; reason?: string }>;
  const packages: Record<string, string> = {
    zeromq: "zeromq",
    grpc: "@grpc/grpc-js",
    ws: "ws",
  };
  expect(Object.keys(answers)).toHaveLength(8);
  for (const [id, answer] of Object.entries(answers)) {
    expect(answer.available).toBe(false);
    expect(answer.reason).toContain(`npm install ${packages[id.split("/")[0] ?? ""]}`);
  }
});
