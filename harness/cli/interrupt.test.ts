import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { watchLateness } from "../../transports/testing/lateness.ts";
import { loadReport } from "../results/load-report.ts";
import { eventually, Sandbox } from "../testing/sandbox.ts";

const ARGS = ["compare", "--transport", "unix", "stdio", "--budget", "60s", "--out", "out"];

/** Returns the present start time of one of our processes on this machine. */
function startUpMs(): number {
  const startedMs = performance.now();
  spawnSync(process.execPath, ["-e", ""]);
  return performance.now() - startedMs;
}

const describeOnLinux = process.platform === "linux" ? describe : describe.skip;

describeOnLinux("a compare that is cut short", () => {
  let sandbox: Sandbox;
  afterEach(() => sandbox.remove());

  /** Resolves when drivers and peers are running. */
  async function running(): Promise<ReturnType<Sandbox["start"]>> {
    sandbox = new Sandbox();
    const child = sandbox.start(ARGS);
    child.stderr?.resume();
    child.stdout?.resume();
    expect(
      await eventually(() => sandbox.processes().length >= 3, 30_000),
      "drivers and peers start",
    ).toBeGreaterThanOrEqual(0);
    return child;
  }

  it.for([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "ends within 2 s of %s with its exit code, says what it had, and leaves no process and no path",
    async ([signal, code]) => {
      const child = await running();
      let printed = "";
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
      });
      const lateness = watchLateness();
      const startedMs = performance.now();
      const exit = new Promise<number | null>((resolve) => child.on("close", resolve));
      child.kill(signal);
      expect(await exit).toBe(code);
      const endedMs = performance.now() - startedMs;
      expect(endedMs).toBeLessThan(2000 + lateness());
      await sandbox.expectNoProcess();
      await sandbox.expectNoLeftovers(endedMs);
      expect(printed).toMatch(/^interrupted after \d+ s: partial\n/);
      expect(printed).toContain("No pick: the run was interrupted after");
      const report = loadReport(join(sandbox.directory, "out", "report.json"));
      expect([report.complete, report.pick]).toEqual([false, null]);
      expect(report.checks.map(({ status }) => status)).not.toContain("failed");
    },
  );

  it("takes its processes with it within 1 s of SIGKILL, and the next start sweeps what it left", async () => {
    const child = await running();
    const lateness = watchLateness();
    child.kill("SIGKILL");
    const elapsedMs = await eventually(() => sandbox.processes().length === 0, 10_000);
    expect(elapsedMs).toBeGreaterThanOrEqual(0);
    // A driver that is just starting, and then the peer it starts, notice the end when they have started.
    expect(elapsedMs).toBeLessThan(1000 + lateness() + 2 * startUpMs());
    expect(sandbox.leftovers()).toHaveLength(1);
    await sandbox.run(["check", "--transport", "loopback", "--scenario", "sequential-requests"]);
    expect(sandbox.leftovers()).toEqual([]);
  });
});
