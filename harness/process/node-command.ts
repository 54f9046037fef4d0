import { fileURLToPath } from "node:url";

/** `.ts` in the repository, `.js` in the published package: children are of the same kind as this file. */
const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/**
 * The command line of one of our own processes.
 *
 * @param entry path below `harness/` without extension, such as `peer/main`
 * @param pin prefix that puts the process on a CPU, see `pinning.ts`
 */
export function nodeCommand(
  entry: string,
  pin: readonly string[] = [],
  args: readonly string[] = [],
): [string, ...string[]] {
  const file = fileURLToPath(new URL(`../${entry}${EXTENSION}`, import.meta.url));
  const command = [...pin, process.execPath, file, ...args];
  return command as [string, ...string[]];
}
