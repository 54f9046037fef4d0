import { execFile } from "node:child_process";
import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import type { Session } from "../../harness/coordinator/session.ts";
import type { TransportReference } from "../../harness/process/messages.ts";
import { note } from "../../harness/process/note.ts";
import { noteWorktree, worktreeOf } from "../../harness/process/worktree.ts";
import { UsageError } from "../../harness/results/exit-codes.ts";
import { programFailure } from "../../transports/support/program-failure.ts";
import { prepareTree } from "./install.ts";

/** Base of the comparison, with its place. */
export interface Base {
  /** Name as the user typed it. */
  readonly name: string;
  readonly directory: string;
  /** Directory of the head that corresponds to it: the root of the repository, where there is one. */
  readonly head: string;
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
const GIT_TIMEOUT_MS = 60_000;
/** Options that disable a repository's hooks: they are for its owner's work, not for a temporary tree. */
const NO_HOOKS = ["-c", "core.hooksPath=/dev/null"];
const run = promisify(execFile);

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
 * Opens the base for as long as the session lasts. A ref becomes a worktree inside the run's own directory, with
 * packages of its own.
 *
 * @throws UsageError when git cannot check it out; IncompleteError when its packages cannot be installed
 */
export async function openBase(choice: BaseChoice, session: Session): Promise<Base> {
  if ("checkout" in choice) {
    const root = await rootOf(session).catch(() => process.cwd());
    return { ...choice.checkout, head: root };
  }
  const { ref, setup } = choice;
  const { place, interrupted } = session;
  const git = (args: readonly string[]): Promise<string> => runGit(args, ref, interrupted);
  const commit = await git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`]);
  const head = await rootOf(session);
  const directory = worktreeOf(place);
  noteWorktree(place, resolve(await git(["rev-parse", "--git-common-dir"])));
  await git(["worktree", "add", "--detach", "--quiet", directory, commit]);
  const base = { name: `${ref} (${commit.slice(0, 12)})`, directory: realpathSync(directory), head };
  await prepare(base, setup, interrupted);
  return base;
}

/** Installs the packages of the base. Its time is no part of the announced one, so it is printed apart. */
async function prepare(base: Base, setup: string | undefined, signal: AbortSignal): Promise<void> {
  const startedMs = performance.now();
  const folder = relative(base.head, realpathSync(process.cwd()));
  const { ran, notes } = await prepareTree({ tree: base.directory, folder, setup, signal });
  for (const text of notes) note(text);
  const seconds = Math.ceil((performance.now() - startedMs) / 1000);
  if (ran.length > 0) note(`base: ${ran.join(", then ")} took ${seconds} s, which are not counted below`);
}

/** Returns the root of the repository that the command runs in. */
async function rootOf({ interrupted }: Session): Promise<string> {
  return realpathSync(await runGit(["rev-parse", "--show-toplevel"], "HEAD", interrupted));
}

async function runGit(args: readonly string[], ref: string, signal: AbortSignal): Promise<string> {
  try {
    const limits = { timeout: GIT_TIMEOUT_MS, killSignal: "SIGKILL", signal } as const;
    return (await run("git", [...NO_HOOKS, ...args], limits)).stdout.trim();
  } catch (error) {
    const { code, stderr, killed } = error as { code?: string | number; stderr?: string; killed?: boolean };
    const failed = code !== "ENOENT" && killed !== true;
    const said = failed ? stderr?.trim().split("\n").at(-1) : programFailure("git", error, GIT_TIMEOUT_MS);
    throw new UsageError(
      `--base "${ref}" cannot be checked out${said ? `: ${said}` : ""}; name a commit, branch or tag`,
    );
  }
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
    return { id: reference.id, module: registry };
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
