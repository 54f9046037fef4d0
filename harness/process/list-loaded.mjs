/**
 * Preloaded by processes whose loaded files are listed, their workers and children (`--import` in NODE_OPTIONS).
 * Appends a line `[isHarness, path]` for each file, when it is loaded: a process that is killed has listed its own.
 */

/** Rooms of `transports` that the harness itself uses; the others are mechanisms, and never part of it. */
const SHARED = /^(?:contract|support|posix)\/|^registry\.[jt]s$/;

/** @returns a function that gets the URL of each loaded file, and that of the file which imports it */
function lister([list, bundle, bundledImporter]) {
  // An import would load parts of these modules that Node otherwise loads on use: 40 ms for each process.
  const { appendFileSync } = process.getBuiltinModule("node:fs");
  const { fileURLToPath, pathToFileURL } = process.getBuiltinModule("node:url");
  const urlOf = (path) => new URL(`../../${path}`, import.meta.url).href;
  const [harness, transports] = [urlOf("harness/"), urlOf("transports/")];
  /** Module that imports what is under test, `.ts` or `.js`. */
  const importer = urlOf("harness/process/import-tested");
  const bundled = bundle === undefined ? undefined : `${pathToFileURL(bundle).href}/`;
  const importers = bundle === undefined ? [] : [pathToFileURL(bundledImporter).href];
  const isImporter = (url) => importers.includes(url) || url.slice(0, -".ts".length) === importer;
  const isInBundle = (url) => bundled !== undefined && url.startsWith(bundled);
  /** URLs of files that the harness loads for itself. */
  const own = new Set();
  const listed = new Set();
  const isOwn = (url, parent) => {
    if (parent === undefined) return url.startsWith(harness) || isInBundle(url);
    if (!own.has(parent) || isImporter(parent)) return false;
    if (isInBundle(url)) return true;
    return !url.startsWith(transports) || SHARED.test(url.slice(transports.length));
  };
  return (url, parent) => {
    const isHarness = isOwn(url, parent);
    if (isHarness) own.add(url);
    const line = `${JSON.stringify([isHarness, fileURLToPath(url)])}\n`;
    if (listed.has(line)) return;
    listed.add(line);
    appendFileSync(list, line);
  };
}

const list = process.env.IPCMARK_LOADED_FILES;
// A program of a transport may run on an older Node, which has no such hooks.
const registerHooks = process.getBuiltinModule?.("node:module").registerHooks;
if (list !== undefined && registerHooks !== undefined) {
  const add = lister(JSON.parse(list));
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      if (found.url.startsWith("file:")) add(found.url, context.parentURL);
      return found;
    },
  });
}
