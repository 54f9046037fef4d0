import { execFileSync } from "node:child_process";
import type { Hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { allowedCpuList, parseCpuList } from "../process/cpus.ts";
import { placementCpus } from "../process/pinning.ts";
import { type Environment, PLACEMENTS } from "./model.ts";

/** Avoids an import, which costs a starting process 50 ms, as `transports/support/crypto.ts` does. */
const sha256 = (): Hash => process.getBuiltinModule("node:crypto").createHash("sha256");

/** CPU time of all CPUs since boot, clock ticks. */
export interface CpuClock {
  readonly total: number;
  readonly idle: number;
  /** Ticks that the hypervisor gave to others. */
  readonly stolen: number;
  /** Ticks used by this process and by the children it has waited for. */
  readonly own: number;
}

/** Reads the CPU clock. @returns null off Linux */
export function readCpuClock(): CpuClock | null {
  const ticks = /^cpu\s+(.*)$/m
    .exec(readOrNull("/proc/stat") ?? "")?.[1]
    ?.trim()
    .split(/\s+/)
    .map(Number);
  if (ticks === undefined) return null;
  // user nice system idle iowait irq softirq steal; guest time is counted in user already.
  const [total, idle] = [ticks.slice(0, 8), ticks.slice(3, 5)].map((parts) =>
    parts.reduce((sum, each) => sum + each, 0),
  );
  return { total: total ?? 0, idle: idle ?? 0, stolen: ticks[7] ?? 0, own: ownTicks() };
}

/** Returns ticks of this process: utime, stime, cutime, cstime, 11 places behind the name, which may hold spaces. */
function ownTicks(): number {
  const fields = (readOrNull("/proc/self/stat") ?? "").replace(/^.*\) /s, "").split(" ");
  return fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
}

export function stealShare(before: CpuClock | null, after: CpuClock | null): number | null {
  if (before === null || after === null || after.total === before.total) return null;
  return (after.stolen - before.stolen) / (after.total - before.total);
}

/** Smallest number of ticks to judge by: below it they are too coarse. */
const LEAST_TICKS = 30;

/** Returns the share of CPU time that other processes used between two readings; null where it is unknown. */
export function othersShare(before: CpuClock | null, after: CpuClock | null): number | null {
  if (before === null || after === null || after.total - before.total < LEAST_TICKS) return null;
  const [unused, own] = [after.idle - before.idle + after.stolen - before.stolen, after.own - before.own];
  return Math.max(0, 1 - (unused + own) / (after.total - before.total));
}

/** Describes machine and software: everything a reader needs to judge whether two runs may be compared. */
export function describeEnvironment(before: CpuClock | null, ffi: Environment["ffi"]): Environment {
  const placements: Record<string, { driver: string; peer: string }> = {};
  for (const placement of PLACEMENTS) {
    const found = placementCpus(placement);
    if (!("reason" in found)) placements[placement] = { driver: found.driver, peer: found.peer };
  }
  const now = readCpuClock();
  const machine = {
    node: process.versions.node,
    v8: process.versions.v8,
    platform: process.platform,
    arch: process.arch,
    kernel: release(),
    cpuModel: cpus()[0]?.model.trim() ?? "unknown",
    cpus: availableParallelism(),
    allowedCpus: allowedCpuList(),
    memoryBytes: totalmem(),
    virtualization: virtualization(),
    governor: readOrNull("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    placements,
  };
  return {
    ipcmark: packageVersion(),
    ...machine,
    fingerprint: sha256().update(JSON.stringify(machine)).digest("hex").slice(0, 16),
    frequencyMHz: readFrequencyMHz(),
    cgroup: cgroupLimits(),
    loadAverage1: loadavg()[0] ?? 0,
    stealShare: stealShare(before, now),
    othersShare: othersShare(before, now),
    ffi,
    timerNs: timerCost(),
    harnessFloorNs: null,
  };
}

/** Returns the mean clock of the allowed CPUs now, MHz; null where the kernel has none. */
export function readFrequencyMHz(): number | null {
  const allowed = parseCpuList(allowedCpuList() ?? "");
  const scaled = allowed.flatMap((cpu) => {
    const khz = Number(readOrNull(`/sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_cur_freq`) ?? Number.NaN);
    return Number.isFinite(khz) ? [khz / 1000] : [];
  });
  const found =
    scaled.length > 0
      ? scaled
      : [...(readOrNull("/proc/cpuinfo") ?? "").matchAll(/^cpu MHz\s*:\s*([\d.]+)/gm)].map((match) => Number(match[1]));
  if (found.length === 0) return null;
  return Math.round(found.reduce((sum, mhz) => sum + mhz, 0) / found.length);
}

/** Reads the limits of this process's control group, version 2 or 1; null without a group or limits. */
export function cgroupLimits(root = "/sys/fs/cgroup"): NonNullable<Environment["cgroup"]> | null {
  const read = (name: string): string | null => readOrNull(`${root}/${name}`);
  const [quota, period] = (read("cpu.max") ?? "").split(/\s+/).map(Number);
  const quota1 = Number(read("cpu/cpu.cfs_quota_us") ?? Number.NaN);
  const period1 = Number(read("cpu/cpu.cfs_period_us") ?? Number.NaN);
  const cpus = share(quota, period) ?? share(quota1, period1);
  const memory = Number(read("memory.max") ?? read("memory/memory.limit_in_bytes") ?? Number.NaN);
  const memoryBytes = Number.isFinite(memory) && memory < totalmem() ? memory : null;
  return cpus === null && memoryBytes === null ? null : { cpus, memoryBytes };
}

function share(quota: number | undefined, period: number | undefined): number | null {
  if (quota === undefined || period === undefined || !(quota > 0) || !(period > 0)) return null;
  return quota / period;
}

interface Manifest {
  readonly version: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function manifest(): Manifest {
  for (const up of ["../../package.json", "../../../package.json"]) {
    const text = readOrNull(fileURLToPath(new URL(up, import.meta.url)));
    if (text !== null) return JSON.parse(text) as Manifest;
  }
  return { version: "unknown" };
}

export function packageVersion(): string {
  return manifest().version;
}

/** Returns the names of packages that `npm install --omit=optional` leaves out. */
export function optionalPackages(): string[] {
  return Object.keys(manifest().optionalDependencies ?? {});
}

function virtualization(): string | null {
  try {
    return execFileSync("systemd-detect-virt", {
      encoding: "utf8",
      timeout: 2000,
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch (error) {
    // On bare metal it exits with 1 and prints "none".
    const said = (error as { stdout?: string }).stdout?.trim();
    if (said) return said;
    return /^flags\s*:.*\bhypervisor\b/m.test(readOrNull("/proc/cpuinfo") ?? "") ? "a hypervisor" : null;
  }
}

/** Returns the time of one reading of the clock that takes the samples: the fastest of several batches, ns. */
function timerCost(): number {
  const reads = 10_000;
  let best = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < 10; batch++) {
    const started = process.hrtime.bigint();
    for (let read = 0; read < reads; read++) process.hrtime.bigint();
    best = Math.min(best, Number(process.hrtime.bigint() - started) / reads);
  }
  return Math.round(best * 10) / 10;
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}
