import { availableParallelism, cpus, loadavg, release } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { asRoot } from "../../transports/contract/shortage.ts";
import { ffiFloor } from "../../transports/posix/index.ts";
import { allowedCpuList } from "../process/cpus.ts";
import { placementCpus } from "../process/pinning.ts";
import { readSteal, type StealClock, stealShare } from "../results/environment.ts";
import type { Finding, Probe } from "./finding.ts";
import { readText } from "./read.ts";

const STEAL_WATCHED_MS = 1000;
const NOTABLE_STEAL = 0.01;
/** Of the fraction of a second in which a command gets ready: one tick of the clock is a per cent of that. */
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
  const found = readText("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  const topic = "CPU governor";
  if (found === null) return [{ topic, status: "note", found: "not told (virtual machines have none of their own)" }];
  if (found === "performance") return [{ topic, status: "ok", found }];
  const meaning = "the clock follows the load: the first messages of a trial are slower than the rest, and runs differ";
  return [{ topic, status: "warning", found, meaning, fix: asRoot("cpupower frequency-set --governor performance") }];
};

export const load: Probe = () => {
  const topic = "load";
  const average = loadavg()[0] ?? 0;
  const found = `load average ${average.toFixed(2)} on ${availableParallelism()} CPUs`;
  if (average <= availableParallelism() / 2) return [{ topic, status: "ok", found }];
  const meaning = "something else is running: its share of every tail is unknown";
  return [{ topic, status: "warning", found, meaning, fix: "top -o %CPU" }];
};

export const neighbours: Probe = async () => {
  const before = readSteal();
  await delay(STEAL_WATCHED_MS);
  return stealFinding(before, readSteal(), NOTABLE_STEAL);
};

/** How much of the time between two looks the hypervisor took; empty where the system shows neither it nor that. */
export function stealFinding(before: StealClock | null, after: StealClock | null, notable: number): Finding[] {
  const steal = stealShare(before, after);
  const virtual = /^flags\s*:.*\bhypervisor\b/m.test(readText("/proc/cpuinfo") ?? "");
  if (!virtual && steal === null) return [];
  const found = `${virtual ? "virtual machine" : "no hypervisor seen"}, ${((steal ?? 0) * 100).toFixed(1)} % of CPU time stolen`;
  const stolen = (steal ?? 0) > notable;
  const meaning = stolen
    ? "the host runs others on these CPUs: do not quote p99 from here"
    : "an idle virtual CPU halts, and waking it is the host's affair: across CPUs the tail is the machine's";
  const status = stolen ? "warning" : virtual ? "note" : "ok";
  return [{ topic: "virtualization", status, found, ...(virtual ? { meaning } : {}) }];
}
