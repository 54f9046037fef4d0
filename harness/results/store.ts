import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, type Stats, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** Avoids an import, which costs a starting process 50 ms, as `transports/support/crypto.ts` does. */
const randomBytes = (bytes: number): Buffer => process.getBuiltinModule("node:crypto").randomBytes(bytes);

/** Thrown for a file that is no report, or a place that cannot be written, with one sentence. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

/**
 * Throws where these files could not be stored, which is better known before an hour of measuring. Leaves nothing
 * behind: a command that is refused later creates no empty directory.
 *
 * @param flag the flag that named the directory
 * @throws StoreError
 */
export function ensureWritable(directory: string, names: readonly string[] = [], flag = "--out"): void {
  const refused = (reason: string): StoreError =>
    new StoreError(`cannot write to ${flag} "${directory}": ${reason}; name a directory you may write to`);
  try {
    // An attempt is more reliable than a look at the mode, by which root may write into /proc.
    rmdirSync(mkdtempSync(join(nearestExisting(directory), ".ipcmark-")));
  } catch (error) {
    throw refused(reasonOf(error));
  }
  for (const name of names) {
    if (statOf(join(directory, name))?.isDirectory()) throw refused(`"${name}" in it is a directory`);
  }
}

/** Returns the directory itself, or the nearest existing one above it. */
function nearestExisting(directory: string): string {
  let at = resolve(directory);
  while (statOf(at) === undefined && at !== dirname(at)) at = dirname(at);
  return at;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // Below a file, or a directory that cannot be searched: the attempt to write there reports it.
    return undefined;
  }
}

/**
 * Writes a file beside its name, then renames it, so that half a file is never left. The first name cannot be guessed,
 * so nobody can put a link there. A link that has the final name is replaced, not followed.
 *
 * @returns the path
 * @throws StoreError
 */
export function store(directory: string, name: string, text: string | Uint8Array): string {
  const path = join(directory, name);
  const temporary = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(temporary, text, { flag: "wx" });
    renameSync(temporary, path);
  } catch (error) {
    // A file that was there before is not ours to remove.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") rmSync(temporary, { force: true });
    throw new StoreError(`cannot write "${path}": ${reasonOf(error)}; name another directory`);
  }
  return path;
}

/** Describes why the file system refused, for use in a sentence. */
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
