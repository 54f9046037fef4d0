import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
/** Longest time to an end after a signal, ms: 2 s, but a busy machine may withhold the CPU. */
const END_LIMIT_MS = 20_000;
const FINISH_LIMIT_MS = 60_000;

export interface Victim {
  readonly pid: number;
  readonly name: string;
  readonly isCoordinator: boolean;
  /** True where it belongs to this user. */
  readonly isOwn: boolean;
}

/** Command of ours and the processes it has started: in a process namespace, all there are besides this one. */
export class Command {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #stopped = false;

  constructor(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
    const node = [MAIN, ...args];
    this.#child = spawn(process.execPath, node, { cwd, env, stdio: "ignore" });
    this.#exited = once(this.#child, "exit");
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits; returns early when it ends. */
  async wait(ms: number): Promise<void> {
    await Promise.race([this.#exited, sleep(ms)]);
  }

  /** Returns the coordinator and every process of its run. */
  victims(): Victim[] {
    const victimOf = (pid: number, name: string): Victim => ({
      pid,
      name,
      isCoordinator: pid === this.#child.pid,
      isOwn: ownerOf(pid) === process.getuid?.(),
    });
    return [
      ...(this.running ? [victimOf(this.#child.pid as number, "the coordinator")] : []),
      ...Command.processes().map(({ pid, name }) => victimOf(pid, name)),
    ];
  }

  /** Signals a process. @returns `true` where there was still something to signal */
  signal(pid: number, signal: NodeJS.Signals): boolean {
    try {
      process.kill(pid, signal);
    } catch {
      return false;
    }
    if (signal === "SIGSTOP" && pid === this.#child.pid) this.#stopped = true;
    return true;
  }

  /** Ends the coordinator in this way. A stopped one takes no other signal than the last. */
  async end(signal: NodeJS.Signals): Promise<{ done: string; fault?: string }> {
    if (!this.running) return { done: "it had ended" };
    const pid = this.#child.pid as number;
    this.signal(pid, signal);
    const isForced = this.#stopped;
    if (isForced) this.signal(pid, "SIGKILL");
    await this.wait(END_LIMIT_MS);
    const done = `${signal}${isForced && signal !== "SIGKILL" ? " and SIGKILL" : ""} to the coordinator`;
    if (!this.running) return { done };
    this.signal(pid, "SIGKILL");
    await this.#exited;
    return { done, fault: `the coordinator did not end within ${END_LIMIT_MS} ms` };
  }

  async finished(): Promise<void> {
    await this.wait(FINISH_LIMIT_MS);
    if (this.running) await this.end("SIGKILL");
  }

  /** Returns every process of a run, by its environment. */
  static processes(): { readonly pid: number; readonly name: string }[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((pid) => read(`/proc/${pid}/environ`).includes("IPCMARK_RUN="))
      .map((pid) => ({ pid: Number(pid), name: nameOf(read(`/proc/${pid}/cmdline`)) }));
  }
}

/** Returns a name such as `node driver/main.ts`, without flags and paths. */
function nameOf(commandLine: string): string {
  const parts = commandLine.split("\0").filter((part) => part !== "" && !part.startsWith("-"));
  return parts
    .slice(0, 3)
    .map((part) => part.split("/").slice(-2).join("/"))
    .join(" ");
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function ownerOf(pid: number): number | undefined {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
}
