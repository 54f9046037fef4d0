import type * as Redis from "@redis/client";
import { IpcError, toIpcError } from "../contract/errors.ts";

type Library = typeof Redis;

let loading: Promise<Library> | undefined;

export function loadLibrary(): Promise<Library> {
  loading ??= import("@redis/client");
  return loading;
}

/** One connection to the broker, without reconnecting: a broker that is gone has lost what it held. */
export interface BrokerClient {
  /** Puts bytes at the end of a list; resolves with its length. */
  rPush(key: string, bytes: Buffer): Promise<unknown>;
  /** Waits for the first element of a list, and takes it. */
  take(key: string): Promise<Buffer | undefined>;
  publish(channel: string, bytes: Buffer): Promise<number>;
  subscribe(channel: string, take: (bytes: Buffer) => void): Promise<void>;
  expire(key: string, seconds: number): Promise<unknown>;
  set(key: string, value: string): Promise<unknown>;
  exists(key: string): Promise<number>;
  /** Returns true if these lists are empty and the broker has written all replies to its clients. */
  isDrained(lists: readonly string[]): Promise<boolean>;
  destroy(): void;
}

/**
 * Connects to the broker at a path.
 *
 * @param ended called once when the connection is lost; not after `destroy`
 */
export async function connectBroker(
  transport: string,
  path: string,
  ended: (error: IpcError) => void,
): Promise<BrokerClient> {
  const { createClient, RESP_TYPES } = await loadLibrary();
  const client = createClient({
    // RESP 3 lets a connection that subscribes send commands too; nothing here does both.
    RESP: 2,
    socket: { path, tls: false, reconnectStrategy: false },
    disableOfflineQueue: true,
    disableClientInfo: true,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
  let open = false;
  const lose = (error: Error): void => {
    if (!open) return;
    open = false;
    ended(brokerError(transport, error));
  };
  client.on("error", lose);
  client.on("end", () => lose(new Error("the broker hung up")));
  try {
    await client.connect();
    open = true;
  } catch (error) {
    throw brokerError(transport, error);
  }
  return {
    rPush: (key, bytes) => client.rPush(key, bytes),
    take: async (key) => (await client.blPop(key, 0))?.element as Buffer | undefined,
    publish: (channel, bytes) => client.publish(channel, bytes),
    subscribe: (channel, take) => client.subscribe(channel, take, true),
    expire: (key, seconds) => client.expire(key, seconds),
    set: (key, value) => client.set(key, value),
    exists: (key) => client.exists(key),
    async isDrained(lists) {
      const lengths = await Promise.all(lists.map((key) => client.lLen(key)));
      const clients = String(await client.sendCommand(["CLIENT", "LIST"])).split("\n");
      return lengths.every((length) => length === 0) && !clients.some(isOwed);
    },
    destroy() {
      open = false;
      if (client.isOpen) client.destroy();
    },
  };
}

/** Returns true for a line of CLIENT LIST whose reply buffer (`obl`) or list of replies (`oll`) is not empty. */
function isOwed(line: string): boolean {
  return / (?:obl|oll)=[1-9]/.test(line) && !line.includes("cmd=client|list");
}

/** Converts an error of the library. An error reply of the broker, such as out of memory, is IPC_SYSTEM. */
export function brokerError(transport: string, error: unknown): IpcError {
  const name = error instanceof Error ? error.constructor.name : "";
  if (name !== "SimpleError" && name !== "ErrorReply") return toIpcError(error, transport, "IPC_PEER_LOST");
  return new IpcError("IPC_SYSTEM", `${transport}: the broker answered ${(error as Error).message}`, { transport });
}
