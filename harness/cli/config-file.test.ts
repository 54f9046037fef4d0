import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, describe, expect, it } from "vitest";
import type { Report } from "../results/model.ts";
import { Sandbox } from "../testing/sandbox.ts";
import { withConfig } from "./config-file.ts";

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

function write(name: string, config: string): string {
  writeFileSync(join(sandbox.directory, name), `export default ${config};\n`);
  return name;
}

function stored(directory: string): Report {
  return JSON.parse(readFileSync(join(sandbox.directory, directory, "report.json"), "utf8")) as Report;
}

const SHORT = `{ payload: ["64"], placement: "unpinned", trials: 1, messages: 20, cBaseline: false }`;

describe("the configuration file", () => {
  it("in the working directory gives the defaults, and a typed flag goes before it", async () => {
    write("ipcmark.config.ts", `{ flags: { transport: ["loopback"], out: "kept" }, measure: ${SHORT} }`);
    const { code, stderr } = await sandbox.run(["measure", "--payload", "128"]);
    expect(stderr).toContain("written");
    expect(code).toBe(0);
    const { transports, measurements } = stored("kept");
    expect(transports.map(({ id }) => id)).toEqual(["loopback"]);
    expect(new Set(measurements.map(({ payloadBytes }) => payloadBytes))).toEqual(new Set([128]));
  });

  it.each([
    ["an unknown section", "{ flagz: {} }", /unknown section "flagz" \(did you mean flags\?\)/],
    ["an unknown flag", "{ measure: { trialz: 3 } }", /unknown flag "trialz" \(did you mean trials\?\)/],
    ["a bad value", "{ measure: { trials: 0 } }", /"trials": --trials "0" must be a whole number/],
    ["a word where there is yes or no", `{ flags: { json: "yes" } }`, /"json" is true or false, not "yes"/],
    ["no object", "3", /must export an object by default/],
  ])("with %s is refused in one sentence", async (_what, config, sentence) => {
    const name = write("bad.config.mjs", config);
    const { code, stdout, stderr } = await sandbox.run(["measure", "--config", name]);
    expect(stderr).toMatch(sentence);
    expect(stderr).toContain(name);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it.each([
    ["budget", /"budget" takes texts or numbers, not objects \(did you mean budgets\?\)$/],
    ["pairs", /"pairs" takes texts or numbers, not objects$/],
  ])("with objects for the flag %s is refused, and a list of nearly that name is offered", async (flag, sentence) => {
    const name = write(`${flag}.config.mjs`, `{ gate: { ${flag}: [{ cell: "unix", atMost: "80us" }] } }`);
    const command = new Command("gate")
      .option("--budget <time>")
      .option("--pairs <n>")
      .action(() => undefined);
    const parsed = withConfig(command, async () => []).parseAsync(["--config", join(sandbox.directory, name)], {
      from: "user",
    });
    await expect(parsed).rejects.toThrow(sentence);
  });

  it("that does not exist is named", async () => {
    const { code, stderr } = await sandbox.run(["list", "--config", "none.ts"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'ipcmark: configuration "none.ts" does not exist\n' });
  });
});
