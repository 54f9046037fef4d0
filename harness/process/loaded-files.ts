import { readFileSync } from "node:fs";

/** Files that processes have loaded, absolute paths. */
export interface LoadedFiles {
  /** Files that the harness loaded for itself. */
  readonly harness: readonly string[];
  /** Files that the modules under test loaded. */
  readonly tested: readonly string[];
}

/** Files of the harness that processes run from, instead of its source. */
export interface Bundled {
  readonly directory: string;
  /** File that imports what is under test. */
  readonly importer: string;
}

/**
 * Returns environment variables that make a process, its workers and its children list the files that they load.
 *
 * @param list file that all of them append to
 */
export function listingEnvironment(list: string, bundled?: Bundled): Readonly<Record<string, string>> {
  const preload = `--import ${new URL("./list-loaded.mjs", import.meta.url).href}`;
  const files = [list, ...(bundled === undefined ? [] : [bundled.directory, bundled.importer])];
  return {
    IPCMARK_LOADED_FILES: JSON.stringify(files),
    NODE_OPTIONS: [process.env["NODE_OPTIONS"] ?? "", preload].join(" ").trim(),
  };
}

/** Returns the files listed so far, each file once. */
export function loadedFiles(list: string): LoadedFiles {
  const entries = linesOf(list).map((line) => JSON.parse(line) as [isHarness: boolean, path: string]);
  const paths = (wanted: boolean): string[] =>
    entries.flatMap(([isHarness, path]) => (isHarness === wanted ? path : []));
  return { harness: paths(true), tested: paths(false) };
}

/** Returns the different lines; empty where no process has loaded anything yet. */
function linesOf(list: string): string[] {
  try {
    return [...new Set(readFileSync(list, "utf8").split("\n").slice(0, -1))];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
