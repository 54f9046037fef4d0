import { accessSync, constants, existsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { MAX_SOCKET_PATH_BYTES } from "../../transports/support/socket-path-limit.ts";
import { MachineError } from "./machine-error.ts";

/** Longest part of a socket path below the parent, bytes: `/ipcmark-` and 16 digits, a check's folder, a name. */
export const LONGEST_BELOW_PARENT = 25 + 11 + 34;

/**
 * Returns the directory in which run directories are made: the temporary directory, or a shorter one if the paths of
 * sockets below it would be too long.
 *
 * @throws MachineError if it does not exist, is no directory, or may not be written
 */
export function placeParent(): string {
  const wanted = tmpdir();
  checkWritable(wanted);
  if (hasShortPath(wanted)) return wanted;
  const [short] = shortParents();
  if (short !== undefined) return short;
  throw new MachineError(
    `the temporary directory ${wanted} is too long: a socket path may have ${MAX_SOCKET_PATH_BYTES} bytes, and ` +
      `${LONGEST_BELOW_PARENT} of them come below it; set TMPDIR to a shorter one`,
  );
}

/** Returns all existing directories in which runs with this temporary directory can have left something. */
export function placeParents(): readonly string[] {
  const wanted = tmpdir();
  const all = hasShortPath(wanted) ? [wanted] : [wanted, ...shortParents()];
  return all.filter((directory) => existsSync(directory));
}

/** Returns true if every socket path of a run below this directory is short enough for the system. */
export function hasShortPath(directory: string): boolean {
  return Buffer.byteLength(directory) + LONGEST_BELOW_PARENT <= MAX_SOCKET_PATH_BYTES;
}

/** Returns short directories in which nobody else can rename or remove our files: sticky, or writable only by us. */
function shortParents(): string[] {
  if (process.platform === "win32") return [];
  return ["/tmp", `/run/user/${process.getuid?.()}`].filter((directory) => {
    try {
      checkWritable(directory);
      const { mode, uid } = statSync(directory);
      return (mode & 0o1000) !== 0 || ((mode & 0o022) === 0 && uid === process.getuid?.());
    } catch {
      return false;
    }
  });
}

/** @throws MachineError */
function checkWritable(directory: string): void {
  const what = `the temporary directory ${directory}`;
  const remedy = "set TMPDIR to a directory that you may write";
  try {
    // With the final slash, a file is an error too.
    accessSync(`${directory}/`, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new MachineError(
      `${what} ${WHY[(error as NodeJS.ErrnoException).code ?? ""] ?? "cannot be used"}; ${remedy}`,
    );
  }
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "is no directory",
  EACCES: "may not be written",
  EROFS: "is read-only",
};
