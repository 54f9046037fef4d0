import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cgroupLimits, othersShare } from "./environment.ts";
import { machineWarnings } from "./machine-warnings.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ipcmark-test-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function group(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

describe("what the control group allows", () => {
  test("is a quota over a period and a memory limit in version 2", () => {
    group({ "cpu.max": "150000 100000\n", "memory.max": "268435456\n" });
    expect(cgroupLimits(root)).toEqual({ cpus: 1.5, memoryBytes: 268_435_456 });
  });

  test("lies in other files in version 1", () => {
    group({ "cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n" });
    expect(cgroupLimits(root)).toEqual({ cpus: 0.5, memoryBytes: null });
  });

  test.each([
    ["nothing at all", {}],
    ["no quota in version 2, and no limit on memory", { "cpu.max": "max 100000\n", "memory.max": "max\n" }],
    ["no quota in version 1", { "cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n" }],
    ["more memory than there is", { "memory.max": "9223372036854771712\n" }],
  ])("is null where it is %s", (_, files) => {
    group(files);
    expect(cgroupLimits(root)).toBeNull();
  });
});

test("others used what neither this run nor the hypervisor did, as far as the ticks are fine enough to show it", () => {
  const start = { total: 1000, idle: 500, stolen: 0, own: 10 };
  expect(othersShare(start, { total: 1100, idle: 540, stolen: 10, own: 30 })).toBeCloseTo(0.3, 10);
  expect(othersShare(start, { total: 1100, idle: 590, stolen: 0, own: 25 })).toBe(0);
  expect(othersShare(start, { total: 1010, idle: 500, stolen: 0, own: 10 })).toBeNull();
  expect(othersShare(null, null)).toBeNull();
});

describe("a warning about the machine", () => {
  const calm = { stealShare: 0.001, loadAverage1: 1.5, cpus: 2, cgroup: null };

  test("is not given on a calm one, nor where the quota is enough for two busy processes", () => {
    expect(machineWarnings(calm)).toEqual([]);
    expect(machineWarnings({ ...calm, cpus: 8, cgroup: { cpus: 2, memoryBytes: null } })).toEqual([]);
  });

  test.each([
    [{ stealShare: 0.085 }, "hypervisor-steal", /hypervisor took 8\.5 %.*repeat on a quieter host/],
    [
      { othersShare: 0.42, loadAverage1: 5 },
      "other-processes",
      /other processes used 42 % of the CPU time.*stop them and repeat/,
    ],
    [{ loadAverage1: 5 }, "load-average", /load average is 5\.0 on 2 CPUs.*stop it and repeat/],
    [{ cgroup: { cpus: 1.5, memoryBytes: null } }, "cpu-quota", /control group allows 1\.5 CPUs.*raise cpu\.max/],
  ])("names %o and the way out", (change, id, expected) => {
    expect(machineWarnings({ ...calm, ...change })).toEqual([{ id, text: expect.stringMatching(expected), where: {} }]);
  });
});
