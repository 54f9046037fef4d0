import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Extension of our programs: `.ts` in the repository, `.js` in the published package. */
const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/** Entries of our processes that a bundle has, see `../bundle`. */
export const BUNDLED_ENTRIES: readonly string[] = ["driver/main", "peer/main"];

/** Returns the name of a process's file in a bundle. */
export function bundledName(entry: string): string {
  return `${entry.replaceAll("/", "-")}.mjs`;
}

/** Directory of the bundle that this process runs from; undefined when it runs from the source. */
let own: string | undefined;

/** Records that this process runs from the bundle in that directory, so that its children do too. */
export function runsFromBundle(directory: string): void {
  own = directory;
}

/**
 * Returns the command line of one of our own processes.
 *
 * @param entry path below `harness/` without extension, such as `peer/main`
 * @param pin prefix that puts the process on a CPU, see `pinning.ts`
 * @param bundle directory of the bundle to run it from, where that has it; default: the one of this process
 */
export function nodeCommand(
  entry: string,
  pin: readonly string[] = [],
  args: readonly string[] = [],
  bundle: string | undefined = own,
): [string, ...string[]] {
  const file =
    bundle !== undefined && BUNDLED_ENTRIES.includes(entry)
      ? join(bundle, bundledName(entry))
      : fileURLToPath(new URL(`../${entry}${EXTENSION}`, import.meta.url));
  const command = [...pin, process.execPath, file, ...args];
  return command as [string, ...string[]];
}
