import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitSandbox } from "../../harness/testing/git-sandbox.ts";
import { eventually } from "../../harness/testing/sandbox.ts";

/** Stops where git is killed at the worst moment: the worktree is registered, locked and not yet whole. */
const SLOW_GIT = `#!/bin/sh
case "$*" in *"worktree add"*) ;; *) exec "$REAL_GIT" "$@" ;; esac
"$REAL_GIT" "$@"
for entry in .git/worktrees/*; do echo initializing >"$entry/locked"; done
touch "$STARTED"
exec sleep 60
`;

/** Ends a process. One of those that were listed, such as `touch`, may have ended since. */
function stop(pid: number): void {
  try {
    process.kill(pid, "SIGSTOP");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function installedGit(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(":");
  return folders.map((folder) => join(folder, "git")).find((path) => existsSync(path));
}

const realGit = installedGit();

describe.skipIf(process.platform !== "linux" || realGit === undefined)("the worktree of gate --base", () => {
  let sandbox: GitSandbox;
  beforeEach(() => {
    sandbox = new GitSandbox();
    sandbox.git("commit", "--quiet", "--allow-empty", "-m", "a");
    mkdirSync(join(sandbox.directory, "bin"));
    writeFileSync(join(sandbox.directory, "bin", "git"), SLOW_GIT, { mode: 0o755 });
  });
  afterEach(() => sandbox.remove());

  function worktrees(): string[] {
    const folder = join(sandbox.directory, ".git", "worktrees");
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  /** Resolves while git adds the worktree. */
  async function adding(): Promise<ReturnType<GitSandbox["start"]>> {
    const started = join(sandbox.directory, "started");
    const env = {
      PATH: `${join(sandbox.directory, "bin")}:${process.env["PATH"]}`,
      REAL_GIT: realGit as string,
      STARTED: started,
    };
    const child = sandbox.start(["gate", "--base", "HEAD", "--transport", "loopback"], env);
    child.stderr?.resume();
    child.stdout?.resume();
    expect(await eventually(() => existsSync(started), 30_000)).toBeGreaterThanOrEqual(0);
    expect(worktrees()).toHaveLength(1);
    return child;
  }

  it("is gone after SIGTERM while git makes it, and git's record of it with it", async () => {
    const child = await adding();
    const startedMs = performance.now();
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([143, null]);
    await sandbox.expectNoLeftovers(performance.now() - startedMs);
    expect(worktrees()).toEqual([]);
    await sandbox.expectNoProcess();
  });

  it("is swept by the next run after SIGKILL, stopped git included", async () => {
    const child = await adding();
    for (const pid of sandbox.processes().filter((pid) => pid !== child.pid)) stop(pid);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(sandbox.leftovers()).toHaveLength(1);
    await sandbox.run(["doctor", "--fix"]);
    expect([worktrees(), sandbox.leftovers()]).toEqual([[], []]);
    await sandbox.expectNoProcess();
  });
});
