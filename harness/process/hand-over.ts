/** A process that one process starts and another one owns: a peer boots beside its driver instead of after it. */
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { Socket } from "node:net";
import { CONTROL_ARGS, CONTROL_FD } from "./control-fd.ts";
import type { Exit } from "./crash.ts";
import { killGroup } from "./orphans.ts";

/** To the owner of a process that another one has started: it has ended. */
export interface PeerExited extends Exit {
  readonly type: "peer-exited";
}

/** Where the owner finds the control lines of the process, its standard output and its standard error. */
const DESCRIPTORS = [CONTROL_FD + 1, CONTROL_FD + 2, CONTROL_FD + 3] as const;

/** A process that has been started for an owner that is started next. */
export interface HandedOver {
  readonly pid: number;
  /** What the owner inherits, from descriptor 4 on. */
  readonly streams: readonly Socket[];
  readonly exited: Promise<Exit>;
  /** Gives up this side of the streams. To be called in the turn in which the owner was started: what is read here is lost to the owner. */
  release(): void;
  /** Ends it and what it has started, where there is no owner. */
  end(): void;
}

/** Starts a process whose control lines another one will have. @returns undefined where it cannot be started */
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

/** The process as its owner has it: what `Child` needs of a `ChildProcess`. */
export type OwnedProcess = Pick<ChildProcess, "stdin" | "stdout" | "stderr" | "kill" | "on" | "once"> & {
  readonly stdio: readonly (ChildProcess["stdio"][number] | undefined)[];
};

/**
 * Takes over the process that was started for this one.
 *
 * @param exited resolves when whoever started it has seen its end
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
        // It has just ended.
        return false;
      }
    },
  }) as unknown as OwnedProcess;
}
