/** Starts the program of a user as the server, reports on it, and ends it with all processes it has started. */
import { PROGRAM } from "../../transports/contract/capabilities.ts";
import { IpcError } from "../../transports/contract/errors.ts";
import type { ProgramServer, ServerProgram } from "../../transports/contract/transport.ts";
import { Deadline } from "../../transports/support/deadline.ts";
import { howEnded } from "../../transports/support/program-failure.ts";
import type { ControlChannel } from "../process/control-channel.ts";
import { allowedCpuListOfThreads } from "../process/cpus.ts";
import type { Exit } from "../process/crash.ts";
import type { FromPeer, PeerStart, ToPeer } from "../process/messages.ts";
import { treeUsage } from "../process/process-tree.ts";

/** Time between SIGTERM and SIGKILL. */
const GRACE_MS = 5000;
/** Wait for the exit of the program: a connection may break a moment before this process notices the exit. */
const DEATH_MS = 500;
/** Exit code by which a shell reports a process that SIGTERM ended. */
const SIGTERM_EXIT = 143;

/**
 * Serves until the program ends, by itself or on request.
 *
 * @returns how a program ended that a check sent a signal; null after an orderly end
 * @throws IpcError of `ServerProgram.start`; IPC_PEER_LOST if it died, IPC_SYSTEM if it failed at its end
 */
export async function serveProgram(
  program: ServerProgram,
  { address }: PeerStart,
  control: ControlChannel<ToPeer, FromPeer>,
): Promise<Exit | null> {
  const abort = new AbortController();
  const isOver = Promise.race([control.ended, signalled()]);
  void isOver.then(() => abort.abort());
  const server = await program.start(address, abort.signal);
  const { pid } = server;
  try {
    let isSignalled = false;
    control.onMessage("signal", ({ name }) => {
      isSignalled ||= name === "SIGKILL" || name === "SIGTERM";
      server.signal(name);
    });
    control.onMessage("report-usage", () => control.send(treeUsage(pid)));
    control.onMessage("report-account", ({ what }) => {
      void diesNow(server).then((exit) => {
        // If a check sent a signal, its end is no fault of the program.
        const died = exit !== undefined && !isSignalled;
        control.send({ type: "account", text: server.account(died ? `died: it ${howEnded(exit)}` : what) });
      });
    });
    const cpus = allowedCpuListOfThreads(pid);
    control.send({ type: "ready", pid, address, language: PROGRAM, version: "", cpus });
    const stopped = control.next(["stop"]).then(() => "stop" as const);
    stopped.catch(() => {});
    const first = await Promise.race([server.exited, stopped, isOver.then(() => "over" as const)]);
    if (first === "over") return null;
    if (first === "stop") {
      await end(server);
      return null;
    }
    if (isSignalled) return first;
    throw new IpcError("IPC_PEER_LOST", server.account(`died: it ${howEnded(first)}`));
  } finally {
    // Also ends processes that the program has started and left behind.
    server.signal("SIGKILL");
  }
}

/** Requests the end by SIGTERM; a program that does not handle the signal is ended by it. */
async function end(server: ProgramServer): Promise<void> {
  server.signal("SIGTERM");
  const timer = setTimeout(() => server.signal("SIGKILL"), GRACE_MS);
  const exit = await server.exited;
  clearTimeout(timer);
  if (exit.code === 0 || exit.code === SIGTERM_EXIT || exit.signal === "SIGTERM") return;
  const what = exit.signal === "SIGKILL" ? `did not end within ${GRACE_MS / 1000} s of SIGTERM` : undefined;
  throw new IpcError("IPC_SYSTEM", server.account(what ?? `${howEnded(exit)} when SIGTERM asked it to end`));
}

function diesNow({ exited }: ProgramServer): Promise<Exit | undefined> {
  return new Promise((resolve) => {
    const over = new Deadline(DEATH_MS, () => resolve(undefined));
    void exited.then((exit) => {
      over.clear();
      resolve(exit);
    });
  });
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
}
