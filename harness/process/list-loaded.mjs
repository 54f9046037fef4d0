/**
 * Preloaded by processes whose loaded files are listed, their workers and children (`--import` in NODE_OPTIONS).
 * Appends a line `[isHarness, path]` for each file, when it is loaded: a process that is killed has listed its own.
 */
import { appendFileSync } from "node:fs";
import * as module from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const list = process.env.IPCMARK_LOADED_FILES;
const code = join(import.meta.dirname, "..", "..");
const urlOf = (...parts) => pathToFileURL(join(code, ...parts)).href;
const harness = `${urlOf("harness")}/`;
const transports = `${urlOf("transports")}/`;
/** Rooms of `transports` that the harness itself uses; the others are mechanisms, and never part of it. */
const SHARED = /^(?:contract|support|posix)\/|^registry\.[jt]s$/;
/** Module that imports what is under test, `.ts` or `.js`. */
const importer = urlOf("harness", "process", "import-tested");

/** URLs of files that the harness loads for itself. */
const own = new Set();
const listed = new Set();

function isOwn(url, parent) {
  if (parent === undefined) return url.startsWith(harness);
  if (!own.has(parent) || parent.slice(0, -".ts".length) === importer) return false;
  return !url.startsWith(transports) || SHARED.test(url.slice(transports.length));
}

function note(url, parent) {
  const isHarness = isOwn(url, parent);
  if (isHarness) own.add(url);
  const line = `${JSON.stringify([isHarness, fileURLToPath(url)])}\n`;
  if (listed.has(line)) return;
  listed.add(line);
  appendFileSync(list, line);
}

// A program of a transport may run on an older Node, which has no such hooks.
if (list !== undefined) {
  module.registerHooks?.({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      if (found.url.startsWith("file:")) note(found.url, context.parentURL);
      return found;
    },
  });
}
