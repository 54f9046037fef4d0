import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { sweepSystemNames, systemName } from "./system-names.ts";

it.skipIf(process.platform !== "linux")(
  "what a test process left is removed when it has ended, and nothing else",
  () => {
    const directory = mkdtempSync(join(tmpdir(), "ipcmark-test-"));
    const { pid } = spawnSync("true");
    const own = systemName();
    const ofEnded = own.replace(`-${process.pid}-`, `-${pid}-`);
    const others = [`${own}-3`, "ipcmark-0123456789abcdef-1", "somebody-elses"];
    for (const name of [...others, `${ofEnded}-1`, `sem.${ofEnded}-2`]) writeFileSync(join(directory, name), "");
    sweepSystemNames(directory);
    expect(readdirSync(directory).sort()).toEqual(others.sort());
    rmSync(directory, { recursive: true });
  },
);
