import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allowedCpus } from "../process/cpus.ts";
import type { Report } from "../results/model.ts";
import { Sandbox } from "./testing.ts";

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(() => sandbox.remove());

const SHORT = ["--trials", "1", "--messages", "50", "--json", "--out", "out"];

/** A folder that is the whole PATH: what is not named here does not exist on this machine. */
function pathWith(programs: readonly string[], scripts: Readonly<Record<string, string>> = {}): { PATH: string } {
  const directory = join(sandbox.directory, "bin");
  mkdirSync(directory);
  for (const name of programs) {
    symlinkSync(execFileSync("which", [name], { encoding: "utf8" }).trim(), join(directory, name));
  }
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(directory, name), text, { mode: 0o755 });
  return { PATH: directory };
}

interface Poverty {
  readonly env?: NodeJS.ProcessEnv;
  readonly within?: readonly string[];
}

async function measured(args: readonly string[], { env, within }: Poverty): Promise<Report> {
  const { stdout, stderr } = await sandbox.run(["measure", ...args, ...SHORT], env, within);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Report;
}

describe.skipIf(process.platform !== "linux")("a machine that lacks something", () => {
  it("without a C compiler is measured without limits, and the report says so", async () => {
    const env = pathWith(["taskset", "true"]);
    const report = await measured(
      ["--transport", "unix", "--mode", "event", "--placement", "same-cpu", "--payload", "64"],
      { env },
    );
    expect(report.limits).toEqual([]);
    expect(report.limitsReason).toMatch(/there is no C compiler \(cc\) here/);
    expect(report.measurements.map(({ status, limit }) => [status, limit])).toEqual([
      ["measured", undefined],
      ["measured", undefined],
    ]);
  });

  it("without the right to pin has no pinned rows, and each of them says why", async () => {
    const refusing = "#!/bin/sh\necho 'taskset: failed to set pid 1: Operation not permitted' >&2\nexit 1\n";
    const env = pathWith(["sh"], { taskset: refusing });
    const report = await measured(
      [
        "--transport",
        "unix",
        "--mode",
        "event",
        "--placement",
        "same-cpu",
        "unpinned",
        "--payload",
        "64",
        "--no-limits",
      ],
      { env },
    );
    for (const { placement, status, reason } of report.measurements) {
      expect([placement, status]).toEqual(
        placement === "unpinned" ? ["unpinned", "measured"] : ["same-cpu", "not-applicable"],
      );
      if (placement !== "unpinned")
        expect(reason).toMatch(/does not let processes be pinned.*Operation not permitted.*--placement unpinned/);
    }
    expect(new Set(report.measurements.map(({ placement }) => placement))).toEqual(new Set(["unpinned", "same-cpu"]));
  });

  it("with one CPU has no rows on two, none that would spin, and says why", async () => {
    const cpu = String(allowedCpus()?.[0] ?? 0);
    const report = await measured(
      [
        "--transport",
        "unix",
        "shm/spin",
        "--placement",
        "two-cpus",
        "unpinned",
        "--payload",
        "64",
        "--benchmark",
        "round-trip",
        "load-curve",
        "--no-limits",
      ],
      { within: ["taskset", "-c", cpu] },
    );
    const reasons = new Map(
      report.measurements.map((row) => [`${row.transport} ${row.mode} ${row.placement} ${row.benchmark}`, row.reason]),
    );
    expect(reasons.get("unix event two-cpus round-trip")).toMatch(/this process may use one CPU only/);
    const spin = report.transports.find(({ id }) => id === "shm/spin");
    expect(spin).toMatchObject({ available: false, reason: expect.stringMatching(/only one CPU may be used here/) });
    expect(report.measurements.filter(({ transport }) => transport === "shm/spin")).toEqual([]);
    expect(reasons.get("unix event unpinned load-curve")).toMatch(/there is one CPU only/);
    expect(reasons.get("unix event unpinned round-trip")).toBeUndefined();
  });

  it("that cannot start so many clients fails that cell with its reason and measures the others", async () => {
    const report = await measured(
      [
        "--transport",
        "unix",
        "--mode",
        "event",
        "--placement",
        "unpinned",
        "--payload",
        "64",
        "--benchmark",
        "fan-in",
        "--no-limits",
      ],
      { within: ["prlimit", "--nofile=52", "--"] },
    );
    const found = new Map(report.measurements.map(({ clients, status, reason }) => [clients, { status, reason }]));
    expect(found.get(1)?.status).toBe("measured");
    expect(found.get(16)?.status).toBe("failed");
    expect(found.get(16)?.reason).toMatch(/client process \d+ of 16 did not start/);
  });
});
