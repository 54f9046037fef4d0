import { readdirSync, readFileSync } from "node:fs";

/** Returns the CPUs this process may use, such as `[0, 1]`; null where the system does not report them. */
export function allowedCpus(): readonly number[] | null {
  const list = allowedCpuList();
  return list === null ? null : parseCpuList(list);
}

/** Returns these CPUs in the kernel's notation (`0-1,4`), to record the result of pinning. */
export function allowedCpuList(): string | null {
  return cpuListIn("/proc/self/status") ?? null;
}

/** Returns the same for a process; `0/0-1` if its threads differ; null if unknown or if the process is gone. */
export function allowedCpuListOfThreads(pid: number): string | null {
  try {
    const directory = `/proc/${pid}/task`;
    const masks = readdirSync(directory).flatMap((thread) => cpuListIn(`${directory}/${thread}/status`) ?? []);
    return masks.length === 0 ? null : [...new Set(masks)].toSorted().join("/");
  } catch {
    return null;
  }
}

/** Returns undefined for a thread that has just ended. */
function cpuListIn(path: string): string | undefined {
  try {
    return /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(path, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

export function parseCpuList(list: string): number[] {
  const cpus: number[] = [];
  for (const part of list.split(",")) {
    const [first, last = first] = part.split("-").map(Number);
    if (first === undefined || last === undefined || Number.isNaN(first) || Number.isNaN(last)) continue;
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  return cpus;
}
