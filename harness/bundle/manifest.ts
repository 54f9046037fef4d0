import type { Hash } from "node:crypto";
import { readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";

/** As in `transports/support/crypto.ts`: an import costs a starting process 50 ms. */
const sha256 = (): Hash => process.getBuiltinModule("node:crypto").createHash("sha256");

/** Name of the list beside the files of a bundle. */
export const MANIFEST = "manifest.json";

/** File that was read to make a bundle. */
export interface Input {
  /** Relative to the package. */
  readonly path: string;
  /** SHA-256 of its content, hexadecimal; null: the file was absent. */
  readonly hash: string | null;
  /** Status of the file then, see {@link stampOf}; while it is unchanged, the content is not read again. */
  readonly stamp: string;
}

/** Versions that a bundle depends on besides its inputs. */
export interface Versions {
  /** Directory of the package: paths into it are part of the bundle. */
  readonly root: string;
  readonly node: string;
  readonly esbuild: string;
  readonly package: string;
}

export interface Manifest extends Versions {
  readonly inputs: readonly Input[];
  /** Files of the bundle, each with the inputs whose code is in it, relative to the package. */
  readonly files: Readonly<Record<string, readonly string[]>>;
}

export function hashOf(content: Uint8Array): string {
  return sha256().update(content).digest("hex");
}

/** Returns size, inode and times of a file, which change when it is written or replaced. */
export function stampOf({ size, ino, mtimeMs, ctimeMs }: Stats): string {
  return `${size} ${ino} ${mtimeMs} ${ctimeMs}`;
}

/** Returns a file as an input, read now. */
export function readInput(root: string, path: string): Input {
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  if (stat === undefined) return { path, hash: null, stamp: "" };
  return { path, hash: hashOf(readFileSync(join(root, path))), stamp: stampOf(stat) };
}

/** Returns the name of a bundle: a digest of all that it depends on. */
export function keyOf({ root, node, esbuild, package: version }: Versions, inputs: readonly Input[]): string {
  const digest = sha256().update(JSON.stringify([root, node, esbuild, version]));
  for (const { path, hash } of inputs.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    digest.update(JSON.stringify([path, hash]));
  }
  return digest.digest("hex").slice(0, 32);
}

/**
 * Returns the inputs as they are now while a bundle still matches them; undefined when it does not. Reads only files
 * whose stamp has changed.
 */
export function stillValid(manifest: Manifest, versions: Versions): readonly Input[] | undefined {
  const same = (["root", "node", "esbuild", "package"] as const).every((name) => manifest[name] === versions[name]);
  if (!same) return undefined;
  const now: Input[] = [];
  for (const input of manifest.inputs) {
    const stat = statSync(join(versions.root, input.path), { throwIfNoEntry: false });
    const isAsBefore = (stat === undefined ? "" : stampOf(stat)) === input.stamp;
    const found = isAsBefore ? input : readInput(versions.root, input.path);
    if (found.hash !== input.hash) return undefined;
    now.push(found);
  }
  return now;
}
