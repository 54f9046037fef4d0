/** Thread of a driver that serves in blocking mode, where both ends share a process; `hosted-thread.ts` starts it. */
import { parentPort, workerData } from "node:worker_threads";
import type { Address } from "../../transports/contract/transport.ts";
import { failureOf } from "../process/failure.ts";
import type { Failed, PeerStart, StreamReport } from "../process/messages.ts";
import { serveBlocking } from "./serve-blocking.ts";

export interface ThreadStart {
  readonly start: PeerStart;
  /** Word that the other thread sets when the server must end. */
  readonly stop: Int32Array;
}
export type ThreadMessage = { readonly type: "ready"; readonly address: Address } | Failed | StreamReport;

const send = (message: ThreadMessage): void => parentPort?.postMessage(message);
const { start, stop } = workerData as ThreadStart;
try {
  await serveBlocking(start, {
    onStream: send,
    stopAsked: () => Atomics.load(stop, 0) !== 0,
    onReady: (address) => send({ type: "ready", address }),
  });
} catch (error) {
  send(failureOf(error));
}
