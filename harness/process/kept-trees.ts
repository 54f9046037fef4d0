/** Trees that a gate has installed and uses again. Each stays where it was made, since builds may contain its path. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Place } from "../../transports/contract/transport.ts";
import { type Refusal, refusalOfDirectory, refusalOfFile, userCacheDirectory } from "./private-directory.ts";

/** Form of the name of a tree, which is the name of the run that made it. */
const TREE = /^ipcmark-[0-9a-f]{16}$/;
/** Form of the name of the file with the name of a tree: a hash of everything on which the tree depends. */
const KEY = /^[0-9a-f]{64}$/;
/** Number of trees that are kept in addition to those used within a day, which a running gate may still use. */
const KEPT = 4;
const KEPT_MS = 24 * 60 * 60 * 1000;
const REMOVAL = { recursive: true, force: true, maxRetries: 3 } as const;

/** Returns the directory of the trees, which only this user can enter, or the reason why there is none. */
export function keptTrees(creates: boolean, env: NodeJS.ProcessEnv = process.env): string | Refusal {
  const cache = userCacheDirectory(env, creates);
  if (typeof cache !== "string") return cache;
  const directory = join(cache, "bases");
  if (!existsSync(directory)) {
    if (!creates) return { reason: `${directory} has not been made yet` };
    mkdirSync(directory, { mode: 0o700 });
  }
  return refusalOfDirectory(directory) ?? directory;
}

/** Returns the tree that was kept under this key; undefined if there is none, or if others may have written to it. */
export function keptTree(directory: string, key: string): string | undefined {
  const tree = namedBy(directory, key);
  if (tree === undefined || !existsSync(tree) || refusalOfDirectory(tree) !== undefined) return undefined;
  const now = new Date();
  utimesSync(join(directory, key), now, now);
  return tree;
}

function namedBy(directory: string, key: string): string | undefined {
  const file = join(directory, key);
  if (!existsSync(file) || refusalOfFile(file) !== undefined) return undefined;
  const name = readFileSync(file, "utf8");
  return TREE.test(name) ? join(directory, name) : undefined;
}

/** Makes an empty directory for the tree of this run. It is removed at the end of the run unless the tree is kept. */
export function newTree(directory: string, { prefix }: Place): string {
  const tree = join(directory, prefix);
  mkdirSync(tree, { mode: 0o700 });
  return tree;
}

/** Keeps the finished tree of this run, and removes the trees that were not used for the longest time. */
export async function keepTree(directory: string, key: string, { prefix }: Place): Promise<void> {
  // Another run has kept the same tree meanwhile, so the tree of this run is removed with the run.
  if (keptTree(directory, key) !== undefined) return;
  const unfinished = join(directory, `${prefix}.new`);
  writeFileSync(unfinished, prefix, { flag: "wx", mode: 0o600 });
  renameSync(unfinished, join(directory, key));
  const byUse = keysIn(directory).toSorted((a, b) => usedMs(directory, b) - usedMs(directory, a));
  for (const old of byUse.slice(KEPT).filter((key) => Date.now() - usedMs(directory, key) > KEPT_MS)) {
    const tree = namedBy(directory, old);
    await rm(join(directory, old), REMOVAL);
    if (tree !== undefined) await rm(tree, REMOVAL);
  }
}

function keysIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => KEY.test(name));
}

function usedMs(directory: string, key: string): number {
  return statSync(join(directory, key), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Removes the tree of this run, unless it is kept. */
export async function removeUnkeptTree({ prefix }: Place): Promise<void> {
  const directory = keptTrees(false);
  if (typeof directory !== "string" || !TREE.test(prefix)) return;
  const tree = join(directory, prefix);
  await rm(`${tree}.new`, REMOVAL);
  if (lstatSync(tree, { throwIfNoEntry: false }) === undefined) return;
  if (!keysIn(directory).some((key) => namedBy(directory, key) === tree)) await rm(tree, REMOVAL);
}

/** Removes all kept trees. @returns how many there were */
export async function removeKeptTrees(): Promise<number> {
  const directory = keptTrees(false);
  if (typeof directory !== "string") return 0;
  const trees = keysIn(directory).map((key) => [key, namedBy(directory, key)] as const);
  for (const [key, tree] of trees) {
    await rm(join(directory, key), REMOVAL);
    if (tree !== undefined) await rm(tree, REMOVAL);
  }
  return trees.length;
}

/** Returns the directories of all kept trees. */
export function listKeptTrees(directory: string): string[] {
  return keysIn(directory).flatMap((key) => namedBy(directory, key) ?? []);
}
