import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { eventually } from "../testing/sandbox.ts";
import { processTree, treeUsage } from "./process-tree.ts";

describe.skipIf(process.platform !== "linux")("a process tree", () => {
  it("has the process, what it has started, and what that has left behind", async () => {
    // The second shell ends at once: its child belongs to the session still.
    const root = spawn("sh", ["-c", "sleep 600 & sh -c 'sleep 600 & exit'; wait"], { detached: true, stdio: "ignore" });
    const pid = root.pid as number;
    try {
      expect(await eventually(() => processTree(pid).length === 3, 10_000)).toBeGreaterThanOrEqual(0);
      expect(processTree(pid)).toContain(pid);
      expect(treeUsage(pid).peakMemoryBytes).toBeGreaterThan(3 * 4096);
    } finally {
      process.kill(-pid, "SIGKILL");
    }
    expect(await eventually(() => processTree(pid).length === 0, 10_000)).toBeGreaterThanOrEqual(0);
  });

  it("has used what its processes have", () => {
    const { user, system } = process.cpuUsage();
    const { cpuMicros, peakMemoryBytes, voluntarySwitches } = treeUsage(process.pid);
    expect(cpuMicros).toBeGreaterThan(0.9 * (user + system));
    expect(peakMemoryBytes).toBeGreaterThanOrEqual(process.memoryUsage.rss() / 2);
    expect(voluntarySwitches).toBeGreaterThan(0);
  });

  it("of nobody is empty", () => {
    expect(processTree(2 ** 22 + 1)).toEqual([]);
    expect(treeUsage(2 ** 22 + 1)).toMatchObject({ cpuMicros: 0, peakMemoryBytes: 0 });
  });
});
