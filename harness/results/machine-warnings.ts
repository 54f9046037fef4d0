import type { Environment, Warning } from "./model.ts";

type Circumstances = Pick<Environment, "stealShare" | "othersShare" | "loadAverage1" | "cpus" | "cgroup">;

/** Smallest share of all CPU time used by other processes that is worth a warning. */
const NOTABLE_OTHERS = 0.1;

/** Returns warnings about the machine, each with its effect on the figures and what to do. */
export function machineWarnings(circumstances: Circumstances): Warning[] {
  const { stealShare, loadAverage1, cpus, cgroup } = circumstances;
  const others = circumstances.othersShare ?? 0;
  const found: Warning[] = [];
  const warn = (id: Warning["id"], text: string): unknown => found.push({ id, text, where: {} });
  if (stealShare !== null && stealShare > 0.01) {
    warn(
      "hypervisor-steal",
      `the hypervisor took ${(stealShare * 100).toFixed(1)} % of the CPU time during this run: ` +
        "a p99 may describe the host; repeat on a quieter host before you quote it",
    );
  }
  if (others > NOTABLE_OTHERS) {
    warn(
      "other-processes",
      `other processes used ${(others * 100).toFixed(0)} % of the CPU time during this run: ` +
        "every figure may include their load; stop them and repeat",
    );
  } else if (loadAverage1 > 2 * cpus) {
    warn(
      "load-average",
      `the load average is ${loadAverage1.toFixed(1)} on ${cpus} CPUs: something else is running; stop it and repeat`,
    );
  }
  const quota = cgroup?.cpus ?? null;
  if (quota !== null && quota < Math.min(2, cpus)) {
    warn(
      "cpu-quota",
      `the control group allows ${quota} CPUs: two busy processes are stopped together, for up to 100 ms at a time; ` +
        "raise cpu.max",
    );
  }
  return found;
}
