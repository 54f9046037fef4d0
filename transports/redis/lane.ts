import type { IpcError } from "../contract/errors.ts";
import { type BrokerClient, connectBroker } from "./library.ts";

/** Way through the broker from one name to another: a list, or a channel. */
export interface Lane {
  /** Sends bytes; the buffer must not change until the promise settles. Rejects if the broker is gone. */
  send(name: string, bytes: Buffer): Promise<unknown>;
  /** Drops what waits at this name for a reader that may be gone. */
  forget(name: string): Promise<unknown>;
  /** Returns true when the readers at these names have, at least in their sockets, everything that was sent. */
  isDrained(names: readonly string[]): Promise<boolean>;
  close(): void;
}

export interface LaneOptions {
  readonly transport: string;
  readonly path: string;
  /** Name at which this end receives. */
  readonly name: string;
  readonly take: (bytes: Buffer) => void;
  /** Called once when the broker is lost. */
  readonly lost: (error: IpcError) => void;
}

export type OpenLane = (options: LaneOptions) => Promise<Lane>;

/** Time for which the broker keeps replies that nobody has taken, s. */
const KEPT_S = 60;

/** Opens both connections: one that sends, and one that waits for messages. */
async function openBoth(options: LaneOptions): Promise<{ sender: BrokerClient; receiver: BrokerClient }> {
  const { transport, path } = options;
  let isLost = false;
  const lost = (error: IpcError): void => {
    if (isLost) return;
    isLost = true;
    options.lost(error);
  };
  const sender = await connectBroker(transport, path, lost);
  try {
    return { sender, receiver: await connectBroker(transport, path, lost) };
  } catch (error) {
    sender.destroy();
    throw error;
  }
}

/** Opens a lane of lists: RPUSH puts a message at the end of a list, BLPOP waits for the first one. */
export async function openListLane(options: LaneOptions): Promise<Lane> {
  const { sender, receiver } = await openBoth(options);
  let open = true;
  const receive = async (): Promise<void> => {
    while (open) {
      const bytes = await receiver.take(options.name);
      if (open && bytes !== undefined) options.take(bytes);
    }
  };
  // A lost connection is reported by `lost`.
  receive().catch(() => undefined);
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
  const { sender, receiver } = await openBoth(options);
  await receiver.subscribe(options.name, options.take);
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
