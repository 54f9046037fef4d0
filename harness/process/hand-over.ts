/** Hands a process over to another owner, so that a peer can boot at the same time as its driver and not after it. */
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { Socket } from "node:net";
import { CONTROL_ARGS, CONTROL_FD } from "./control-fd.ts";
import type { Exit } from "./crash.ts";
import { killGroup } from "./orphans.ts";

/** Message to the owner that the process, which another one has started, has ended. */
export interface PeerExited extends Exit {
  readonly type: "peer-exited";
}

/** Descriptors in the owner: control lines, standard output and standard error of the process. */
const DESCRIPTORS = [CONTROL_FD + 1, CONTROL_FD + 2, CONTROL_FD + 3] as const;

/** Process that was started for an owner, which is started next. */
export interface HandedOver {
  readonly pid: number;
  /** Streams that the owner inherits, from descriptor 4 on. */
  readonly streams: readonly Socket[];
  readonly exited: Promise<Exit>;
  /** Closes this side of the streams. Call it in the turn that starts the owner, which loses data that is read here. */
  release(): void;
  /** Ends the process and its group, if no owner was started. */
  end(): void;
}

/** Starts a process with control lines for its later owner; returns undefined if it cannot be started. */
export function startForOther(command: readonly string[], env: NodeJS.ProcessEnv): HandedOver | undefined {
  const [file = "", ...args] = [...command, ...CONTROL_ARGS];
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe", "pipe"], env, detached: true });
  child.on("error", () => {});
  if (child.pid === undefined) return undefined;
  const { pid, stdout, stderr, stdio } = child;
  const streams = [stdio[CONTROL_FD], stdout, stderr] as unknown as Socket[];
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  return {
    pid,
    streams,
    exited,
    release() {
      for (const stream of streams) stream.destroy();
    },
    end() {
      if (child.exitCode === null && child.signalCode === null) killGroup(pid);
    },
  };
}

/** Part of the interface of a `ChildProcess` that `Child` needs of a process taken over. */
export type OwnedProcess = Pick<ChildProcess, "stdin" | "stdout" | "stderr" | "kill" | "on" | "once"> & {
  readonly stdio: readonly (ChildProcess["stdio"][number] | undefined)[];
};

/**
 * Takes over the process that was started for this one.
 *
 * @param exited resolves when its starter has reaped it
 */
export function takeOver(pid: number, exited: Promise<Exit>): OwnedProcess {
  const [control, stdout, stderr] = DESCRIPTORS.map((fd) => new Socket({ fd })) as [Socket, Socket, Socket];
  const events = new EventEmitter();
  const closed = Promise.all(
    [control, stdout, stderr].map((stream) => new Promise((resolve) => stream.once("close", resolve))),
  );
  let running = true;
  void exited.then(async ({ code, signal }) => {
    running = false;
    events.emit("exit", code, signal);
    await closed;
    events.emit("close", code, signal);
  });
  return Object.assign(events, {
    stdin: null,
    stdout,
    stderr,
    stdio: [null, stdout, stderr, control],
    kill(signal?: NodeJS.Signals | number): boolean {
      try {
        return running && process.kill(pid, signal);
      } catch {
        // The process has just ended.
        return false;
      }
    },
  }) as unknown as OwnedProcess;
}
