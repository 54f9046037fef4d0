import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { placementCpus } from "../process/pinning.ts";
import type { Report } from "../results/model.ts";
import { type CliResult, Sandbox } from "../testing/sandbox.ts";

/** True where this machine has two CPUs to pin processes to. */
const PINS = !("reason" in placementCpus("two-cpus"));
const ARGS = [
  "--transport",
  "unix",
  "tcp",
  "loopback",
  "--payload",
  "64",
  "4KiB",
  "--mode",
  "event",
  // One placement of two: the other would take as long again and show nothing else.
  "--placement",
  ...(PINS ? ["two-cpus"] : ["unpinned"]),
  "--trials",
  "6",
  // Otherwise six rounds are stretched to the minute that a compare may take.
  "--messages",
  "334",
  "--seed",
  "7",
];

describe("compare", () => {
  const sandbox = new Sandbox();
  let result: CliResult;
  let report: Report;
  beforeAll(async () => {
    result = await sandbox.run(["compare", ...ARGS, "--json", "--out", "out"]);
    report = JSON.parse(result.stdout);
  }, 300_000);
  afterAll(() => sandbox.remove());

  it("ends with a pick and exit code 0, and stdout holds the report and nothing else", () => {
    expect(result.code, result.stderr).toBe(0);
    expect(["unix", "tcp"]).toContain(report.pick?.transport);
    expect(report.pick?.sentence).toContain("64 B and 4 KiB");
    expect(report.seed).toBe(7);
  });

  it("stores the same report, and a page with it", () => {
    expect(JSON.parse(readFileSync(join(sandbox.directory, "out/report.json"), "utf8"))).toEqual(report);
    const page = readFileSync(join(sandbox.directory, "out/report.html"), "utf8");
    expect(page).toContain(report.pick?.sentence);
  });

  it("measures every size, with an interval over six trials", () => {
    const rows = report.measurements.filter(
      ({ transport, benchmark }) => transport === "unix" && benchmark === "round-trip",
    );
    expect(rows.length).toBe(2);
    for (const row of rows) {
      if (row.status !== "measured") throw new Error(`${row.status}: ${row.reason}`);
      expect(row.trials).toHaveLength(6);
      expect(row.interval.p50).toBeDefined();
      expect(row.latencyNs?.p50).toBeGreaterThan(0);
      expect(row.histogram).toBeDefined();
    }
  });

  it("shows the baseline and does not rank it", () => {
    expect(report.transports.find(({ id }) => id === "loopback")?.baseline).toBe(true);
    expect(report.pick?.ranking.map(({ transport }) => transport)).not.toContain("loopback");
    expect(report.environment.harnessFloorNs).toBeGreaterThan(0);
  });

  it("says which binding to the C library ran", () => {
    expect(["koffi", "ffi-rs", "none"]).toContain(report.environment.ffi.binding);
  });

  it("leaves no process and no path behind", async () => {
    expect(sandbox.leftovers()).toEqual([]);
    if (process.platform === "linux") await sandbox.expectNoProcess();
  });

  it("is rendered again by report, from the file alone", async () => {
    const again = await sandbox.run(["report", "out/report.json", "--out", "again"]);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toContain("round-trip");
    expect(again.stdout).toContain(report.pick?.transport);
  });
});

describe("a transport asked for by name", () => {
  it("that is unavailable makes the run incomplete, and the rest runs", async () => {
    const sandbox = new Sandbox();
    const module = join(import.meta.dirname, "../../transports/loopback/loopback.ts");
    const wrapper = join(sandbox.directory, "absent.mjs");
    const { writeFileSync } = await import("node:fs");
    writeFileSync(
      wrapper,
      `import { loopback } from ${JSON.stringify(module)};
       export default { ...loopback, id: "absent", probe: async () => ({ available: false, reason: "not today" }) };`,
    );
    const args = [
      "check",
      "--transport",
      wrapper,
      "loopback",
      "--scenario",
      "sequential-requests",
      "--out",
      "out",
      "--json",
    ];
    const { code, stdout } = await sandbox.run(args);
    const { checks } = JSON.parse(stdout) as Report;
    expect(checks.map(({ transport, status }) => `${transport} ${status}`).sort()).toEqual([
      "absent unavailable",
      "loopback passed",
    ]);
    expect(code).toBe(22);
    sandbox.remove();
  });
});
