import { createHash } from "node:crypto";
import { existsSync, realpathSync, rmSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { Session } from "../../harness/coordinator/session.ts";
import { keepTree, keptTree, keptTrees, newTree } from "../../harness/process/kept-trees.ts";
import type { TransportReference } from "../../harness/process/messages.ts";
import { note, noteWarning } from "../../harness/process/note.ts";
import { noteWorktree, worktreeOf } from "../../harness/process/worktree.ts";
import { UsageError } from "../../harness/results/exit-codes.ts";
import type { Warning } from "../../harness/results/model.ts";
import type { Place } from "../../transports/contract/transport.ts";
import { Repository } from "./git.ts";
import { foldersTo, prepareTree } from "./install.ts";

/** Base of the comparison, with its place. */
export interface Base {
  /** Name as the user typed it. */
  readonly name: string;
  readonly directory: string;
  /** Directory of the head that corresponds to it: the root of the repository, where there is one. */
  readonly head: string;
  /** Commit that was checked out; absent for a directory. */
  readonly commit?: string;
  /** Warnings about the comparison. */
  readonly warnings: readonly Warning[];
}

/** Base that the user named: an existing directory, or a git ref to check out, with the command that prepares it. */
export type BaseChoice =
  | { readonly checkout: Pick<Base, "name" | "directory"> }
  | { readonly ref: string; readonly setup: string | undefined };

/** Transport in the base, which lies elsewhere: even its registry is a module with a path. */
export interface BaseReference extends TransportReference {
  readonly module: string;
}

const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/** Flags that name the base. */
export interface BaseOptions {
  readonly baseDir?: string;
  readonly base?: string;
  readonly baseSetup?: string;
}

/** @throws UsageError when there is nothing to compare with */
export function chooseBase({ baseDir, base, baseSetup }: BaseOptions): BaseChoice {
  if (baseDir !== undefined && base !== undefined)
    throw new UsageError("--base-dir and --base name two things to compare with; give one of them");
  if (base !== undefined) return { ref: base, setup: baseSetup };
  if (baseDir === undefined)
    throw new UsageError("gate needs what to compare with: either --base-dir <checkout> or --base <git ref>");
  const directory = resolve(baseDir);
  if (!existsSync(directory) || !statSync(directory).isDirectory()) {
    throw new UsageError(`--base-dir "${baseDir}" is not a directory; name a checkout of the code to compare with`);
  }
  return { checkout: { name: baseDir, directory } };
}

/**
 * Opens the base for as long as the session lasts. A ref becomes a worktree with packages of its own, which is kept for
 * the next run where it was installed.
 *
 * @throws UsageError when git cannot check it out; IncompleteError when its packages cannot be installed
 */
export async function openBase(choice: BaseChoice, { place, interrupted }: Session): Promise<Base> {
  if ("checkout" in choice) {
    const head = await new Repository("HEAD", interrupted).root().catch(() => realpathSync(process.cwd()));
    const { name, directory } = choice.checkout;
    return { name, directory: realpathSync(directory), head, warnings: [] };
  }
  const { ref, setup } = choice;
  const repository = new Repository(ref, interrupted);
  const commit = await repository.commitOf();
  const head = await repository.root();
  const warnings = await repository.warnings(commit);
  for (const { text } of warnings) noteWarning(text);
  const folder = relative(head, realpathSync(process.cwd()));
  const kept = await keeping(repository, { commit, folder, setup });
  const known = kept === undefined ? undefined : keptTree(kept.directory, kept.key);
  if (known !== undefined) note(`base: installed by an earlier run, in ${known}`);
  const directory = known ?? (await makeTree(repository, { commit, folder, setup, kept, place, signal: interrupted }));
  return { name: `${ref} (${commit.slice(0, 12)})`, directory: realpathSync(directory), head, commit, warnings };
}

/** Where a tree is kept, and what it depends on. */
interface Keeping {
  readonly directory: string;
  readonly key: string;
}

interface TreeWanted {
  readonly commit: string;
  /** Folder that the command runs in, relative to the root. */
  readonly folder: string;
  readonly setup: string | undefined;
}

/** Returns undefined where nothing is to be installed, or nothing may be kept. */
async function keeping(repository: Repository, { commit, folder, setup }: TreeWanted): Promise<Keeping | undefined> {
  const manifests = foldersTo("", folder).map((each) => join(each, "package.json"));
  const found = await repository.git(["ls-tree", "--full-tree", "--name-only", commit, ...manifests]);
  if (found === "" && setup === undefined) return undefined;
  const directory = keptTrees(true);
  if (typeof directory !== "string") {
    note(`base: it is not kept for the next run: ${directory.reason}`);
    return undefined;
  }
  // The lock files are part of the commit.
  const of = [commit, folder, setup ?? null, process.version, process.platform, process.arch];
  return { directory, key: createHash("sha256").update(JSON.stringify(of)).digest("hex") };
}

/** Checks out a tree and installs it. Its time is no part of the announced one, so it is printed apart. */
async function makeTree(
  repository: Repository,
  { commit, folder, setup, kept, place, signal }: TreeWanted & TreeOptions,
): Promise<string> {
  const tree = kept === undefined ? worktreeOf(place) : newTree(kept.directory, place);
  noteWorktree(place, resolve(await repository.git(["rev-parse", "--git-common-dir"])));
  await repository.git(["worktree", "add", "--detach", "--quiet", tree, commit]);
  const hook = await repository.unrunHook();
  if (hook !== undefined) note(hook);
  const startedMs = performance.now();
  const { ran, notes, isRepeatable } = await prepareTree({ tree: realpathSync(tree), folder, setup, signal });
  for (const text of notes) note(text);
  if (ran.length === 0) return tree;
  const seconds = Math.ceil((performance.now() - startedMs) / 1000);
  note(`base: ${ran.join(", then ")} took ${seconds} s, which no announced time counts`);
  if (kept === undefined || !isRepeatable) return tree;
  // Git forgets the worktree at the end of this run.
  rmSync(join(tree, ".git"));
  await keepTree(kept.directory, kept.key, place);
  return tree;
}

interface TreeOptions {
  readonly kept: Keeping | undefined;
  readonly place: Place;
  readonly signal: AbortSignal;
}

/**
 * Finds the transport in the base: in its registry, or in the module at the same path below the root. A directory may
 * also stand for the folder that the command runs in.
 *
 * @throws UsageError when it cannot be there
 */
export function inBase(reference: TransportReference, base: Base): BaseReference {
  if (reference.module === null) {
    const registry = join(base.directory, `transports/registry${EXTENSION}`);
    if (!existsSync(registry)) {
      throw new UsageError(`"${base.name}" is no checkout of ipcmark: it has no transports/registry${EXTENSION}`);
    }
    return { id: reference.id, module: registry, isRegistry: true };
  }
  const module = join(realpathSync(dirname(reference.module)), basename(reference.module));
  const inside = [base.head, realpathSync(process.cwd())].map((root) => relative(root, module)).filter(isBelow);
  const [first] = inside;
  if (first === undefined) {
    throw new UsageError(
      `the module ${reference.module} lies outside of ${base.head}: the base cannot have it; move it there`,
    );
  }
  const places = inside.map((path) => join(base.directory, path));
  return { id: reference.id, module: places.find((path) => existsSync(path)) ?? join(base.directory, first) };
}

function isBelow(path: string): boolean {
  return !path.startsWith("..") && !isAbsolute(path);
}
