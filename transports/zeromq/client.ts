import type { Dealer, Message, Request } from "zeromq";
import { toIpcError } from "../contract/errors.ts";
import type { ConnectionHandler } from "../contract/transport.ts";
import { ZeromqConnection } from "./connection.ts";
import { isControl, type Outgoing } from "./farewell.ts";
import { commonOptions, highWaterMarks, type Library, reconnect } from "./library.ts";

/** Data a client needs about its server. */
export interface ClientTarget {
  readonly transport: string;
  readonly endpoint: string;
  /** `false` for a server that is not ours, because it would treat a farewell as a message. */
  readonly confirms: boolean;
}

/** DEALER: any number of requests under way, replies in order. */
export function openDealer(library: Library, target: ClientTarget, handler: ConnectionHandler) {
  // The probe is an empty message that announces this client to the server before its first request.
  const socket = new library.Dealer({
    ...commonOptions(library),
    ...highWaterMarks,
    ...reconnect,
    probeRouter: true,
  });
  const connection = readAll(socket, target, handler, (message) => socket.send(message));
  socket.connect(target.endpoint);
  return connection;
}

/**
 * REQ: one request at a time. Without `relaxed`, a request without a reply would make every later send fail (EFSM).
 * Without `correlate`, a late reply would be taken for the reply to the next request.
 */
export function openRequest(library: Library, target: ClientTarget, handler: ConnectionHandler) {
  const { transport, confirms } = target;
  const socket = new library.Request({
    ...commonOptions(library),
    ...highWaterMarks,
    ...reconnect,
    relaxed: true,
    correlate: true,
  });
  let receiving = false;
  const connection = new ZeromqConnection(
    {
      transport,
      confirms,
      async transmit(message) {
        await socket.send(message as Buffer);
        // Later, so that the connection first notes the request as sent, even if the reply has arrived already.
        if (!receiving) queueMicrotask(receive);
      },
      // In lockstep at most one message can arrive, and one may follow a pause.
      setPaused() {},
      release(lingerMs) {
        closeSocket(socket, lingerMs);
      },
    },
    handler,
  );
  const received = (parts: Message[]): void => {
    receiving = false;
    // `correlate` passes only the reply to the last request, so the other side has read all requests.
    connection.replied();
    const body = parts[parts.length - 1] as Message;
    if (isControl(parts[parts.length - 2], body)) connection.control(body);
    else connection.deliver(body);
  };
  const failed = (error: unknown): void => {
    receiving = false;
    if (socket.closed) return;
    // A late reply to an abandoned request woke us, and `correlate` discarded it. The current reply is still to come.
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") receive();
    else connection.end(toIpcError(error, transport));
  };
  const receive = (): void => {
    receiving = true;
    if (!socket.closed) socket.receive().then(received, failed);
  };
  socket.connect(target.endpoint);
  return connection;
}

function readAll(
  socket: Dealer,
  { transport, confirms }: ClientTarget,
  handler: ConnectionHandler,
  transmit: (message: Outgoing) => Promise<void>,
): ZeromqConnection {
  let paused = false;
  let wake: (() => void) | undefined;
  const connection = new ZeromqConnection(
    {
      transport,
      confirms,
      transmit,
      setPaused(value) {
        paused = value;
        if (!value) wake?.();
      },
      release(lingerMs) {
        closeSocket(socket, lingerMs);
        wake?.();
      },
    },
    handler,
  );
  const run = async (): Promise<void> => {
    while (!socket.closed) {
      if (paused) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      let parts: Message[];
      try {
        parts = await socket.receive();
      } catch (error) {
        if (!socket.closed) connection.end(toIpcError(error, transport));
        return;
      }
      const body = parts[parts.length - 1] as Message;
      if (parts.length > 1 && isControl(parts[parts.length - 2], body)) connection.control(body);
      else connection.deliver(body);
    }
  };
  // Must come after `onOpen`, which the caller of this function triggers in the same turn.
  queueMicrotask(run);
  return connection;
}

function closeSocket(socket: Dealer | Request, lingerMs: number): void {
  if (socket.closed) return;
  socket.linger = lingerMs;
  socket.close();
}
