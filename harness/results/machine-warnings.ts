import type { Environment } from "./model.ts";

type Circumstances = Pick<Environment, "stealShare" | "loadAverage1" | "cpus" | "cgroup">;

/** What about the machine makes the figures of this run worth less, each with what to do about it. */
export function machineWarnings({ stealShare, loadAverage1, cpus, cgroup }: Circumstances): string[] {
  const found: string[] = [];
  if (stealShare !== null && stealShare > 0.01) {
    found.push(
      `the hypervisor took ${(stealShare * 100).toFixed(1)} % of the CPU time during this run: tails are the host's; repeat on a quieter host before you quote p99`,
    );
  }
  if (loadAverage1 > 2 * cpus) {
    found.push(
      `the load average is ${loadAverage1.toFixed(1)} on ${cpus} CPUs: something else is running; stop it and repeat`,
    );
  }
  const quota = cgroup?.cpus ?? null;
  if (quota !== null && quota < Math.min(2, cpus)) {
    found.push(
      `the control group allows ${quota} CPUs: two busy processes are throttled together, up to 100 ms at a time; raise cpu.max`,
    );
  }
  return found;
}
