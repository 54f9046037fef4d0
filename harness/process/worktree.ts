import { readFileSync, writeFileSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { Place } from "../../transports/contract/transport.ts";

const NOTE = "worktree";

/** Where the temporary worktree of a run lies. Git names its own record of it after the last part of this path. */
export function worktreeOf({ directory, prefix }: Place): string {
  return join(directory, prefix);
}

/** Notes that the run is about to have a worktree of this repository: a killed run is swept by the next one. */
export function noteWorktree({ directory, prefix }: Place, gitDirectory: string): void {
  writeFileSync(join(directory, NOTE), join(gitDirectory, "worktrees", prefix), { mode: 0o600 });
}

/**
 * Removes what git knows of the run's worktree: as `git worktree prune` does once the tree is gone, but for this one alone, and also
 * where git was killed while it made it and has locked it. Nothing of the repository is run.
 */
export async function forgetWorktree({ directory, prefix }: Place): Promise<void> {
  let record: string;
  try {
    record = readFileSync(join(directory, NOTE), "utf8");
  } catch {
    return;
  }
  // The note is ours, but it is a file: only what bears this run's random name is removed.
  if (!isAbsolute(record) || basename(record) !== prefix || basename(dirname(record)) !== "worktrees") return;
  await rm(record, { recursive: true, force: true, maxRetries: 3 });
  // Git removes the last one's parent too.
  await rmdir(dirname(record)).catch(() => {});
}
