import { execFile } from "node:child_process";
import { existsSync, statSync, symlinkSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import type { Session } from "../../harness/coordinator/session.ts";
import type { TransportReference } from "../../harness/process/messages.ts";
import { noteWorktree, worktreeOf } from "../../harness/process/worktree.ts";
import { UsageError } from "../../harness/results/exit-codes.ts";
import { programFailure } from "../../transports/support/program-failure.ts";

/** Base of the comparison, with its place. */
export interface Base {
  /** Name as the user typed it. */
  readonly name: string;
  readonly directory: string;
}

/** Base that the user named: an existing directory, or a git ref to check out. */
export type BaseChoice = { readonly checkout: Base } | { readonly ref: string };

/** Transport in the base, which lies elsewhere: even its registry is a module with a path. */
export interface BaseReference extends TransportReference {
  readonly module: string;
}

const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
const GIT_TIMEOUT_MS = 60_000;
/** Options that disable a repository's hooks: they are for its owner's work, not for a temporary tree. */
const NO_HOOKS = ["-c", "core.hooksPath=/dev/null"];
const run = promisify(execFile);

/** @throws UsageError when there is nothing to compare with */
export function chooseBase({ baseDir, base }: { readonly baseDir?: string; readonly base?: string }): BaseChoice {
  if (baseDir !== undefined && base !== undefined)
    throw new UsageError("--base-dir and --base name two things to compare with; give one of them");
  if (base !== undefined) return { ref: base };
  if (baseDir === undefined)
    throw new UsageError("gate needs what to compare with: either --base-dir <checkout> or --base <git ref>");
  const directory = resolve(baseDir);
  if (!existsSync(directory) || !statSync(directory).isDirectory()) {
    throw new UsageError(`--base-dir "${baseDir}" is not a directory; name a checkout of the code to compare with`);
  }
  return { checkout: { name: baseDir, directory } };
}

/**
 * Opens the base for as long as the session lasts. A ref becomes a worktree inside the run's own directory, with this
 * checkout's node_modules, since dependencies are the same on both sides.
 *
 * @throws UsageError when git cannot check it out
 */
export async function openBase(choice: BaseChoice, { place, interrupted }: Session): Promise<Base> {
  if ("checkout" in choice) return choice.checkout;
  const { ref } = choice;
  const git = (args: readonly string[]): Promise<string> => runGit(args, ref, interrupted);
  const commit = await git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`]);
  const directory = worktreeOf(place);
  noteWorktree(place, resolve(await git(["rev-parse", "--git-common-dir"])));
  await git(["worktree", "add", "--detach", "--quiet", directory, commit]);
  const modules = join(process.cwd(), "node_modules");
  if (existsSync(modules)) symlinkSync(modules, join(directory, "node_modules"));
  return { name: `${ref} (${commit.slice(0, 12)})`, directory };
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

/** Finds the transport in the base: in its registry, or in the module at the same relative path. @throws UsageError */
export function inBase(reference: TransportReference, base: Base): BaseReference {
  if (reference.module === null) {
    const registry = join(base.directory, `transports/registry${EXTENSION}`);
    if (!existsSync(registry)) {
      throw new UsageError(`"${base.name}" is no checkout of ipcmark: it has no transports/registry${EXTENSION}`);
    }
    return { id: reference.id, module: registry };
  }
  const inside = relative(process.cwd(), reference.module);
  if (inside.startsWith("..") || isAbsolute(inside)) {
    throw new UsageError(
      `the module ${reference.module} lies outside of the working directory: the base cannot have it`,
    );
  }
  return { id: reference.id, module: join(base.directory, inside) };
}
