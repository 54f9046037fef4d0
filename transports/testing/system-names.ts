import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Prefix of all names, the pid of the process that made it, and a part that nobody can guess. */
const NAME = /^(?:sem\.)?ipcmark-test-(\d+)-[0-9a-f]{12}/;
const SHARED_MEMORY = "/dev/shm";

/** Returns a name for objects of the system that a test makes, without the leading slash. */
export function systemName(): string {
  return `ipcmark-test-${process.pid}-${randomBytes(6).toString("hex")}`;
}

/**
 * Removes the segments and semaphores of test processes that have ended: one that crashed could not. No run of the
 * program does this, since these names are in no journal.
 */
export function sweepSystemNames(directory: string = SHARED_MEMORY): void {
  if (process.platform !== "linux" || !existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(directory, name), { force: true });
  }
}
