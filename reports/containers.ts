import { ABSENT, bytes, oneLine } from "../harness/results/format.ts";
import type { CheckResult } from "../harness/results/model.ts";
import { checkRowName } from "./check-groups.ts";

const SCENARIO = "container/sharing";

/** Titles of the table of containers. */
export const CONTAINER_TITLES = [
  "mechanism",
  "must be shared besides a directory",
  "/dev/shm, 1 client",
  "with a directory only",
] as const;

/** Ways to share, in the options of container runtimes. */
export const CONTAINER_NOTE =
  "Two containers are two sets of namespaces (mount, network, IPC, process ids) that share one directory, a volume. " +
  "The network is shared by --network=container:<name> or --network=host, IPC and /dev/shm by --ipc=container:<name> " +
  "or --ipc=host, process ids by --pid=container:<name> or --pid=host. Common runtimes make /dev/shm 64 MiB large " +
  "(--shm-size).";

/** Returns a row for each mechanism that was tried between two containers; empty where none was. */
export function containerRows(checks: readonly CheckResult[]): readonly (readonly string[])[] {
  return checks
    .filter(({ scenario, status }) => scenario === SCENARIO && status === "passed")
    .map((check) => {
      const { needs, sharedMemoryBytes, withoutIt } = check.notes;
      const memory = typeof sharedMemoryBytes === "number" ? bytes(sharedMemoryBytes) : ABSENT;
      const error = withoutIt === undefined ? "works" : oneLine(String(withoutIt));
      return [checkRowName(check), String(needs ?? ABSENT), memory, error];
    });
}
