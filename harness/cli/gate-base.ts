import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join, relative, resolve } from "node:path";
import type { TransportReference } from "../process/messages.ts";
import { UsageError } from "./exit-codes.ts";

/** Where the code of the base lies. */
export interface Base {
  /** As the user named it. */
  readonly name: string;
  readonly directory: string;
  remove(): void;
}

const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/** @throws UsageError when there is nothing to compare with */
export function openBase({ baseDir, base }: { readonly baseDir?: string; readonly base?: string }): Base {
  if (baseDir !== undefined && base !== undefined)
    throw new UsageError("--base-dir and --base name two things to compare with; give one of them");
  if (baseDir === undefined && base === undefined)
    throw new UsageError("gate needs what to compare with: either --base-dir <checkout> or --base <git ref>");
  if (baseDir !== undefined) {
    const directory = resolve(baseDir);
    if (!existsSync(directory) || !statSync(directory).isDirectory()) {
      throw new UsageError(`--base-dir "${baseDir}" is not a directory; name a checkout of the code to compare with`);
    }
    return { name: baseDir, directory, remove() {} };
  }
  return checkOut(base as string);
}

/** A temporary worktree of the ref, with this checkout's node_modules: dependencies are the same on both sides. */
function checkOut(ref: string): Base {
  const commit = git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`], ref).trim();
  const parent = mkdtempSync(join(tmpdir(), "ipcmark-base-"));
  const directory = join(parent, "base");
  let removed = false;
  const remove = (): void => {
    if (removed) return;
    removed = true;
    process.off("exit", remove);
    try {
      git(["worktree", "remove", "--force", directory], ref);
    } catch {
      // The directory goes all the same; git forgets a worktree that is gone.
    }
    rmSync(parent, { recursive: true, force: true });
  };
  // Also when a signal ends the run: that path leaves through process.exit.
  process.once("exit", remove);
  try {
    git(["worktree", "add", "--detach", "--quiet", directory, commit], ref);
    const modules = join(process.cwd(), "node_modules");
    if (existsSync(modules)) symlinkSync(modules, join(directory, "node_modules"));
  } catch (error) {
    remove();
    throw error;
  }
  return { name: `${ref} (${commit.slice(0, 12)})`, directory, remove };
}

function git(args: readonly string[], ref: string): string {
  try {
    return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1);
    throw new UsageError(
      `--base "${ref}" cannot be checked out${said ? `: ${said}` : ""}; name a commit, branch or tag`,
    );
  }
}

/** The same transport in the base: its registry, or the module at the same place below the working directory. @throws UsageError */
export function inBase(reference: TransportReference, base: Base): TransportReference {
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
