import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** `.ts` in the repository, `.js` in the published package: children are of the same kind as this file. */
const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/** Those of our processes that a bundle has, see `../bundle`. */
export const BUNDLED_ENTRIES: readonly string[] = ["driver/main", "peer/main"];

/** Returns the name of a process's file in a bundle. */
export function bundledName(entry: string): string {
  return `${entry.replaceAll("/", "-")}.mjs`;
}

/** The bundle that this process runs from; undefined when it runs from the source. */
let own: string | undefined;

/** Notes that this process runs from the bundle in that directory: those it starts then do so too. */
export function runsFromBundle(directory: string): void {
  own = directory;
}

/**
 * The command line of one of our own processes.
 *
 * @param entry path below `harness/` without extension, such as `peer/main`
 * @param pin prefix that puts the process on a CPU, see `pinning.ts`
 * @param bundle directory of the bundle to run it from, if that has it; default: the one of this process
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
