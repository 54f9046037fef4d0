import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { UsageError } from "../../harness/results/exit-codes.ts";
import type { Warning } from "../../harness/results/model.ts";
import { programFailure } from "../../transports/support/program-failure.ts";

const LIMIT_MS = 60_000;
/** Options that disable a repository's hooks: they are for its owner's work, not for a temporary tree. */
const NO_HOOKS = ["-c", "core.hooksPath=/dev/null"];
const SHORT = 12;
const run = promisify(execFile);

/** Repository that the command runs in, asked for one ref. */
export class Repository {
  readonly #ref: string;
  readonly #signal: AbortSignal;

  constructor(ref: string, signal: AbortSignal) {
    this.#ref = ref;
    this.#signal = signal;
  }

  /** @throws UsageError when git fails */
  async git(args: readonly string[], options: readonly string[] = NO_HOOKS): Promise<string> {
    try {
      const limits = { timeout: LIMIT_MS, killSignal: "SIGKILL", signal: this.#signal } as const;
      return (await run("git", [...options, ...args], limits)).stdout.trim();
    } catch (error) {
      const { code, stderr, killed } = error as { code?: string | number; stderr?: string; killed?: boolean };
      const failed = code !== "ENOENT" && killed !== true;
      const last = failed ? stderr?.trim().split("\n").at(-1) : programFailure("git", error, LIMIT_MS);
      const what = `--base "${this.#ref}" cannot be checked out${last ? `: ${last}` : ""}`;
      if (code === "ENOENT") throw new UsageError(what);
      throw new UsageError(`${what}; ${failed ? await this.#advice() : "name a commit, branch or tag"}`);
    }
  }

  /** Returns what to do about a ref that is not there. */
  async #advice(): Promise<string> {
    const args = ["rev-parse", "--is-shallow-repository"];
    const shallow = await run("git", args, { timeout: LIMIT_MS, signal: this.#signal }).catch(() => undefined);
    if (shallow?.stdout.trim() !== "true") return "name a commit, branch or tag";
    return (
      "this clone is shallow and may lack it: run git fetch --unshallow, " +
      "or check out with fetch-depth: 0 (actions/checkout)"
    );
  }

  commitOf(): Promise<string> {
    return this.git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${this.#ref}^{commit}`]);
  }

  async root(): Promise<string> {
    return realpathSync(await this.git(["rev-parse", "--show-toplevel"]));
  }

  /** Returns sentences about what makes a comparison with this commit another one than it seems. */
  async warnings(commit: string): Promise<Warning[]> {
    const changed = (await this.git(["status", "--porcelain", "--untracked-files=no"])).split("\n").filter(Boolean);
    const head = await this.git(["rev-parse", "HEAD"]);
    const found: Warning[] = [];
    if (head === commit) {
      const rest = changed.length === 0 ? "this compares the code with itself" : "they differ in what is not committed";
      const text = `base and head are the same commit ${commit.slice(0, SHORT)}: ${rest}; name an earlier --base`;
      found.push({ id: "same-commit", text, where: {} });
    }
    if (changed.length > 0) {
      const [first = ""] = changed.map((line) => line.replace(/^\s*\S+\s+/, ""));
      const files = changed.length === 1 ? first : `${changed.length} files, such as ${first}`;
      const text = `the head has changes that are not committed (${files}): they are measured too; commit them`;
      found.push({ id: "uncommitted-changes", text, where: {} });
    }
    return found;
  }

  /** Returns a sentence about a hook of the repository that a checkout would run; undefined where there is none. */
  async unrunHook(): Promise<string | undefined> {
    const hook = resolve(await this.git(["rev-parse", "--git-path", "hooks/post-checkout"], []));
    if (!existsSync(hook)) return undefined;
    return "the post-checkout hook of this repository does not run for the base: give what it does with --base-setup";
  }
}

/** State of a directory. */
export interface Checkout {
  /** null where the directory is no root of a repository. */
  readonly commit: string | null;
  readonly isDirty: boolean;
}

/** Returns the commit of a directory. A kept tree is no repository any more, so `known` names its commit. */
export async function checkoutOf(directory: string, known?: string): Promise<Checkout> {
  if (known !== undefined) return { commit: known, isDirty: false };
  const git = async (...args: string[]): Promise<string> =>
    (await run("git", ["-C", directory, ...args], { timeout: LIMIT_MS })).stdout.trim();
  try {
    if (realpathSync(await git("rev-parse", "--show-toplevel")) !== realpathSync(directory))
      return { commit: null, isDirty: false };
    const changed = await git("status", "--porcelain", "--untracked-files=no");
    return { commit: await git("rev-parse", "HEAD"), isDirty: changed !== "" };
  } catch {
    // No repository, or no git: the gate works without either.
    return { commit: null, isDirty: false };
  }
}
