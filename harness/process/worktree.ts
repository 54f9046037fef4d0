/** Temporary git worktree of the base of a gate. */
import { readFileSync, writeFileSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { Place } from "../../transports/contract/transport.ts";

const NOTE = "worktree";

/** Returns the path of a run's temporary worktree that is not kept. Git names its record after the last part. */
export function worktreeOf({ directory, prefix }: Place): string {
  return join(directory, prefix);
}

/** Notes that the run is about to have a worktree of this repository: the next run sweeps after a killed one. */
export function noteWorktree({ directory, prefix }: Place, gitDirectory: string): void {
  writeFileSync(join(directory, NOTE), join(gitDirectory, "worktrees", prefix), { mode: 0o600 });
}

/**
 * Removes git's record of the run's worktree, also where git was killed while it made it and left it locked. Runs no
 * code of the repository and leaves other records alone.
 */
export async function forgetWorktree({ directory, prefix }: Place): Promise<void> {
  let record: string;
  try {
    record = readFileSync(join(directory, NOTE), "utf8");
  } catch {
    return;
  }
  // The note is ours, but it is a file: only a record with this run's random name is removed.
  if (!isAbsolute(record) || basename(record) !== prefix || basename(dirname(record)) !== "worktrees") return;
  await rm(record, { recursive: true, force: true, maxRetries: 3 });
  // Git removes the last one's parent too.
  await rmdir(dirname(record)).catch(() => {});
}
