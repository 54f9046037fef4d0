import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { watchLateness } from "../../transports/testing/lateness.ts";

const MAIN = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
const TIMEOUT_MS = 120_000;
/** Time after which an interrupted command ends, whatever it has still to remove, ms; little less than it takes. */
const NO_TIME_LEFT_MS = 1600;

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Temporary folder that is the `TMPDIR` of the runs in it, so that what they leave is seen apart from other runs. */
export class Sandbox {
  readonly directory: string = mkdtempSync(join(tmpdir(), "cli-test-"));
  readonly temporary: string = join(this.directory, "tmp");
  /** Folder that the commands run in. */
  cwd: string = this.directory;

  constructor() {
    mkdirSync(this.temporary, { mode: 0o700 });
  }

  /** Starts a command. `within` is put before it, such as `["taskset", "-c", "0"]`. */
  start(
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    within: readonly string[] = [],
  ): ReturnType<typeof spawn> {
    const [file = "", ...rest] = [...within, process.execPath, MAIN, ...args];
    return spawn(file, rest, {
      cwd: this.cwd,
      env: { ...process.env, TMPDIR: this.temporary, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Runs the command line to its end; resolves whatever the exit code. */
  run(args: readonly string[], env: NodeJS.ProcessEnv = {}, within: readonly string[] = []): Promise<CliResult> {
    const child = this.start(args, env, within);
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    return new Promise((resolve) => {
      child.on("close", (code) => {
        clearTimeout(timer);
        resolve({ code, stdout, stderr });
      });
    });
  }

  /** Returns run directories that are still there. */
  leftovers(): string[] {
    return readdirSync(this.temporary).filter((name) => name.startsWith("ipcmark-"));
  }

  /** Returns ids of processes that work for runs of this sandbox: their environment names its temporary folder. */
  processes(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((pid) => environmentOf(pid).includes(this.temporary))
      .map(Number);
  }

  /** Expects that the processes of a run that has ended are gone, but for what the machine takes to end them. */
  async expectNoProcess(): Promise<void> {
    const lateness = watchLateness();
    const tookMs = await eventually(() => this.processes().length === 0, 10_000);
    expect(tookMs, "no process is left").toBeGreaterThanOrEqual(0);
    expect(tookMs, "the processes have ended with the run").toBeLessThan(500 + lateness());
  }

  /**
   * Expects that a command has left no run directory.
   *
   * @param endedMs time from its interruption to its end: close to 2 s it has left the rest to the next command
   */
  async expectNoLeftovers(endedMs: number): Promise<void> {
    if (endedMs > NO_TIME_LEFT_MS) await this.run(["doctor", "--fix"]);
    expect(this.leftovers()).toEqual([]);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}

/** Polls until the condition holds. @returns the elapsed ms, or -1 when it did not hold in time */
export async function eventually(condition: () => boolean, timeoutMs: number): Promise<number> {
  const startedMs = performance.now();
  while (!condition()) {
    if (performance.now() - startedMs > timeoutMs) return -1;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - startedMs;
}
