import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Extension of our programs: `.ts` in the repository, `.js` in the published package. */
const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/** Programs of ours that a bundle contains, see `../bundle`. */
export const BUNDLED_ENTRIES: readonly string[] = ["driver/main", "peer/main"];

/**
 * V8 options of drivers and peers: hot code is compiled after an eighth of the usual calls, and on the main thread. So
 * during the warm-up it reaches the same state as in a long run; and on one CPU a compiler thread would halve the speed
 * of a short window. `IPCMARK_V8=default` omits them; `npm run bench:default` shows that times of long runs are equal.
 */
export const SETTLING_OPTIONS: readonly string[] = [
  "--no-concurrent-recompilation",
  "--invocation-count-for-maglev=50",
  "--invocation-count-for-turbofan=400",
  "--minimum-invocations-after-ic-update=60",
];

/**
 * Environment variables of drivers and peers. They set thresholds that glibc itself reaches only after it has freed the
 * first large buffers; until then each large message takes new pages from the kernel.
 */
export const SETTLING_VARIABLES: NodeJS.ProcessEnv = {
  MALLOC_MMAP_THRESHOLD_: String(32 * 1024 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(64 * 1024 * 1024),
};

/** Returns the name of the file of a program in a bundle. */
export function bundledName(entry: string): string {
  return `${entry.replaceAll("/", "-")}.mjs`;
}

/** Directory of the bundle from which this process runs; undefined if it runs from the source. */
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
 * @param bundle directory of the bundle from which to run it, if that contains it; default: the bundle of this process
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
  const settles = BUNDLED_ENTRIES.includes(entry) && process.env["IPCMARK_V8"] !== "default";
  const command = [...pin, process.execPath, ...(settles ? SETTLING_OPTIONS : []), file, ...args];
  return command as [string, ...string[]];
}
