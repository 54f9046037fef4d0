import { pathToFileURL } from "node:url";

/** Imports a module under test. Modules imported by this file do not count as the harness, see `list-loaded.mjs`. */
export function importTested(path: string): Promise<unknown> {
  return import(pathToFileURL(path).href);
}
