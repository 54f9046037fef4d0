import type { PeerExit } from "../../../scenarios/check.ts";
import { IpcError } from "../../../transports/contract/errors.ts";
import type { Transport } from "../../../transports/contract/transport.ts";
import type { ThreadMessage, ThreadStart } from "../../peer/thread-server.ts";
import { allowedCpuList } from "../../process/cpus.ts";
import { rejection } from "../../process/failure.ts";
import { Mailbox } from "../../process/mailbox.ts";
import type { PeerStart } from "../../process/messages.ts";
import { READY_TIMEOUT_MS, type RunningPeer } from "./running-peer.ts";

const FILE = import.meta.url.endsWith(".ts") ? "../../peer/thread-server.ts" : "../../peer/thread-server.js";
const NAME = "server thread";

/** Hosts a blocking server in a thread of this driver, for rendezvous `process`: a baseline, as `hostPeer`. */
export async function hostThread({ id }: Transport, start: PeerStart): Promise<RunningPeer> {
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL(FILE, import.meta.url), { workerData: { start, stop } satisfies ThreadStart });
  const mailbox = new Mailbox<ThreadMessage>();
  worker.on("message", (message: ThreadMessage) => mailbox.put(message));
  worker.on("error", (error: Error) => mailbox.end(() => error.message));
  const exited = new Promise<PeerExit>((resolve) => {
    worker.on("exit", (code) => {
      mailbox.end(() => `the ${NAME} has ended`);
      resolve({ code, signal: null });
    });
  });
  const ready = await mailbox.next(["ready", "failed"], READY_TIMEOUT_MS, NAME);
  if (ready.type === "failed") throw rejection(id, ready);
  const { address } = ready;
  const cannot = (what: string): never => {
    throw new IpcError("IPC_UNSUPPORTED", `${id}: the server shares the driver's process and ${what}`, {
      transport: id,
    });
  };
  const end = (): Promise<PeerExit> => {
    Atomics.store(stop, 0, 1);
    return exited;
  };
  return {
    info: { pid: process.pid, address, language: "node", version: process.versions.node, cpus: allowedCpuList() },
    address,
    connect: async () => cannot("blocks its thread: it has no event face"),
    streamReport: (timeoutMs) => mailbox.next(["stream-report"], timeoutMs, NAME),
    usage: async () => null,
    publish: async () => cannot("cannot publish while it blocks"),
    kill: async () => cannot("cannot die alone"),
    stop: end,
    failure: () => undefined,
    exited,
    // It sleeps in slices until a message comes, so it disturbs nobody.
    freeze: () => undefined,
    thaw: () => undefined,
  };
}
