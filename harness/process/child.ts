import { type SpawnOptions, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { IpcError, toIpcError } from "../../transports/contract/errors.ts";
import { REMEDIES } from "../../transports/contract/shortage.ts";
import { Deadline } from "../../transports/support/deadline.ts";
import { OutputTail } from "../../transports/support/output-tail.ts";
import { howEnded } from "../../transports/support/program-failure.ts";
import { CONTROL_ARGS, CONTROL_FD } from "./control-fd.ts";
import { type Exit, noteExit } from "./crash.ts";
import { type HandedOver, type OwnedProcess, takeOver } from "./hand-over.ts";
import { readLines, writeLine } from "./lines.ts";
import { Mailbox, type Typed } from "./mailbox.ts";
import { endGroup, killGroup, RUN_VARIABLE } from "./orphans.ts";
import { isObject, oneLine, shown, text } from "./rules.ts";
import { startShortageIn } from "./shortage.ts";

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  /**
   * Channel of the control lines. `descriptor`: descriptor 3, announced by a flag after the command; stdout is ignored.
   * `stdio` (default): stdin and stdout, for programs that load no foreign code.
   */
  readonly control?: "descriptor" | "stdio";
  /** Returns why a value is not a valid message; undefined if it is one. Default: an object with a type is valid. */
  readonly defectOf?: (value: unknown) => string | undefined;
  /** Process that was started for the new one, which takes it over. Only with `control: "descriptor"`. */
  readonly owns?: HandedOver | undefined;
}

/** Time between SIGTERM and SIGKILL, ms. */
export const GRACE_MS = 1000;
/** Longest wait for the last output, ms: a process that inherited the output may hold it open for ever. */
const LAST_OUTPUT_MS = 1000;

/** Process of ours that exchanges JSON lines with this one. */
export class Child<In extends object, Out extends Typed> {
  readonly pid: number;
  readonly name: string;
  readonly mailbox = new Mailbox<Out>();
  readonly exited: Promise<Exit>;
  readonly #process: OwnedProcess;
  readonly #run: string | undefined;
  /** Our end of the control lines. */
  readonly #output: Writable;
  readonly #stdout = new OutputTail();
  readonly #stderr = new OutputTail();
  #exit: Exit | undefined;

  private constructor(name: string, process: OwnedProcess, pid: number, { env, control, defectOf }: ChildOptions) {
    this.name = name;
    this.pid = pid;
    this.#process = process;
    this.#run = env?.[RUN_VARIABLE];
    const { stdin, stdout, stderr, stdio } = process;
    const isApart = control === "descriptor";
    const [input, output] = isApart ? [stdio[CONTROL_FD], stdio[CONTROL_FD]] : [stdout, stdin];
    this.#output = output as Writable;
    readLines(
      input as Readable,
      (value) => this.#receive(value, defectOf ?? typeDefect),
      () => {},
      (line) => {
        if (isApart) this.#refuse(`a line that is no JSON (${oneLine(line, 80)})`);
        else this.#stdout.add(`${line}\n`);
      },
    );
    if (isApart) this.#stdout.follow(stdout as Readable);
    this.#stderr.follow(stderr as Readable);
    // If the process is gone, our next write fails with EPIPE. The exit of the process is the reason that is reported.
    this.#output.on("error", () => {});
    process.once("exit", () => {
      const late = new Deadline(LAST_OUTPUT_MS, () => {
        for (const stream of stdio) stream?.destroy();
      });
      process.once("close", () => late.clear());
    });
    this.exited = new Promise((resolve) => {
      process.on("close", (code, signal) => {
        this.#exit = { code, signal };
        if (this.shortage === undefined) noteExit(name, signal);
        this.mailbox.end(() => this.describeEnd(), this.shortage);
        resolve(this.#exit);
      });
    });
  }

  /** Starts a process; resolves when it runs. @throws IpcError when the command cannot be started */
  static start<In extends object, Out extends Typed>(
    name: string,
    command: readonly string[],
    options: ChildOptions = {},
  ): Promise<Child<In, Out>> {
    const { env = process.env } = options;
    const isApart = options.control === "descriptor";
    const [file, ...args] = isApart ? [...command, ...CONTROL_ARGS] : command;
    if (file === undefined) throw new TypeError("an empty command");
    const stdio: SpawnOptions["stdio"] = isApart
      ? ["ignore", "pipe", "pipe", "pipe", ...(options.owns?.streams ?? [])]
      : ["pipe", "pipe", "pipe"];
    // A group of its own: killing it also ends children of a killed driver, and Ctrl-C reaches only the coordinator.
    const child = spawn(file, args, {
      stdio,
      env,
      detached: process.platform !== "win32",
    });
    options.owns?.release();
    return new Promise((resolve, reject) => {
      child.once("error", (error) => {
        const { code, message } = toIpcError(error, name);
        reject(new IpcError(code, `cannot start ${name} (${file}): ${message}`, { cause: error }));
      });
      child.once("spawn", () => resolve(new Child<In, Out>(name, child, child.pid as number, { ...options, env })));
    });
  }

  /** Takes over a process that was started for this one; `exited` resolves when its starter has reaped it. */
  static takeOver<In extends object, Out extends Typed>(
    name: string,
    pid: number,
    exited: Promise<Exit>,
    defectOf: NonNullable<ChildOptions["defectOf"]>,
  ): Child<In, Out> {
    return new Child<In, Out>(name, takeOver(pid, exited), pid, { env: process.env, control: "descriptor", defectOf });
  }

  /** Last part of its standard output; empty if that carries the control lines. */
  get printed(): string {
    return this.#stdout.text.trim();
  }

  send(message: In): void {
    writeLine(this.#output, message);
  }

  next<Type extends Out["type"]>(types: readonly Type[], timeoutMs: number): Promise<Extract<Out, { type: Type }>> {
    return this.mailbox.next(types, timeoutMs, this.name);
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /** Signals only the process, not its group. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#process.kill(signal);
  }

  /** Sends SIGTERM, then SIGKILL to the whole group; resolves when the process is gone. */
  async terminate(graceMs: number = GRACE_MS): Promise<Exit> {
    if (this.#exit !== undefined) return this.#exit;
    this.#output.end();
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

  /** Closes the control channel and waits until the process has ended by itself. */
  async finish(timeoutMs: number): Promise<Exit> {
    this.#output.end();
    const timer = setTimeout(() => void this.terminate(), timeoutMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  /** Describes in one line how the process ended, with the last line it printed. */
  describeEnd(): string {
    const how = howEnded(this.#exit ?? { code: null, signal: null });
    const last = this.#stderr.lastTelling() ?? this.#stdout.lastTelling();
    return `the ${this.name} process ${how}${last === undefined ? "" : ` (${oneLine(last)})`}`;
  }

  /** Shortage that kept the process from starting its threads; undefined if something else ended it. */
  get shortage(): IpcError | undefined {
    const { signal } = this.#exit ?? { signal: "SIGKILL" };
    const lacking = signal === null || signal === "SIGABRT" ? startShortageIn(this.#stderr.text) : undefined;
    if (lacking === undefined) return undefined;
    const text = `the ${this.name} process could not start its threads: ${REMEDIES[lacking]}`;
    return new IpcError("IPC_SHORTAGE", text);
  }

  #receive(value: unknown, defectOf: NonNullable<ChildOptions["defectOf"]>): void {
    const defect = defectOf(value);
    if (defect === undefined) this.mailbox.put(value as Out);
    else this.#refuse(`an invalid message: ${defect}`);
  }

  /** Ignores everything that the process sends from now on; waits for a message fail with the reason. */
  #refuse(what: string): void {
    this.mailbox.end(() => `the ${this.name} process sent ${what}`);
  }
}

function typeDefect(value: unknown): string | undefined {
  return isObject(value) ? text(value["type"], "message.type") : `it is ${shown(value)}`;
}
