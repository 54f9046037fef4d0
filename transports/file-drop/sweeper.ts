import { lstatSync } from "node:fs";
import { join } from "node:path";
import { listNames, removeAnything } from "./files.ts";
import { CLIENT_PATTERN, type Layout, parseRequestName } from "./names.ts";

/**
 * Removes the files of crashed processes that are older than `ttlMs`: temporary ones, and requests without a mailbox.
 *
 * @returns the clients that have not touched their mailbox for that time: their process is gone or hangs
 */
export function sweepOrphans(layout: Layout, ttlMs: number, nowMs: number): readonly string[] {
  const isOld = (path: string): boolean => nowMs - modifiedMs(path, nowMs) > ttlMs;
  for (const file of listNames(layout.temporary)) {
    const path = join(layout.temporary, file);
    if (isOld(path)) removeAnything(path);
  }
  const mailboxes = listNames(layout.responses).filter((name) => CLIENT_PATTERN.test(name));
  const known = new Set(mailboxes);
  for (const file of listNames(layout.requests)) {
    const name = parseRequestName(file);
    const path = join(layout.requests, file);
    if (name !== undefined && !known.has(name.client) && isOld(path)) removeAnything(path);
  }
  return mailboxes.filter((client) => isOld(join(layout.responses, client)));
}

/** Returns the time of the last change, or `nowMs` if the path is gone. Follows no links: they may be circular. */
function modifiedMs(path: string, nowMs: number): number {
  return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowMs;
}
