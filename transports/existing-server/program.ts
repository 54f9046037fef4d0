/** Process of a user's program: starts it, waits until it is ready, and ends it with all processes it has started. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { IpcError } from "../contract/errors.ts";
import type { ProgramServer } from "../contract/transport.ts";
import { Deadline } from "../support/deadline.ts";
import { OutputTail } from "../support/output-tail.ts";
import { howEnded } from "../support/program-failure.ts";
import { isServed, type ServerAddress } from "./address.ts";

/** Time between two attempts to connect. */
const ATTEMPT_MS = 15;
/** Time for a program to refuse an address that another one serves; there an accepted connection proves nothing. */
const REFUSAL_MS = 5000;
const LONGEST_COMMAND = 100;
const LONGEST_LINE = 200;
/** Maximum that is kept of a line that has not ended yet, characters. */
const LONGEST_WATCHED = 4096;

export interface ProgramSettings {
  readonly id: string;
  readonly command: readonly string[];
  readonly directory: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly where: ServerAddress;
  readonly ready: RegExp | "connects";
  readonly readyTimeoutMs: number;
}

/** @throws IpcError as `ServerProgram.start` */
export async function startProgram(settings: ProgramSettings, signal: AbortSignal): Promise<ProgramServer> {
  const { id, command, where, readyTimeoutMs } = settings;
  const isTaken = await isServed(where);
  const program = new Program(settings);
  const over = new AbortController();
  const aborted = new Promise<"aborted">((resolve) => {
    signal.addEventListener("abort", () => resolve("aborted"), { once: true });
    if (signal.aborted) resolve("aborted");
  });
  const late = Promise.withResolvers<"late">();
  const deadline = new Deadline(readyTimeoutMs, () => late.resolve("late"));
  const outcome = await Promise.race([
    program.failed,
    program.exited.then(() => "exited" as const),
    program.ready(isTaken, over.signal).then(() => "ready" as const),
    late.promise,
    aborted,
  ]);
  deadline.clear();
  over.abort();
  if (outcome === "ready") return program;
  program.signal("SIGKILL");
  const fail = (code: ConstructorParameters<typeof IpcError>[0], text: string): never => {
    throw new IpcError(code, text, { transport: id });
  };
  if (outcome instanceof Error) return fail("IPC_SYSTEM", `${id}: cannot start ${command[0]}: ${outcome.message}`);
  if (outcome === "aborted") return fail("IPC_ABORTED", `${id}: its start was ended`);
  if (outcome === "late") {
    const expected =
      settings.ready === "connects" ? "accepted no connection" : `printed nothing like ${settings.ready}`;
    return fail("IPC_TIMEOUT", program.account(`did not come up: it ${expected} within ${readyTimeoutMs / 1000} s`));
  }
  const end = program.account(`did not come up: it ${howEnded(await program.exited)}`);
  return fail(isTaken ? "IPC_ADDRESS_IN_USE" : "IPC_SYSTEM", end);
}

type Exit = Awaited<ProgramServer["exited"]>;

class Program implements ProgramServer {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** Resolves with the reason when the program cannot be started at all. */
  readonly failed: Promise<Error>;
  readonly #settings: ProgramSettings;
  readonly #process: ChildProcess;
  readonly #output = new OutputTail();
  #wasReady: () => void = () => {};

  constructor(settings: ProgramSettings) {
    const { command, directory, env, ready } = settings;
    const [file = "", ...args] = command;
    // Without this, its compiled code would be stored in our cache.
    const { NODE_COMPILE_CACHE: _ours, ...inherited } = process.env;
    this.#settings = settings;
    this.#process = spawn(file, args, {
      cwd: directory,
      env: { ...inherited, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that signals also reach the processes it starts.
      detached: process.platform !== "win32",
    });
    this.pid = this.#process.pid ?? 0;
    this.failed = new Promise((resolve) => this.#process.once("error", resolve));
    this.exited = new Promise((resolve) => {
      // `close` comes after the last output, but a process that lives on may keep the output open.
      this.#process.once("exit", (code, signal) => {
        const settle = (): void => resolve({ code, signal });
        const late = new Deadline(LAST_OUTPUT_MS, settle);
        this.#process.once("close", () => {
          late.clear();
          settle();
        });
      });
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream === null) continue;
      this.#output.follow(stream);
      if (ready !== "connects") this.#watch(stream, ready);
    }
  }

  #watch(stream: Readable, ready: RegExp): void {
    let rest = "";
    stream.on("data", (piece: string) => {
      const lines = (rest + piece).split("\n");
      rest = lines.at(-1)?.slice(-LONGEST_WATCHED) ?? "";
      if (lines.some((line) => line.search(ready) >= 0)) this.#wasReady();
    });
  }

  async ready(isTaken: boolean, over: AbortSignal): Promise<void> {
    const { ready, where } = this.#settings;
    if (ready !== "connects") {
      return new Promise((resolve) => {
        this.#wasReady = resolve;
      });
    }
    if (isTaken) await delay(REFUSAL_MS);
    while (!over.aborted && !(await isServed(where))) await delay(ATTEMPT_MS);
  }

  signal(name: Parameters<ProgramServer["signal"]>[0]): void {
    if (this.#process.pid === undefined) return;
    try {
      // The group may have members after its leader has ended, and keeps its number until the last one has ended.
      if (process.platform === "win32") this.#process.kill(name);
      else process.kill(-this.pid, name);
    } catch {
      // All processes of the group have ended.
    }
  }

  account(what: string): string {
    const { id, command, where } = this.#settings;
    // The address differs each time. It is left out, so that several checks report the same sentence.
    const address = "path" in where ? where.path : new RegExp(`\\b${where.port}\\b`, "g");
    const plain = (text: string): string => text.replaceAll(address, "…");
    const [file = "", ...args] = command;
    const words = [file === process.execPath ? "node" : file, ...args].join(" ");
    const last = this.#output.lastTelling();
    const said =
      last === undefined ? "it printed nothing" : `last line of its output: ${plain(last).slice(0, LONGEST_LINE)}`;
    return `${id} (${shortened(plain(words), LONGEST_COMMAND)}) ${what}; ${said}`;
  }
}

/** Longest wait for the last output of an ended process: another process may hold it open for ever. */
const LAST_OUTPUT_MS = 200;

function shortened(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
