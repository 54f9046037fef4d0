/** Temporary git worktree of the base of a gate. */
import { readFileSync, writeFileSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { Place } from "../../transports/contract/transport.ts";

const NOTE = "worktree";

/** Returns the path of a run's temporary worktree, which is not kept. Git names its record after the last part. */
export function worktreeOf({ directory, prefix }: Place): string {
  return join(directory, prefix);
}

/** Notes that the run is about to make a worktree of this repository, so that a later run can remove it. */
export function noteWorktree({ directory, prefix }: Place, gitDirectory: string): void {
  writeFileSync(join(directory, NOTE), join(gitDirectory, "worktrees", prefix), { mode: 0o600 });
}

/**
 * Removes git's record of the run's worktree, even if git was killed while making it and left it locked. Runs no code
 * of the repository and does not touch other records.
 */
export async function forgetWorktree({ directory, prefix }: Place): Promise<void> {
  let record: string;
  try {
    record = readFileSync(join(directory, NOTE), "utf8");
  } catch {
    return;
  }
  // The note is a file that may have been changed, so only a record with the run's random name is removed.
  if (!isAbsolute(record) || basename(record) !== prefix || basename(dirname(record)) !== "worktrees") return;
  await rm(record, { recursive: true, force: true, maxRetries: 3 });
  // With the last record, the parent is removed too, as git does.
  await rmdir(dirname(record)).catch(() => {});
}
