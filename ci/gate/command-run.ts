import { type ChildProcess, spawn } from "node:child_process";
import { endGroup, killGroup } from "../../harness/process/orphans.ts";
import { oneLine } from "../../harness/process/rules.ts";
import { Deadline } from "../../transports/support/deadline.ts";
import { OutputTail } from "../../transports/support/output-tail.ts";
import { howEnded } from "../../transports/support/program-failure.ts";
import { type CommandValues, valuesIn } from "./command-values.ts";

/** Largest output that is read, characters. */
const MOST_OUTPUT = 4 * 1024 * 1024;
/** Longest wait for the last output of a command that has ended, ms: a process that left its group may hold it open. */
const LAST_OUTPUT_MS = 1000;

export interface CommandRun {
  readonly command: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly limitMs: number;
  /** Ends the run when it aborts. */
  readonly signal: AbortSignal;
}

/**
 * Runs a command in a shell to its end and reads the values it prints. It has a process group of its own, of which
 * nothing is left when this resolves. Never rejects, and never resolves where the signal has aborted before: the gate
 * is ending its processes then, and no further one may start.
 */
export async function runCommand({ command, cwd, env, limitMs, signal }: CommandRun): Promise<CommandValues> {
  if (signal.aborted) return new Promise(() => {});
  const isGrouped = process.platform !== "win32";
  const child = spawn(command, { shell: true, cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: isGrouped });
  const { pid } = child;
  let ended: string | undefined;
  const end = (why: string): void => {
    ended ??= why;
    // Not reaped yet, so the number of its group is its own.
    if (isGrouped && pid !== undefined && child.exitCode === null && child.signalCode === null) killGroup(pid);
    else child.kill("SIGKILL");
  };
  const stderr = new OutputTail();
  if (child.stderr !== null) stderr.follow(child.stderr);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (piece: string) => {
    if (output.length + piece.length > MOST_OUTPUT) end(`printed more than ${MOST_OUTPUT} characters`);
    else output += piece;
  });
  const abort = (): void => end("was interrupted");
  signal.addEventListener("abort", abort, { once: true });
  const late = new Deadline(limitMs, () =>
    end(`did not end within ${limitMs / 1000} s (--cmd-seconds sets this limit)`),
  );
  const exit = await exitOf(child);
  late.clear();
  signal.removeEventListener("abort", abort);
  const name = `"${oneLine(command, 100)}"`;
  const failed = ended ?? exit;
  if (failed !== undefined) {
    const last = stderr.lastTelling() ?? output.trim().split("\n").at(-1);
    return { reason: `${name} ${failed}${last ? `: ${oneLine(last)}` : ""}` };
  }
  const found = valuesIn(output, oneLine(command, 100));
  return "reason" in found ? { reason: `${name} ${found.reason}` } : found;
}

/** Waits for the end of a command and of all that it printed. @returns how it failed; undefined when it did not */
function exitOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`cannot be started: ${error.message}`));
    child.once("exit", (code, signal) => {
      // Whatever it left in its group holds its output open.
      if (child.pid !== undefined) endGroup(child.pid);
      const late = new Deadline(LAST_OUTPUT_MS, () => {
        for (const stream of child.stdio) stream?.destroy();
      });
      child.once("close", () => {
        late.clear();
        resolve(code === 0 ? undefined : howEnded({ code, signal }));
      });
    });
  });
}
