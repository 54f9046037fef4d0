import { readFileSync } from "node:fs";

/** Returns the fields of /proc/<pid>/stat from the third on (proc(5)); undefined when the process has ended. */
export function statFields(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The program name is in parentheses and may hold spaces: count fields after the last one.
    return stat === "" ? undefined : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}
