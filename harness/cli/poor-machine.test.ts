import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allowedCpus } from "../process/cpus.ts";
import type { Measurement, Report } from "../results/model.ts";
import { Sandbox } from "../testing/sandbox.ts";

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

const reasonOf = (row: Measurement): string | undefined => (row.status === "measured" ? undefined : row.reason);

/** A mount namespace with a small file system at a path; undefined where this user may not have one. */
function withSmall(path: string, size: string): readonly string[] | undefined {
  const within = ["unshare", "-rm", "sh", "-c", `mount -t tmpfs -o size=${size} tmpfs ${path} && exec "$@"`, "sh"];
  return spawnSync(within[0] as string, [...within.slice(1), "true"]).status === 0 ? within : undefined;
}

interface Checked {
  readonly code: number | null;
  readonly stderr: string;
  readonly statuses: readonly string[];
}

/** Returns the result of a check that this machine has too little for. */
async function checked(args: readonly string[], within: readonly string[]): Promise<Checked> {
  const { code, stdout, stderr } = await sandbox.run(["check", ...args, "--json", "--out", "out"], {}, within);
  if (stdout === "") throw new Error(stderr);
  return { code, stderr, statuses: (JSON.parse(stdout) as Report).checks.map(({ status }) => status) };
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
  it("without a C compiler is measured without the C baseline, and the report says so", async () => {
    const env = pathWith(["taskset", "true"]);
    const report = await measured(
      ["--transport", "unix", "--mode", "event", "--placement", "same-cpu", "--payload", "64"],
      { env },
    );
    expect(report.cBaseline).toEqual([]);
    expect(report.cBaselineReason).toMatchObject({
      status: "unavailable",
      reason: expect.stringContaining("there is no C compiler (cc) here"),
    });
    expect(report.measurements.map((row) => [row.status, "cBaseline" in row])).toEqual([
      ["measured", false],
      ["measured", false],
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
        "--no-c-baseline",
      ],
      { env },
    );
    for (const row of report.measurements) {
      const { placement, status } = row;
      const reason = reasonOf(row);
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
        "--no-c-baseline",
      ],
      { within: ["taskset", "-c", cpu] },
    );
    const reasons = new Map(
      report.measurements.map((row) => [
        `${row.transport} ${row.mode} ${row.placement} ${row.benchmark}`,
        reasonOf(row),
      ]),
    );
    expect(reasons.get("unix event two-cpus round-trip")).toMatch(/this process may use one CPU only/);
    const spin = report.transports.find(({ id }) => id === "shm/spin");
    expect(spin).toMatchObject({ available: false, reason: expect.stringMatching(/only one CPU may be used here/) });
    expect(report.measurements.filter(({ transport }) => transport === "shm/spin")).toEqual([]);
    expect(reasons.get("unix event unpinned load-curve")).toMatch(/there is one CPU only/);
    expect(reasons.get("unix event unpinned round-trip")).toBeUndefined();
  });

  it("that cannot start so many clients has no such cell, says why, and measures the others", async () => {
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
        "--no-c-baseline",
      ],
      { within: ["prlimit", "--nofile=44", "--"] },
    );
    const found = new Map(
      report.measurements.map((row) => [row.clients, { status: row.status, reason: reasonOf(row) }]),
    );
    expect(found.get(1)?.status).toBe("measured");
    expect(found.get(16)?.status).toBe("unavailable");
    expect(found.get(16)?.reason).toMatch(/client process \d+ of 16 did not start: .*ulimit -n/);
    // So many processes one after the other take their time on a busy machine.
  }, 120_000);

  it("whose TMPDIR cannot be used runs nothing: one sentence and exit code 23 in every command", async () => {
    const env = { TMPDIR: join(sandbox.directory, "missing") };
    const commands = [["check"], ["measure"], ["compare"], ["gate", "--base-dir", "."]];
    for (const { code, stderr } of await Promise.all(
      commands.map((command) => sandbox.run([...command, "--transport", "tcp"], env)),
    )) {
      expect([code, stderr.trim().split("\n")]).toEqual([
        23,
        [expect.stringMatching(/^ipcmark: the temporary directory \S+missing does not exist; set TMPDIR to/)],
      ]);
    }
  });

  it("with too little shared memory has no such mechanism: a note before and after the run, no failed check", async ({
    skip,
  }) => {
    const within = withSmall("/dev/shm", "64k") ?? skip("no namespace of mounts here");
    const args = ["--transport", "shm/descriptor", "--scenario", "sequential-requests"];
    const { code, stderr, statuses } = await checked(args, within);
    expect([code, statuses]).toEqual([22, ["unavailable"]]);
    expect(stderr).toMatch(/^! \/dev\/shm: 64 KiB, 64 KiB free; .*remount,size=1G/m);
    expect(stderr).toMatch(/^shm\/descriptor was asked for by name and is not available here: .*free of 64 KiB/m);
  });

  describe.skipIf(!process.env["IPCMARK_TEST_ALL"])("in other ways", () => {
    it("for a part of the clients serves the others, and is no failure", async ({ skip }) => {
      const within = withSmall("/dev/shm", "64m") ?? skip("no namespace of mounts here");
      const args = ["--transport", "shm/descriptor", "--scenario", "sequential-requests", "concurrent-clients/8"];
      expect(await checked(args, within)).toMatchObject({ code: 0, statuses: ["passed", "unavailable"] });
    });

    it("with few descriptors", async () => {
      const args = ["--transport", "unix", "--scenario", "sequential-requests", "concurrent-clients/64"];
      const found = await checked(args, ["prlimit", "--nofile=40", "--"]);
      expect(found).toMatchObject({ code: 0, statuses: ["passed", "unavailable"] });
      expect(found.stderr).toMatch(/^! open files: up to 40 per process; .*ulimit -n/m);
    });

    it("with a small quota of queues", async () => {
      const args = ["--transport", "posix-mq", "--scenario", "sequential-requests"];
      const { code, stderr, statuses } = await checked(args, ["prlimit", "--msgqueue=4000", "--"]);
      expect([code, statuses]).toEqual([22, ["unavailable"]]);
      expect(stderr).toMatch(/posix-mq was asked for by name and did not run: .*prlimit --pid \$\$ --msgqueue/);
    });

    it("with a full disk", async ({ skip }) => {
      const within = withSmall(sandbox.temporary, "300k") ?? skip("no namespace of mounts here");
      const args = ["--transport", "mmap/futex", "--scenario", "sequential-requests"];
      const { code, stderr, statuses } = await checked(args, within);
      expect([code, statuses]).toEqual([22, ["unavailable"]]);
      expect(stderr).toMatch(/mmap\/futex was asked for by name and is not available here: .*ENOSPC.*TMPDIR/);
    });
  });
});
