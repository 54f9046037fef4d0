import type { Environment } from "../results/model.ts";

type Machine = Pick<Environment, "cpuModel" | "cpus" | "virtualization" | "kernel" | "node">;

/** Describes a machine as documents may: CPU, number of CPUs, virtual or not, kernel as major.minor, Node. */
export function machineSentence({ cpuModel, cpus, virtualization, kernel, node }: Machine): string {
  const kind = virtualization === null || virtualization === "none" ? "not virtual" : "virtual";
  const version = /^\d+\.\d+/.exec(kernel)?.[0] ?? "unknown";
  return `${cpuModel}, ${cpus} CPU${cpus === 1 ? "" : "s"}, ${kind}, kernel ${version}, Node ${node}`;
}
