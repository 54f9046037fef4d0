import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { Deadline } from "../../transports/support/deadline.ts";

/** Signals that are passed on to the server. */
const PASSED: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"];
/** Longest wait for more output after the end of the server, ms. A process that it started may keep its pipe open. */
const QUIET_MS = 500;

/** Observer of the bytes in both directions; it must not throw. */
export interface Taps {
  toServer(chunk: Uint8Array): void;
  fromServer(chunk: Uint8Array): void;
}

/**
 * Starts a command, and passes bytes between it and the standard streams of this process, unchanged and at once. Passes
 * signals too. Resolves when the command has ended and its output has been written.
 *
 * @returns exit code of the command; 128 plus the number of the signal if a signal ended it, as in a shell
 * @throws Error if the command cannot be started
 */
export async function passThrough(command: string, args: readonly string[], taps: Taps): Promise<number> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  const { stdin, stdout } = child as ChildProcess & { stdin: NonNullable<unknown>; stdout: NonNullable<unknown> };
  const stopSignals = passSignals(child);
  // An error of a stream means that its reader is gone. Ignored, so that the recording still ends in order.
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

/** Resolves when the command and its output have ended, or when no more output comes. */
function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      const result = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      const finish = (): void => {
        quiet.clear();
        child.stdout?.destroy();
        resolve(result);
      };
      let quiet = new Deadline(QUIET_MS, finish);
      child.stdout?.on("data", () => {
        quiet.clear();
        quiet = new Deadline(QUIET_MS, finish);
      });
      child.once("close", finish);
    });
  });
}

function passSignals(child: ChildProcess): () => void {
  // A terminal sends its signals to the whole process group, so the server gets them anyway.
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
