import { IpcError } from "../contract/errors.ts";
import { type BrokerClient, brokerError, connectBroker } from "./library.ts";

/** Way through the broker from one name to another: a list, or a channel. */
export interface Lane {
  /** Sends bytes; the buffer must not change until the promise settles. Rejects if the broker is gone. */
  send(name: string, bytes: Buffer): Promise<unknown>;
  /** Lets the messages at this name expire, because their reader may be gone. */
  forget(name: string): Promise<unknown>;
  /** Returns true if everything that was sent has reached the readers at these names, or at least their sockets. */
  isDrained(names: readonly string[]): Promise<boolean>;
  close(): void;
}

export interface LaneOptions {
  readonly transport: string;
  readonly path: string;
  /** Side of this end. A server announces itself to clients; before that, a client fails to open the lane. */
  readonly side: "server" | "client";
  /** Name at which this end receives. */
  readonly name: string;
  readonly take: (bytes: Buffer) => void;
  /** Called once when the broker is lost. */
  readonly lost: (error: IpcError) => void;
}

export type OpenLane = (options: LaneOptions) => Promise<Lane>;

/** Key that exists while a server takes requests: the broker accepts clients a moment earlier. */
const SERVED = "served";
/** Time for which the broker keeps replies that nobody has taken, s. */
const KEPT_S = 60;

interface Both {
  readonly sender: BrokerClient;
  readonly receiver: BrokerClient;
}

/**
 * Opens both connections: one that sends, and one that waits for messages.
 *
 * @param receive starts to receive on the second one
 */
async function openBoth(options: LaneOptions, receive: (receiver: BrokerClient) => Promise<void>): Promise<Both> {
  const { transport, path, side } = options;
  let isLost = false;
  const lost = (error: IpcError): void => {
    if (isLost) return;
    isLost = true;
    options.lost(error);
  };
  const sender = await connectBroker(transport, path, lost);
  let receiver: BrokerClient | undefined;
  try {
    if (side === "client" && (await sender.exists(SERVED)) === 0) throw unserved(transport, path);
    receiver = await connectBroker(transport, path, lost);
    await receive(receiver);
    if (side === "server") await sender.set(SERVED, "yes");
    return { sender, receiver };
  } catch (error) {
    sender.destroy();
    receiver?.destroy();
    throw brokerError(transport, error);
  }
}

function unserved(transport: string, path: string): IpcError {
  const message = `${transport}: the broker at ${path} runs, but no server takes requests from it yet; try again`;
  return new IpcError("IPC_PEER_LOST", message, { transport });
}

/** Opens a lane of lists: RPUSH puts a message at the end of a list, BLPOP waits for the first one. */
export async function openListLane(options: LaneOptions): Promise<Lane> {
  let open = true;
  const receive = async (from: BrokerClient): Promise<void> => {
    while (open) {
      const bytes = await from.take(options.name);
      if (open && bytes !== undefined) options.take(bytes);
    }
  };
  const { sender, receiver } = await openBoth(options, async (from) => {
    // A lost connection is reported by `lost`.
    receive(from).catch(() => undefined);
  });
  return {
    send: (name, bytes) => sender.rPush(name, bytes),
    forget: (name) => sender.expire(name, KEPT_S),
    isDrained: (names) => sender.isDrained(names),
    close() {
      open = false;
      sender.destroy();
      receiver.destroy();
    },
  };
}

/** Opens a lane of channels: PUBLISH passes a message to those who are subscribed at that moment. */
export async function openChannelLane(options: LaneOptions): Promise<Lane> {
  const { sender, receiver } = await openBoth(options, (from) => from.subscribe(options.name, options.take));
  return {
    send: (name, bytes) => sender.publish(name, bytes),
    forget: async () => undefined,
    isDrained: () => sender.isDrained([]),
    close() {
      sender.destroy();
      receiver.destroy();
    },
  };
}
