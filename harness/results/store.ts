import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, type Stats, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** As in `transports/support/crypto.ts`: an import costs a process that starts 50 ms. */
const randomBytes = (bytes: number): Buffer => process.getBuiltinModule("node:crypto").randomBytes(bytes);

/** A file that is no report, or a place that cannot be written: says so in one sentence. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

/**
 * Says in time, before an hour of measuring, that these files could not be stored there. Creates nothing that stays: a command that is
 * refused later leaves no empty directory.
 *
 * @param flag the flag that named the directory
 * @throws StoreError
 */
export function ensureWritable(directory: string, names: readonly string[] = [], flag = "--out"): void {
  const refused = (reason: string): StoreError =>
    new StoreError(`cannot write to ${flag} "${directory}": ${reason}; name a directory you may write to`);
  try {
    // Trying tells more than asking: /proc says that root may write there.
    rmdirSync(mkdtempSync(join(nearestExisting(directory), ".ipcmark-")));
  } catch (error) {
    throw refused(reasonOf(error));
  }
  for (const name of names) {
    if (statOf(join(directory, name))?.isDirectory()) throw refused(`"${name}" in it is a directory`);
  }
}

/** The directory itself, or the one that it will be created in. */
function nearestExisting(directory: string): string {
  let at = resolve(directory);
  while (statOf(at) === undefined && at !== dirname(at)) at = dirname(at);
  return at;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // Below something that is no directory, or not to be looked into: whoever tries to write there is told.
    return undefined;
  }
}

/**
 * Writes a file beside its name, then renames it, so that half a file is never left. Nobody can guess the first name or put a link there, and a
 * link that has the final name is replaced, not followed.
 *
 * @returns the path
 * @throws StoreError
 */
export function store(directory: string, name: string, text: string): string {
  const path = join(directory, name);
  const temporary = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(temporary, text, { flag: "wx" });
    renameSync(temporary, path);
  } catch (error) {
    // What was there before is not ours to remove.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") rmSync(temporary, { force: true });
    throw new StoreError(`cannot write "${path}": ${reasonOf(error)}; name another directory`);
  }
  return path;
}

/** Why the file system refused, in the words of a sentence. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  const words: Record<string, string> = {
    ENOENT: "no such file",
    EACCES: "permission denied",
    EROFS: "read-only file system",
    ENOTDIR: "a file is in the way",
    EEXIST: "a file is in the way",
    EISDIR: "it is a directory",
  };
  return words[code ?? ""] ?? (error as Error).message;
}
