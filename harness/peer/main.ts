/** The server process. Its first line states what to serve. It ends on request, or when its parent is gone. */
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { IpcError } from "../../transports/contract/errors.ts";
import type { ServerProgram, Transport } from "../../transports/contract/transport.ts";
import { shareCompiledCode } from "../process/compiled-code.ts";
import { holdCompiler } from "../process/compiler-hold.ts";
import { openControlChannel } from "../process/control-channel.ts";
import { allowedCpuList } from "../process/cpus.ts";
import { failureOf } from "../process/failure.ts";
import { loadTransport } from "../process/load-transport.ts";
import type { FromPeer, PeerStart, ToPeer } from "../process/messages.ts";
import { countChildren, readUsage, watchGarbageCollection } from "../process/usage.ts";
import { loadAbilities } from "./abilities.ts";
import { keyOf, serveBlocking } from "./serve-blocking.ts";

const START_TIMEOUT_MS = 20_000;
/** Time limit for an orderly end after the parent is gone, ms: a killed run must be gone within a second. */
const ORPHAN_MS = 300;

const control = openControlChannel<ToPeer, FromPeer>();

function ready(address: PeerStart["address"]): void {
  shareCompiledCode();
  const version = process.versions.node;
  control.send({ type: "ready", pid: process.pid, address, language: "node", version, cpus: allowedCpuList() });
}

async function serveEvents(transport: Transport, start: PeerStart): Promise<void> {
  if (transport.event === undefined) throw new IpcError("IPC_UNSUPPORTED", `${transport.id} has no event face`);
  watchGarbageCollection();
  if (transport.capabilities.broker !== undefined) countChildren();
  const { EventServer } = await import("./event-server.ts");
  const program = new EventServer(
    (report) => control.send(report),
    transport.capabilities.maxMessageBytes,
    await loadAbilities(start),
  );
  const server = await transport.event.listen(start.address, program, keyOf(start));
  control.onMessage("report-usage", ({ hold }) => {
    holdCompiler(hold);
    control.send(readUsage());
  });
  control.onMessage("publish", (request) => program.publish(request, (published) => control.send(published)));
  ready(server.address);
  const failure = await Promise.race([
    Promise.race([program.shutdown, control.ended, control.next(["stop"]), terminated()]).then(() => undefined),
    exception(),
  ]);
  await Promise.race([server.close(), control.ended.then(() => delay(ORPHAN_MS, undefined, { ref: false }))]);
  if (failure !== undefined) throw failure;
}

/** Resolves with an uncaught exception, which ends the server; the server first removes everything it created. */
function exception(): Promise<Error> {
  return new Promise((resolve) => {
    const onException = (error: unknown): void => resolve(error instanceof Error ? error : new Error(String(error)));
    process.once("uncaughtException", onException);
    process.once("unhandledRejection", onException);
  });
}

/** Resolves on SIGTERM, which requests the same orderly end as `stop`. A blocking server cannot run this handler. */
function terminated(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
}

async function serveInLoop(start: PeerStart): Promise<void> {
  let isStopped = false;
  const stop = (): void => {
    isStopped = true;
  };
  Promise.race([control.ended, control.next(["stop"])]).then(stop, stop);
  await serveBlocking(start, {
    onStream: (report) => control.sendNow(report),
    stopAsked: () => control.endAskedNow(),
    async stoppedByEvents() {
      await turn();
      return isStopped;
    },
    onReady(address) {
      ready(address);
      return control.flushed();
    },
  });
}

/** Serves by a user's program; then ends in the same way as the program, by the same signal. */
async function serveAsProgram(start: PeerStart, program: ServerProgram): Promise<void> {
  const { serveProgram } = await import("./program-server.ts");
  const exit = await serveProgram(program, start, control);
  if (exit === null) return;
  await control.flushed();
  if (exit.signal === null) process.exit(exit.code ?? 1);
  process.removeAllListeners(exit.signal);
  process.kill(process.pid, exit.signal);
}

async function serve(start: PeerStart): Promise<void> {
  if (start.mode !== "event") return serveInLoop(start);
  const transport = await loadTransport(start.transport);
  return transport.program === undefined ? serveEvents(transport, start) : serveAsProgram(start, transport.program);
}

try {
  await serve(await control.next(["start"], START_TIMEOUT_MS));
  control.send({ type: "done" });
  await control.flushed();
  process.exit(0);
} catch (error) {
  control.send(failureOf(error));
  await control.flushed();
  process.exit(1);
}
