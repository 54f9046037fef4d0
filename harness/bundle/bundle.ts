import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDirectory, type Refusal, refusalOfDirectory, refusalOfFile } from "../process/private-directory.ts";
import { oneLine } from "../process/rules.ts";
import { packageVersion } from "../results/environment.ts";
import { build, IMPORTER } from "./build.ts";
import { keyOf, MANIFEST, type Manifest, stillValid, type Versions } from "./manifest.ts";

/** As in `transports/support/crypto.ts`: an import costs a starting process 50 ms. */
const randomBytes = (bytes: number): Buffer => process.getBuiltinModule("node:crypto").randomBytes(bytes);

/** Folder in a bundle's directory where Node keeps what V8 compiled of it. */
const COMPILED = "compiled";
const KEY = /^[0-9a-f]{32}$/;
const UNFINISHED = /^\.new-/;
/** Number of bundles kept besides those used within a day, in which a run may still be going on. */
const KEPT = 4;
const KEPT_MS = 24 * 60 * 60 * 1000;
const EXTENSION = extname(import.meta.url);

/** Driver and peer in a few files instead of many, ready to run. */
export interface Bundle {
  readonly directory: string;
  /** Directory where Node keeps what V8 compiled of it (`NODE_COMPILE_CACHE`). */
  readonly compiled: string;
  readonly manifest: Manifest;
}

/** Package that is bundled; `.ts` modules lie in the package itself, compiled ones in its `dist`. */
export interface Package {
  readonly root: string;
  readonly code: string;
}

export interface BundleOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly of?: Package;
  /** `false`: only look for an existing one. */
  readonly builds?: boolean;
}

export function thisPackage(): Package {
  const code = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");
  return { code, root: EXTENSION === ".js" && basename(code) === "dist" ? dirname(code) : code };
}

/**
 * Returns the bundle of this package as it is now, and makes it where there is none yet. Checks that everything in it
 * belongs to this user and is writable by nobody else. Never throws: without a bundle, processes run from the source.
 */
export async function openBundle(options: BundleOptions = {}): Promise<Bundle | Refusal> {
  const { env = process.env, of = thisPackage(), builds = true } = options;
  if (env["IPCMARK_BUNDLE"] === "off") return { reason: "IPCMARK_BUNDLE is off" };
  try {
    const cache = cacheDirectory(of.root, env, builds);
    if (typeof cache !== "string") return cache;
    const versions = { root: of.root, node: process.version, esbuild: esbuildVersion(), package: packageVersion() };
    const found = find(cache, versions);
    if (found !== undefined) return found;
    return builds ? await make(cache, of.code, versions) : { reason: `${cache} has none of this version yet` };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    if (code === "MODULE_NOT_FOUND") return { reason: "esbuild is not installed", fix: "npm install esbuild" };
    return { reason: oneLine(message) };
  }
}

/** Returns the version from esbuild's own package file: to load esbuild takes longer than to start from a bundle. */
function esbuildVersion(): string {
  return (createRequire(import.meta.url)("esbuild/package.json") as { version: string }).version;
}

/** Returns the bundle of these versions; undefined when there is none, or when the package has changed since. */
function find(cache: string, versions: Versions): Bundle | Refusal | undefined {
  for (const key of byAge(cache)) {
    const directory = join(cache, key);
    const manifest = manifestIn(directory);
    const inputs = manifest === undefined ? undefined : stillValid(manifest, versions);
    if (manifest === undefined || inputs === undefined) continue;
    const bundle = checked(directory, manifest);
    if ("reason" in bundle) return bundle;
    if (inputs.some((input, index) => input !== manifest.inputs[index])) {
      // The same content in files that were written anew: from now on they need not be read.
      replace(join(directory, MANIFEST), JSON.stringify({ ...manifest, inputs }));
    }
    const now = new Date();
    utimesSync(directory, now, now);
    return bundle;
  }
  return undefined;
}

/** Returns keys of the bundles in a directory, those used last first. */
function byAge(cache: string): string[] {
  const used = (key: string): number => statSync(join(cache, key), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return readdirSync(cache)
    .filter((name) => KEY.test(name))
    .map((key) => [key, used(key)] as const)
    .sort(([, a], [, b]) => b - a)
    .map(([key]) => key);
}

/** Returns undefined where another coordinator has just removed it, and where it is not ours to read. */
function manifestIn(directory: string): Manifest | undefined {
  const path = join(directory, MANIFEST);
  try {
    if ((refusalOfDirectory(directory) ?? refusalOfFile(path)) !== undefined) return undefined;
    return JSON.parse(readFileSync(path, "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}

/** Returns the bundle, or why none of it may be run: somebody else may have written to it. */
function checked(directory: string, manifest: Manifest): Bundle | Refusal {
  const compiled = join(directory, COMPILED);
  let refused = refusalOfDirectory(directory) ?? refusalOfDirectory(compiled);
  for (const name of [MANIFEST, ...Object.keys(manifest.files)]) refused ??= refusalOfFile(join(directory, name));
  return refused ?? { directory, compiled, manifest };
}

async function make(cache: string, code: string, versions: Versions): Promise<Bundle | Refusal> {
  const { files, inputs } = await build(versions.root, code, EXTENSION);
  const manifest: Manifest = {
    ...versions,
    inputs,
    files: Object.fromEntries(files.map(({ name, inputs }) => [name, inputs])),
  };
  const directory = join(cache, keyOf(versions, inputs));
  const unfinished = join(cache, `.new-${randomBytes(8).toString("hex")}`);
  mkdirSync(unfinished, { mode: 0o700 });
  try {
    mkdirSync(join(unfinished, COMPILED), { mode: 0o700 });
    for (const { name, content } of files) writeFileSync(join(unfinished, name), content, PRIVATE);
    writeFileSync(join(unfinished, MANIFEST), JSON.stringify(manifest), PRIVATE);
    renameSync(unfinished, directory);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another coordinator that started at the same time has made the same.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
  removeOld(cache);
  return checked(directory, manifest);
}

const PRIVATE = { flag: "wx", mode: 0o600 } as const;

function replace(path: string, text: string): void {
  const unfinished = `${path}.${randomBytes(8).toString("hex")}`;
  writeFileSync(unfinished, text, PRIVATE);
  renameSync(unfinished, path);
}

function removeOld(cache: string): void {
  const old = [...byAge(cache).slice(KEPT), ...readdirSync(cache).filter((name) => UNFINISHED.test(name))];
  for (const name of old) {
    const path = join(cache, name);
    const { mtimeMs = Date.now() } = statSync(path, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** Returns the file that imports what is under test: the rest of a bundle is the harness. */
export function importerIn({ directory, manifest }: Bundle): string {
  const [name = ""] = Object.entries(manifest.files).find(([, inputs]) => inputs.some(isImporter)) ?? [];
  return join(directory, name);
}

function isImporter(path: string): boolean {
  return path.endsWith(`${IMPORTER}${EXTENSION}`);
}

/**
 * Returns the modules of the package that a process has loaded, relative to it.
 *
 * @param loaded paths of files that the process loaded; those outside of the bundle are returned as they are
 */
export function sourcesOf({ directory, manifest }: Bundle, loaded: readonly string[]): string[] {
  const inside = (path: string): readonly string[] | undefined =>
    dirname(path) === directory ? (manifest.files[basename(path)] ?? []) : undefined;
  return [...new Set(loaded.flatMap((path) => inside(path) ?? [path]))];
}
