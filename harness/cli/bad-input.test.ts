import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fixtureReport } from "../../reports/testing/fixture.ts";
import { Sandbox } from "../testing/sandbox.ts";

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

const file = (name: string, text: string): string => {
  const path = join(sandbox.directory, name);
  writeFileSync(path, text);
  return path;
};

/** A FIFO that nobody writes: reading it would wait for ever. */
const fifo = join(sandbox.directory, "fifo");
execFileSync("mkfifo", [fifo]);
const deep = JSON.stringify({
  ...fixtureReport({ trials: 1, payloads: [64] }),
  warnings: [{ id: "crash", text: "fine", where: {} }, "\u001b[2J"],
});
const newer = JSON.stringify({ schemaVersion: 99 });
const foreign = JSON.stringify({ hello: "world" });
mkdirSync(join(sandbox.directory, "closed"), { mode: 0o555 });
mkdirSync(join(sandbox.directory, "crowded", "report.json"), { recursive: true });

/** Typed input, and what the one sentence must name. */
const CASES: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    "an unknown transport",
    ["compare", "--transport", "unx"],
    /unknown transport "unx" \(did you mean unix\?\); valid: .*unix/,
  ],
  ["an unknown command", ["compair"], /unknown command 'compair'.*compare/],
  ["an unknown option", ["compare", "--payloads", "64"], /unknown option '--payloads'.*--payload/],
  ["a size with a strange unit", ["compare", "--payload", "12q"], /payload "12q" is not a size.*4KiB/],
  ["a negative size", ["measure", "--payload=-1"], /payload "-1" is not a size/],
  ["a size of nothing", ["measure", "--payload", "0"], /payload "0" is out of range.*1 byte to 64MiB/],
  ["a size beyond every limit", ["measure", "--payload", "65MiB"], /payload "65MiB" is out of range/],
  [
    "a size beyond the mechanism's limit",
    ["measure", "--transport", "unix", "--payload", "64MiB"],
    /payload 67108864 is larger than unix carries; its limit is \d+ bytes/,
  ],
  [
    "a budget too small for a mechanism that does not carry all sizes of the default workload",
    ["compare", "--transport", "posix-mq", "--budget", "1s"],
    /6 rounds make this run about \d+ s long; --budget is 1 s: give --budget \d+s/,
  ],
  [
    "an unknown placement",
    ["compare", "--placement", "two-cpu"],
    /unknown placement "two-cpu" \(did you mean two-cpus\?\)/,
  ],
  [
    "an unknown need",
    ["compare", "--need", "windos"],
    /unknown need "windos" \(did you mean windows\?\); valid: linux/,
  ],
  ["an unknown mode", ["compare", "--mode", "evnt"], /unknown mode "evnt" \(did you mean event\?\)/],
  ["an unknown codec", ["measure", "--codec", "msgpak"], /unknown codec "msgpak" \(did you mean msgpack\?\)/],
  [
    "an unknown benchmark",
    ["measure", "--benchmark", "round-tripp"],
    /unknown benchmark "round-tripp" \(did you mean round-trip\?\)/,
  ],
  ["an unknown scenario", ["check", "--scenario", "sequential"], /unknown scenario "sequential".*sequential-requests/],
  ["a count that is none", ["measure", "--trials", "many"], /--trials "many" must be a whole number from 1 to 1000/],
  ["a duration without unit", ["measure", "--budget", "90"], /--budget "90" is not a time; write 1500ms, 90s or 2m/],
  ["an --out that is a file", ["compare", "--out", file("taken", "")], /cannot write to --out ".*taken": .*in the way/],
  ["an --out that no directory can be made of", ["measure", "--out", "/proc/x"], /cannot write to --out "\/proc\/x"/],
  [
    "an --out in which a directory has the name of the report",
    ["check", "--transport", "loopback", "--out", "crowded"],
    /cannot write to --out "crowded": "report.json" in it is a directory/,
  ],
  ["a --junit that is a directory", ["check", "--junit", "crowded"], /cannot write to --junit ".*": "crowded" in it/],
  ["a --transport that names none", ["check", "--transport", ""], /"" names nothing; give the flag a value/],
  ["a --scenario that names none", ["check", "--scenario", ","], /"," names nothing; give the flag a value/],
  [
    "a mode the mechanism does not have",
    ["measure", "--transport", "tcp", "--mode", "polling"],
    /no transport matches this --mode and --placement; choose different values/,
  ],
  [
    "a flag of a configuration that no command has",
    ["list", "--config", file("typo.mjs", 'export default { flags: { payloads: ["64"] } }')],
    /unknown flag "payloads" \(did you mean payload\?\)/,
  ],
  [
    "a module that does not exist",
    ["check", "--transport", "./mine.ts"],
    /transport module ".\/mine.ts" does not exist/,
  ],
  [
    "a module that is no transport",
    ["check", "--transport", file("not.mjs", "export default 1")],
    /not\.mjs" cannot be used: .*must be a Transport/,
  ],
  ["a report that is missing", ["report", "nowhere.json"], /cannot read "nowhere.json": no such file/],
  ["a report that is not JSON", ["report", file("text.json", "hello")], /text\.json" is not JSON/],
  [
    "a report that is something else",
    ["report", file("foreign.json", foreign)],
    /foreign\.json" is no ipcmark report \(.*schemaVersion/,
  ],
  [
    "a report with a wrong type deep inside",
    ["report", file("deep.json", deep)],
    /deep\.json" is no ipcmark report \(\/warnings\/1: expected object, found "/,
  ],
  ["a report that is a FIFO", ["report", fifo], /cannot read ".*fifo": it is a FIFO and no regular file/],
  [
    "a name that a terminal would obey",
    ["report", "\u001b[2J\n.json"],
    /cannot read "\\x1b\[2J\\n\.json": no such file/,
  ],
  [
    "a report of a newer schema",
    ["report", file("newer.json", newer)],
    /newer\.json" has schema version 99.*update ipcmark/,
  ],
];

describe("bad input", () => {
  // Side by side: nothing is started by any of them, so none can see what another leaves.
  it.concurrent.for(CASES)(
    "%s gets one sentence, exit code 2 and leaves nothing",
    async ([, args, sentence], { expect }) => {
      const { code, stdout, stderr } = await sandbox.run(args);
      expect(stderr).toMatch(sentence);
      expect(stderr.trim().split("\n"), "one line, no stack trace").toHaveLength(1);
      expect(stdout).toBe("");
      expect(code).toBe(2);
      expect(sandbox.leftovers()).toEqual([]);
    },
  );

  it("leaves no empty --out behind", () => {
    expect(existsSync(join(sandbox.directory, "ipcmark-out"))).toBe(false);
  });

  // Root may write anywhere, so the permission can be tested by others only.
  it.skipIf(process.getuid?.() === 0)("an --out without permission is refused before anything runs", async () => {
    chmodSync(join(sandbox.directory, "closed"), 0o555);
    const { code, stderr } = await sandbox.run(["compare", "--out", "closed/out"]);
    expect(stderr).toMatch(/cannot write to --out "closed\/out": permission denied/);
    expect(code).toBe(2);
  });
});
