/** The standard streams of a child as the way of its messages: opens them in the child, and starts the child. */
import { type ChildProcess, spawn } from "node:child_process";
import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import { Duplex, type Readable, type Writable } from "node:stream";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { LaunchedPeer, LaunchOptions } from "../contract/transport.ts";
import { checkOptions, withinLimit } from "./opening.ts";

/** S_IFMT and S_IFIFO of stat(2). */
const FILE_TYPE = 0o170000;
const FIFO_TYPE = 0o010000;

/** Both directions, as one end sees them. */
export interface StandardStreams {
  readonly input: Readable;
  readonly output: Writable;
}

/** `true` once a server runs: the process has one pair of standard streams, and so can have one server. */
let listening = false;

/**
 * Takes descriptors 0 and 1 of this process, once.
 *
 * @throws IpcError IPC_ADDRESS_IN_USE (they are in use), IPC_UNSUPPORTED (they are no pipes)
 */
export function takeStandardStreams(transport: string): void {
  if (listening) {
    const message = `${transport}: standard input and output of process ${process.pid} are in use already`;
    throw new IpcError("IPC_ADDRESS_IN_USE", message, { transport });
  }
  requirePipe(transport, 0);
  requirePipe(transport, 1);
  listening = true;
}

/**
 * Opens descriptors 0 and 1 of this process, once, as sockets of our own. `process.stdout` writes synchronously and
 * never reports that it is full.
 *
 * @throws IpcError as {@link takeStandardStreams}
 */
export function openStandardStreams(transport: string): StandardStreams {
  takeStandardStreams(transport);
  return {
    input: new Socket({ fd: 0, readable: true, writable: false }),
    output: new Socket({ fd: 1, readable: false, writable: true }),
  };
}

function requirePipe(transport: string, descriptor: 0 | 1): void {
  let found: string;
  try {
    const stats = fstatSync(descriptor);
    // On Windows the mode shows a pipe, but `isFIFO` returns false for everything.
    if (stats.isSocket() || (stats.mode & FILE_TYPE) === FIFO_TYPE) return;
    found = stats.isFile() ? "a file" : "a terminal or another device";
  } catch {
    found = "closed";
  }
  const message = `${transport}: descriptor ${descriptor} is ${found}; a peer is started and connected by launch()`;
  throw new IpcError("IPC_UNSUPPORTED", message, { transport });
}

/** A started child: the parent's ends of its standard streams, and what `launch` returns beside the connection. */
export interface StartedChild extends StandardStreams, Omit<LaunchedPeer, "connection"> {}

/**
 * Starts a child with its messages on its standard streams.
 *
 * @param onExit called when it has ended, before Node reads what is left in its streams and closes them
 * @throws IpcError IPC_ABORTED, IPC_TIMEOUT, IPC_SYSTEM
 */
export async function startOverStandardStreams(
  transport: string,
  command: readonly [string, ...string[]],
  options: LaunchOptions | undefined,
  onExit: () => void = () => {},
): Promise<StartedChild> {
  checkOptions(transport, options);
  const [program, ...args] = command;
  // The child's errors belong on our own standard error; descriptor 3 is its control channel.
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "inherit", "pipe"],
    ...(options?.env === undefined ? {} : { env: { ...options.env } }),
  });
  child.once("exit", onExit);
  const exited = exitOf(child);
  const started = new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => reject(toIpcError(error, transport, "IPC_SYSTEM")));
  });
  await withinLimit(transport, options, started, () => child.kill("SIGKILL"));
  const control = child.stdio[3];
  if (child.stdin === null || child.stdout === null || child.pid === undefined || !(control instanceof Duplex)) {
    child.kill("SIGKILL");
    throw new IpcError("IPC_SYSTEM", `${transport}: ${program} was started without its pipes`, { transport });
  }
  return { input: child.stdout, output: child.stdin, pid: child.pid, control, exited };
}

/** Resolves with the end of a child. */
export function exitOf(child: ChildProcess): LaunchedPeer["exited"] {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    // A command that fails to start emits no exit.
    child.once("error", () => resolve({ code: null, signal: null }));
  });
}
