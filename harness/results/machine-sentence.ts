import type { Environment } from "./model.ts";

type Machine = Pick<Environment, "cpuModel" | "cpus" | "virtualization" | "kernel" | "node">;

/** Describes a machine as documents may: CPU, number of CPUs, virtual or not, kernel as major.minor, Node. */
export function machineSentence({ cpuModel, cpus, virtualization, kernel, node }: Machine): string {
  const kind = virtualOrNot(virtualization) === "virtual" ? "virtual" : "not virtual";
  return `${cpuModel}, ${cpus} CPU${cpus === 1 ? "" : "s"}, ${kind}, kernel ${kernelVersion(kernel)}, Node ${node}`;
}

/** Returns `virtual` for any kind of virtual machine; null and `none` stay. */
export function virtualOrNot(kind: string | null): string | null {
  return kind === null || kind === "none" ? kind : "virtual";
}

/** Returns the version of a kernel as major.minor, without what its vendor adds. */
export function kernelVersion(kernel: string): string {
  return /^\d+\.\d+/.exec(kernel)?.[0] ?? "unknown";
}
