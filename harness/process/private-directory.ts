/** Directory for bundles of our code, to which only this user can have written. */
import { accessSync, constants, existsSync, lstatSync, mkdirSync, realpathSync, type Stats } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join, sep } from "node:path";

const NAME = "ipcmark";
const WRITABLE_BY_OTHERS = 0o022;
const WRITABLE_BY_ALL = 0o002;
const OPEN_TO_OTHERS = 0o077;

/** Reason why a place cannot be used. */
export interface Refusal {
  /** One sentence without a full stop. */
  readonly reason: string;
  /** Command that removes the reason; absent if there is none. */
  readonly fix?: string;
}

/**
 * Returns the directory of the bundles: `node_modules/.cache/ipcmark` of the package, or `ipcmark` in the user's cache
 * directory if the first cannot be written. Never one below a directory to which all users may write.
 *
 * @param root directory of the package
 * @param creates `true` to create the directory if it does not exist
 */
export function cacheDirectory(root: string, env: NodeJS.ProcessEnv, creates: boolean): string | Refusal {
  if (process.getuid === undefined) return { reason: "this system does not show who may write a file" };
  let first: Refusal | undefined;
  for (const parent of parentsOf(root, env)) {
    const found = usable(parent, creates);
    if (typeof found === "string") return found;
    // A reason with a fix is reported rather than one without.
    if (first === undefined || (first.fix === undefined && found.fix !== undefined)) first = found;
  }
  return first as Refusal;
}

/** Returns `ipcmark` in the cache directory of this user, by the same rules. */
export function userCacheDirectory(env: NodeJS.ProcessEnv, creates: boolean): string | Refusal {
  if (process.getuid === undefined) return { reason: "this system does not show who may write a file" };
  return usable(userCaches(env), creates);
}

/** Returns why existing directories are refused, but only reasons that a command can remove. */
export function refusedDirectories(root: string, env: NodeJS.ProcessEnv): Refusal[] {
  if (process.getuid === undefined) return [];
  const found = parentsOf(root, env).map((parent) => usable(parent, false));
  return found.filter((each) => typeof each !== "string").filter(({ fix }) => fix !== undefined);
}

/** Returns the cache below the `node_modules` of or around the package, then the cache directory of this user. */
function parentsOf(root: string, env: NodeJS.ProcessEnv): string[] {
  const packages = basename(dirname(root)) === "node_modules" ? dirname(root) : join(root, "node_modules");
  return [join(packages, ".cache"), userCaches(env)];
}

function userCaches(env: NodeJS.ProcessEnv): string {
  const usual = process.platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache");
  return env["XDG_CACHE_HOME"] || usual;
}

function usable(parent: string, creates: boolean): string | Refusal {
  const directory = join(parent, NAME);
  try {
    // An absent parent is made too, but not node_modules, since that would add a place in which packages are searched.
    const shared = sharedWithAll(existsSync(parent) ? parent : dirname(parent));
    if (shared !== undefined) return shared;
    if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) {
      if (!creates) return { reason: `${directory} has not been made yet` };
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    }
    const refused = refusalOfDirectory(directory);
    if (refused !== undefined) return refused;
    accessSync(directory, constants.W_OK);
    return directory;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { reason: `${directory} cannot be used (${code ?? message})` };
  }
}

/** Returns a refusal if others could replace our directory; for code, a sticky bit is not enough. */
function sharedWithAll(parent: string): Refusal | undefined {
  const real = realpathSync(parent);
  const temporary = realpathSync(tmpdir());
  if (real === temporary || real.startsWith(temporary + sep)) {
    return { reason: `${parent} is in the temporary directory` };
  }
  for (let path = real; ; path = dirname(path)) {
    if ((lstatSync(path).mode & WRITABLE_BY_ALL) !== 0) return { reason: `all users may write to ${path}` };
    if (path === dirname(path)) return undefined;
  }
}

/** Returns why code in this directory must not be run; undefined if it is ours and closed to everybody else. */
export function refusalOfDirectory(path: string): Refusal | undefined {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return { reason: `${path} is no directory`, fix: `rm ${path}` };
  const foreign = refusalOfOwner(path, stat);
  if (foreign !== undefined || (stat.mode & OPEN_TO_OTHERS) === 0) return foreign;
  // Removed and not just closed, since others may have written to it already.
  return { reason: `${path} is open to other users`, fix: `rm -r ${path}` };
}

/** Returns why this file must not be run; undefined if it is ours and nobody else may write it. */
export function refusalOfFile(path: string): Refusal | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  const fix = `rm -r ${dirname(path)}`;
  if (!stat?.isFile()) return { reason: `${path} is no file`, fix };
  const foreign = refusalOfOwner(path, stat);
  if (foreign !== undefined || (stat.mode & WRITABLE_BY_OTHERS) === 0) return foreign;
  return { reason: `other users may write to ${path}`, fix };
}

function refusalOfOwner(path: string, { uid }: Stats): Refusal | undefined {
  if (uid === process.getuid?.()) return undefined;
  return { reason: `${path} belongs to another user (uid ${uid})`, fix: `rm -r ${path}` };
}
