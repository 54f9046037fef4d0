import { pathToFileURL } from "node:url";

/** Imports a module under test. What is imported from this file is no part of the harness, see `list-loaded.mjs`. */
export function importTested(path: string): Promise<unknown> {
  return import(pathToFileURL(path).href);
}
