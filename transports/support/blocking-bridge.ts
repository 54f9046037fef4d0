import { IpcError, isIpcError, toIpcError } from "../contract/errors.ts";
import type {
  BlockingConnection,
  BlockingTransport,
  EventTransport,
  OpenOptions,
  Transport,
} from "../contract/transport.ts";
import { type Pulse, PulsedConnection, PulsedServer } from "./pulsed.ts";

/**
 * An event face for a mechanism that only blocks, so that one set of checks serves both. It asks without waiting on every
 * turn of the event loop, and every millisecond when nothing comes: in checks only, never in a measurement.
 *
 * Connecting does block, in short slices; a server in the same process would get no turn meanwhile.
 */
export function bridgeBlocking(transport: Transport): EventTransport {
  const { blocking } = transport;
  if (blocking === undefined) throw new TypeError(`${transport.id} has no blocking face to bridge`);
  const limits = { id: transport.id, maxMessageBytes: transport.capabilities.maxMessageBytes };
  return {
    async listen(address, handler, options) {
      refuseAborted(transport.id, options);
      return new PulsedServer(limits, blocking.listen(address, options), handler, new Ticker());
    },
    async connect(address, handler, options) {
      const connection = await connectInSlices(transport.id, blocking, address, options);
      const bridged = new PulsedConnection(limits, connection, handler, new Ticker());
      handler.onOpen(bridged);
      bridged.start();
      return bridged;
    },
  };
}

const CONNECT_SLICE_MS = 250;
const CONNECT_TIMEOUT_MS = 5000;
const IDLE_MS = 1;

async function connectInSlices(
  id: string,
  blocking: BlockingTransport,
  address: Parameters<BlockingTransport["connect"]>[0],
  options: OpenOptions | undefined,
): Promise<BlockingConnection> {
  const untilMs = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    refuseAborted(id, options);
    try {
      return blocking.connect(address, CONNECT_SLICE_MS, options);
    } catch (error) {
      const again = isIpcError(error) && error.code === "IPC_TIMEOUT" && performance.now() < untilMs;
      if (!again) throw toIpcError(error, id);
    }
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  }
}

/** Turns at once while there is something to do, and every millisecond when not. */
class Ticker implements Pulse {
  #turn: () => boolean = () => false;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  start(turn: () => boolean): void {
    this.#turn = turn;
    this.#schedule(true);
  }

  hurry(): void {}

  stop(): void {
    this.#stopped = true;
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
  }

  #schedule(busy: boolean): void {
    const run = (): void => {
      const more = this.#turn();
      if (!this.#stopped) this.#schedule(more);
    };
    if (busy) this.#immediate = setImmediate(run);
    else this.#timer = setTimeout(run, IDLE_MS);
  }
}

function refuseAborted(id: string, options: OpenOptions | undefined): void {
  if (options?.signal?.aborted) throw new IpcError("IPC_ABORTED", `${id}: aborted`, { transport: id });
}
