import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";

/** Signals that reach the server as if nothing stood in between. */
const PASSED: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"];
/** Longest wait for more output once the server has ended, ms: a process that it started may hold its pipe. */
const QUIET_MS = 500;

/** Observer of the bytes; it must not throw. */
export interface Taps {
  toServer(chunk: Uint8Array): void;
  fromServer(chunk: Uint8Array): void;
}

/**
 * Starts a command and passes bytes between it and the standard streams of this process, unchanged and at once, and
 * signals too. Resolves when the command has ended and its output has been written.
 *
 * @returns exit code of the command; 128 and the number of the signal that ended it, as a shell reports it
 * @throws Error if the command cannot be started
 */
export async function passThrough(command: string, args: readonly string[], taps: Taps): Promise<number> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  const { stdin, stdout } = child as ChildProcess & { stdin: NonNullable<unknown>; stdout: NonNullable<unknown> };
  const stopSignals = passSignals(child);
  // Whoever stops reading is gone, and so is their pipe to the server; the recording still ends in order.
  stdin.on("error", () => {});
  process.stdout.removeAllListeners("error");
  process.stdout.on("error", () => stdout.destroy());
  process.stdin.on("error", () => stdin.end());
  process.stdin.on("data", (chunk: Uint8Array) => taps.toServer(chunk));
  process.stdin.pipe(stdin);
  stdout.on("data", (chunk: Uint8Array) => taps.fromServer(chunk));
  stdout.pipe(process.stdout, { end: false });
  const code = await ended(child);
  stopSignals();
  process.stdin.unpipe(stdin);
  process.stdin.destroy();
  await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
  return code;
}

/** Resolves when the command has ended and its output too, or when no more of it comes. */
function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      const result = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      const finish = (): void => {
        clearTimeout(timer);
        child.stdout?.destroy();
        resolve(result);
      };
      const timer = setTimeout(finish, QUIET_MS);
      child.stdout?.on("data", () => timer.refresh());
      child.once("close", finish);
    });
  });
}

function passSignals(child: ChildProcess): () => void {
  // A terminal sends its signals to the whole group, the server included.
  const isOfTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  const passed = isOfTerminal ? PASSED.filter((name) => !["SIGINT", "SIGQUIT"].includes(name)) : PASSED;
  const ignore = (): void => {};
  const handlers = PASSED.map((name) => {
    const handler = passed.includes(name) ? (): unknown => child.kill(name) : ignore;
    process.on(name, handler);
    return [name, handler] as const;
  });
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
}
