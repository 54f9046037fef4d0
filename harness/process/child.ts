import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { readLines, writeLine } from "./lines.ts";
import { Mailbox, type Typed } from "./mailbox.ts";
import { endGroup, killGroup, RUN_VARIABLE } from "./orphans.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Who the process runs as, from its first instruction on; only root may choose. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** How long a process gets between SIGTERM and SIGKILL. */
export const GRACE_MS = 1000;
const KEPT_STDERR_CHARACTERS = 4096;

/** A process of ours with JSON lines on stdin and stdout. */
export class Child<In extends object, Out extends Typed> {
  readonly pid: number;
  readonly name: string;
  readonly mailbox = new Mailbox<Out>();
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;
  readonly #run: string | undefined;
  #stderr = "";
  #exit: Exit | undefined;

  private constructor(name: string, process: ChildProcess, pid: number, run: string | undefined) {
    this.name = name;
    this.pid = pid;
    this.#process = process;
    this.#run = run;
    readLines(
      process.stdout as Readable,
      (value) => this.mailbox.put(value as Out),
      () => {},
      (line) => this.#keep(line),
    );
    (process.stderr as Readable).setEncoding("utf8").on("data", (text: string) => this.#keep(text));
    // A process that is gone makes our next write fail: the exit tells the story, not the EPIPE.
    (process.stdin as Writable).on("error", () => {});
    this.exited = new Promise((resolve) => {
      process.on("close", (code, signal) => {
        this.#exit = { code, signal };
        this.mailbox.end(() => this.describeEnd());
        resolve(this.#exit);
      });
    });
  }

  /** Resolves when the process runs. @throws Error when the command cannot be started. */
  static start<In extends object, Out extends Typed>(
    name: string,
    command: readonly string[],
    { env = process.env, cwd, user }: ChildOptions = {},
  ): Promise<Child<In, Out>> {
    const [file, ...args] = command;
    if (file === undefined) throw new TypeError("an empty command");
    // A group of its own: what a killed driver leaves behind can be ended with it, and Ctrl-C reaches the coordinator alone.
    const child = spawn(file, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env,
      cwd,
      ...user,
      detached: process.platform !== "win32",
    });
    return new Promise((resolve, reject) => {
      child.once("error", (error) => reject(new Error(`cannot start ${name} (${file}): ${error.message}`)));
      child.once("spawn", () => resolve(new Child<In, Out>(name, child, child.pid as number, env[RUN_VARIABLE])));
    });
  }

  send(message: In): void {
    writeLine(this.#process.stdin as Writable, message);
  }

  next<Type extends Out["type"]>(types: readonly Type[], timeoutMs: number): Promise<Extract<Out, { type: Type }>> {
    return this.mailbox.next(types, timeoutMs, this.name);
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /** To the process alone. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#process.kill(signal);
  }

  /** SIGTERM, then SIGKILL to the whole group; resolves when the process is gone. */
  async terminate(graceMs: number = GRACE_MS): Promise<Exit> {
    if (this.#exit !== undefined) return this.#exit;
    (this.#process.stdin as Writable).end();
    if (graceMs > 0) this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#kill(), graceMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  #kill(): void {
    if (this.#process.kill("SIGKILL")) killGroup(this.pid);
    else endGroup(this.pid, this.#run);
  }

  /** Closes stdin and waits: the orderly end of a process that has nothing left to do. */
  async finish(timeoutMs: number): Promise<Exit> {
    (this.#process.stdin as Writable).end();
    const timer = setTimeout(() => void this.terminate(), timeoutMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  /** One line: how it ended and what it said last. */
  describeEnd(): string {
    const { code, signal } = this.#exit ?? { code: null, signal: null };
    const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
    const last = this.#stderr.trim().split("\n").filter(isTelling).at(-1);
    return `the ${this.name} process ${how}${last === undefined ? "" : ` (${last.trim()})`}`;
  }

  get stderr(): string {
    return this.#stderr;
  }

  #keep(text: string): void {
    this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR_CHARACTERS);
  }
}

/** Stack frames and Node's version line say less than the error above them. */
function isTelling(line: string): boolean {
  return line.trim().length > 0 && !/^\s+at |^Node\.js v/.test(line);
}
