import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Sandbox } from "./sandbox.ts";

/** Sandbox with a git repository of its own. */
export class GitSandbox extends Sandbox {
  constructor() {
    super();
    this.git("init", "--quiet");
  }

  /** @param files texts by their paths */
  write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.directory, path)), { recursive: true });
      writeFileSync(join(this.directory, path), text);
    }
  }

  git(...args: readonly string[]): void {
    const settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"];
    execFileSync("git", [...settings, ...args], { cwd: this.directory });
  }

  commit(message: string): void {
    this.git("add", "--all");
    this.git("commit", "--quiet", "--message", message);
  }
}
