import { availableParallelism, cpus, loadavg, release } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { asRoot } from "../../transports/contract/shortage.ts";
import { ffiFloor } from "../../transports/posix/index.ts";
import { allowedCpuList, parseCpuList } from "../process/cpus.ts";
import { placementCpus } from "../process/pinning.ts";
import { type CpuClock, othersShare, readCpuClock, stealShare } from "../results/environment.ts";
import type { Finding, Probe } from "./finding.ts";
import { readText } from "./read.ts";

const WATCHED_MS = 1000;
/** Smallest share of CPU time used by other processes that is worth a warning. */
const NOTABLE_LOAD = 0.15;
const NOTABLE_STEAL = 0.01;
/**
 * Smallest share taken by the hypervisor that is worth a warning, while a command gets ready. That takes a fraction of
 * a second, in which one tick of the clock is already one per cent.
 */
export const NOTABLE_STEAL_BEFORE_RUN = 0.05;

export const software: Probe = () => [
  { topic: "software", status: "ok", found: `Node ${process.versions.node}, ${process.platform} ${release()}` },
];

export const posixBinding: Probe = () => {
  const topic = "POSIX binding";
  const floor = ffiFloor();
  if (floor.binding === "none") {
    const status = process.platform === "linux" ? "problem" : "note";
    return [{ topic, status, found: floor.reason, meaning: "shared memory and message queues are unavailable" }];
  }
  const found = `${floor.binding}, ${floor.callNs} ns per call`;
  if (floor.binding === "koffi" || process.env["IPCMARK_FFI"]) return [{ topic, status: "ok", found }];
  const meaning = "koffi is not installed: mechanisms that make a call per message are slower here than with it";
  return [{ topic, status: "warning", found, meaning, fix: "npm install koffi" }];
};

export const processors: Probe = () => {
  const topic = "CPUs";
  const model = cpus()[0]?.model.trim() ?? "unknown";
  const found = `${availableParallelism()} (${allowedCpuList() ?? "any"}), ${model}`;
  const placed = placementCpus("two-cpus");
  if (!("reason" in placed)) return [{ topic, status: "ok", found }];
  const meaning = `no two-cpus placement: ${placed.reason}`;
  return [{ topic, status: "warning", found, meaning, fix: asRoot("apt-get install util-linux") }];
};

export const governor: Probe = () => {
  const cpus = parseCpuList(allowedCpuList() ?? "0");
  const read = (name: string): string[] =>
    cpus.flatMap((cpu) => readText(`/sys/devices/system/cpu/cpu${cpu}/cpufreq/${name}`) ?? []);
  const governors = [...new Set(read("scaling_governor"))].join(" and ");
  const topic = "CPU governor";
  if (governors === "")
    return [{ topic, status: "note", found: "no CPU governor to be read (in virtual machines the host has it)" }];
  const range = [Math.min(...read("scaling_min_freq").map(Number)), Math.max(...read("scaling_max_freq").map(Number))];
  const mhz = range.every(Number.isFinite) ? `, ${range.map((khz) => Math.round(khz / 1000)).join(" to ")} MHz` : "";
  const found = `CPU governor ${governors}${mhz}`;
  if (governors === "performance") return [{ topic, status: "ok", found }];
  const meaning =
    "the CPU frequency follows the load: the first messages of a trial are slower than the rest, and runs differ";
  return [{ topic, status: "warning", found, meaning, fix: asRoot("cpupower frequency-set --governor performance") }];
};

/** Measures over a second what load and hypervisor take. */
export const neighbours: Probe = async () => {
  const before = readCpuClock();
  await delay(WATCHED_MS);
  const after = readCpuClock();
  return [loadFinding(before, after), ...stealFinding(before, after, NOTABLE_STEAL)];
};

/**
 * Reports the CPU time that other processes used between two readings. The load average would show a change too late.
 */
export function loadFinding(before: CpuClock | null, after: CpuClock | null): Finding {
  const topic = "load";
  const average = loadavg()[0] ?? 0;
  const cpus = availableParallelism();
  const others = othersShare(before, after);
  const used = others === null ? "" : `, other processes use ${Math.round(others * 100)} % of the CPU time now`;
  const found = `load average ${average.toFixed(2)} on ${cpus} CPUs${used}`;
  if (others === null ? average <= cpus / 2 : others <= NOTABLE_LOAD) return { topic, status: "ok", found };
  const meaning = "something else is running: its share of every figure is unknown, and the run takes longer";
  return { topic, status: "warning", found, meaning, fix: "top -o %CPU" };
}

/** Reports the share of time that the hypervisor took; empty where there is none and the system does not count it. */
export function stealFinding(before: CpuClock | null, after: CpuClock | null, notable: number): Finding[] {
  const steal = stealShare(before, after);
  const virtual = /^flags\s*:.*\bhypervisor\b/m.test(readText("/proc/cpuinfo") ?? "");
  if (!virtual && steal === null) return [];
  const share = ((steal ?? 0) * 100).toFixed(1);
  const found = `${virtual ? "virtual machine" : "no hypervisor seen"}, ${share} % of CPU time stolen`;
  const stolen = (steal ?? 0) > notable;
  const meaning = stolen
    ? "the host runs other machines on these CPUs: do not quote a p99 of this machine"
    : "an idle virtual CPU halts, and the host takes time to wake it: a p99 across CPUs describes the machine";
  const status = stolen ? "warning" : virtual ? "note" : "ok";
  return [{ topic: "virtualization", status, found, ...(virtual ? { meaning } : {}) }];
}
