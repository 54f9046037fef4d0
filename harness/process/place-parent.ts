import { accessSync, constants, existsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { MAX_SOCKET_PATH_BYTES } from "../../transports/support/socket-path-limit.ts";
import { MachineError } from "./machine-error.ts";

/** Longest socket path below the parent, bytes: `/ipcmark-` and 16 digits, a check's folder, the socket's name. */
export const LONGEST_BELOW_PARENT = 25 + 11 + 34;

/**
 * Returns the directory that run directories are made in: the temporary one, or a shorter one where the paths of
 * sockets below it would be too long.
 *
 * @throws MachineError when it does not exist, is no directory, or may not be written
 */
export function placeParent(): string {
  const wanted = tmpdir();
  checkWritable(wanted);
  if (hasShortPath(wanted)) return wanted;
  const [short] = shortParents();
  if (short !== undefined) return short;
  throw new MachineError(
    `the temporary directory ${wanted} is too long: a socket's path has at most ${MAX_SOCKET_PATH_BYTES} bytes, and ` +
      `${LONGEST_BELOW_PARENT} of them come below it; set TMPDIR to a shorter one`,
  );
}

/** Returns every existing directory in which runs with this temporary directory can have left something. */
export function placeParents(): readonly string[] {
  const wanted = tmpdir();
  const all = hasShortPath(wanted) ? [wanted] : [wanted, ...shortParents()];
  return all.filter((directory) => existsSync(directory));
}

/** Returns true where the system accepts the path of every socket of a run below this directory. */
export function hasShortPath(directory: string): boolean {
  return Buffer.byteLength(directory) + LONGEST_BELOW_PARENT <= MAX_SOCKET_PATH_BYTES;
}

/** Returns short directories where nobody else can rename or remove our files: sticky, or writable by us alone. */
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
    // The final slash makes a file an error too.
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
