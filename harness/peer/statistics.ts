import { readdirSync } from "node:fs";
import type { ServerStatistics } from "../../scenarios/check.ts";
import { readUsage } from "../process/usage.ts";

/** Returns statistics of this server process. */
export function serverStatistics(requests: number, clients: number): ServerStatistics {
  const { type: _type, ...usage } = readUsage();
  return {
    pid: process.pid,
    rssBytes: process.memoryUsage.rss(),
    descriptors: entries("/proc/self/fd"),
    threads: entries("/proc/self/task"),
    requests,
    clients,
    usage,
  };
}

function entries(directory: string): number {
  try {
    return readdirSync(directory).length;
  } catch {
    return -1;
  }
}
