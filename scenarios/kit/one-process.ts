import { setTimeout as delay } from "node:timers/promises";
import { isIpcError } from "../../transports/contract/errors.ts";
import type {
  Address,
  Connection,
  ConnectionHandler,
  EventTransport,
  OpenOptions,
  Server,
} from "../../transports/contract/transport.ts";
import type { CheckContext } from "../check.ts";
import { CheckFailure, expect, within } from "./expect.ts";
import { pattern } from "./messages.ts";
import { Recorder } from "./recorder.ts";

/** Time for which a check watches for an unwanted event, ms. A short time may miss a fault, but never invents one. */
export const WATCH_MS = 100;

/** A server and one client, both in this process. */
export interface Pair {
  readonly server: Server;
  readonly client: Connection;
  readonly atServer: Recorder;
  readonly atClient: Recorder;
}

export function eventFace(context: CheckContext): EventTransport {
  const { event } = context.transport;
  expect(event !== undefined, "the case was run although there is no event face");
  return event;
}

/** Listens, runs the body and closes, even after a failure of the body. */
export async function withServer(
  context: CheckContext,
  handler: ConnectionHandler,
  body: (server: Server, requested: Address) => Promise<void>,
  options?: OpenOptions,
): Promise<void> {
  const address = await context.allocate();
  const server = await within("listen", eventFace(context).listen(address, handler, options));
  try {
    await body(server, address);
  } catch (error) {
    // The error of the body is the finding; if closing fails after it, that is its consequence.
    await within("close of the server", server.close()).catch(() => undefined);
    throw error;
  }
  await within("close of the server", server.close());
}

export async function withPair(
  context: CheckContext,
  atServer: Recorder,
  body: (pair: Pair) => Promise<void>,
): Promise<void> {
  await withServer(context, atServer, async (server) => {
    const atClient = new Recorder("the client");
    const client = await within("connect", eventFace(context).connect(server.address, atClient));
    let failed = true;
    try {
      await body({ server, client, atServer, atClient });
      failed = false;
    } finally {
      const closed = client.close(failed ? 500 : undefined);
      await within("close of the client", closed).catch((error: unknown) => {
        if (!failed && !(isIpcError(error) && error.code === "IPC_TIMEOUT")) throw error;
      });
    }
  });
}

/** Sends when there is room: waits for `onWritable` after each refusal. */
export async function sendAll(
  recorder: Recorder,
  connection: Connection,
  messages: Iterable<Uint8Array>,
): Promise<void> {
  for (const message of messages) {
    for (;;) {
      const before = recorder.writables;
      if (connection.send(message)) break;
      await recorder.until("onWritable after a send that returned false", () => recorder.writables > before);
    }
  }
}

/** More than any buffer between two processes holds: if this much is taken without a refusal, there is no limit. */
export const ENOUGH_BYTES: number = 256 * 1024 * 1024;

/**
 * Sends to a paused side until nothing more is taken for a while. The number of each message is its first u32.
 *
 * @returns the number taken @throws CheckFailure at `ENOUGH_BYTES`
 */
export async function fill(recorder: Recorder, connection: Connection, messageBytes: number): Promise<number> {
  const message = pattern(messageBytes, 1);
  let taken = 0;
  while (taken * messageBytes < ENOUGH_BYTES) {
    const before = recorder.writables;
    message.writeUInt32BE(taken);
    if (connection.send(message)) {
      taken += 1;
      // Lets the event loop turn: a transport that delivers in the next turn would otherwise seem full too soon.
      if (taken % 64 === 0) await delay(0);
    } else {
      const refilled = recorder.until("room", () => recorder.writables > before, WATCH_MS);
      const hasRoom = await refilled.then(
        () => true,
        () => false,
      );
      if (!hasRoom) return taken;
    }
  }
  throw new CheckFailure(`${taken} messages of ${messageBytes} bytes were taken although the other side does not read`);
}
