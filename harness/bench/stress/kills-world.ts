import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "./killed-command.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** Age at which a directory that its owner has not marked is swept. */
const GRACE_S = 61;

/** File systems and processes of the namespaces. */
export class World {
  readonly clone: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly #temporary: string;
  readonly #kernelObjects: readonly string[];

  constructor(directory: string) {
    this.#temporary = join(directory, "tmp");
    this.#kernelObjects = ["/dev/shm", join(directory, "mqueue")];
    this.clone = join(directory, "clone");
    this.environment = {
      ...process.env,
      TMPDIR: this.#temporary,
      NODE_COMPILE_CACHE: join(directory, "cache"),
      NO_COLOR: "1",
    };
    // Only its name is needed: the gate checks out the base, and the head is this program.
    execFileSync("git", ["clone", "--quiet", "--shared", "--no-checkout", ROOT, this.clone]);
    symlinkSync(join(ROOT, "node_modules"), join(this.clone, "node_modules"));
    mkdirSync(join(this.clone, "ipcmark-out"));
  }

  /** Starts another command (every one sweeps), and returns what is left after it. */
  async afterNextStart(): Promise<string[]> {
    await this.#start();
    // A run that ended before its directory was marked is swept when it is old enough.
    const young = this.#directories().filter((path) => !readdirSync(path).includes("owner"));
    if (young.length > 0) {
      const longAgo = Date.now() / 1000 - GRACE_S;
      for (const path of young) utimesSync(path, longAgo, longAgo);
      await this.#start();
    }
    return this.#left();
  }

  async #start(): Promise<void> {
    const args = ["check", "--transport", "loopback", "--scenario", "sequential-requests"];
    const next = new Command(args, this.clone, this.environment);
    await next.finished();
  }

  #directories(): string[] {
    return readdirSync(this.#temporary)
      .filter((name) => /^ipcmark-[0-9a-f]{16}$/.test(name))
      .map((name) => join(this.#temporary, name));
  }

  #left(): string[] {
    const worktrees = join(this.clone, ".git", "worktrees");
    const entries = [this.#temporary, ...this.#kernelObjects, worktrees].flatMap((folder) =>
      namesIn(folder).map((name) => join(folder, name)),
    );
    return [...entries, ...Command.processes().map(({ pid, name }) => `process ${pid} (${name})`)];
  }

  /** Removes what was found, so that later rounds do not find it again. */
  clear(): void {
    for (const { pid } of Command.processes()) process.kill(pid, "SIGKILL");
    const worktrees = join(this.clone, ".git", "worktrees");
    for (const folder of [this.#temporary, ...this.#kernelObjects, worktrees])
      for (const name of namesIn(folder)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
