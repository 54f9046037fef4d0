import { toIpcError } from "../contract/errors.ts";
import type {
  Address,
  BlockingConnection,
  BlockingTransport,
  EventTransport,
  OpenOptions,
  Transport,
} from "../contract/transport.ts";
import { aborted, checkOptions } from "./opening.ts";
import { PolledEventConnection, PolledEventServer, type PollSchedule, type SteppedTransport } from "./polled-event.ts";

/**
 * Gives an event face to a mechanism that can only block, so that one set of checks serves both. It polls on every turn
 * of the event loop, and every millisecond when nothing comes. Only checks use it; measurements do not.
 *
 * If the mechanism cannot be opened in steps, connecting blocks, so that a server in the same process cannot run.
 */
export function bridgeBlocking(transport: Transport): EventTransport {
  const { blocking } = transport;
  if (blocking === undefined) throw new TypeError(`${transport.id} has no blocking face to bridge`);
  const limits = { id: transport.id, maxMessageBytes: transport.capabilities.maxMessageBytes };
  return {
    async listen(address, handler, options) {
      checkOptions(transport.id, options);
      return new PolledEventServer(limits, blocking.listen(address, options), handler, new Ticker());
    },
    async connect(address, handler, options) {
      checkOptions(transport.id, options);
      const connection = await connectInSteps(transport.id, blocking, address, options);
      const bridged = new PolledEventConnection(limits, connection, handler, new Ticker());
      handler.onOpen(bridged);
      bridged.start();
      return bridged;
    },
  };
}

const CONNECT_TIMEOUT_MS = 5000;
const IDLE_MS = 1;

async function connectInSteps(
  id: string,
  blocking: BlockingTransport,
  address: Address,
  options: OpenOptions | undefined,
): Promise<BlockingConnection> {
  const { begin } = blocking as Partial<SteppedTransport>;
  try {
    if (begin === undefined) return blocking.connect(address, CONNECT_TIMEOUT_MS, options);
    const opening = begin.call(blocking, address, CONNECT_TIMEOUT_MS);
    for (;;) {
      const connection = opening.step(0);
      if (connection !== undefined) return connection;
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
      if (!options?.signal?.aborted) continue;
      opening.abandon();
      throw aborted(id);
    }
  } catch (error) {
    throw toIpcError(error, id);
  }
}

/** Runs again immediately while there is something to do, otherwise after a millisecond. */
class Ticker implements PollSchedule {
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
