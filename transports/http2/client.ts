import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { IpcError } from "../contract/errors.ts";
import type { ConnectionHandler } from "../contract/transport.ts";
import { MESSAGE_TYPE, readBody, replyTooLarge, statusError } from "../support/http-message.ts";
import { SpareBuffers } from "../support/spare-buffers.ts";
import { type CallDone, UnaryClient } from "../support/unary.ts";
import { http2Error, MAX_BYTES, MAX_STREAMS } from "./library.ts";

/**
 * Makes a connection of a session, and opens it. Each message is a stream of its own.
 *
 * @param greeted true if the settings of the server have arrived, which shows that it is an HTTP/2 server
 */
export function openClient(
  transport: string,
  session: ClientHttp2Session,
  handler: ConnectionHandler,
  greeted: boolean,
): UnaryClient {
  const spare = new SpareBuffers();
  let isServer = greeted;
  const streams = new Set<ClientHttp2Stream>();
  let failure: IpcError | undefined;
  const client = new UnaryClient({
    transport,
    handler,
    maxMessageBytes: MAX_BYTES,
    maxCalls: MAX_STREAMS,
    // The server's GOAWAY closes the session: streams under way go on, and no new one is allowed.
    accepts: () => !session.closed,
    call(message, done) {
      const stream = post(transport, session, spare, message, done);
      streams.add(stream);
      stream.once("close", () => streams.delete(stream));
    },
    confirm(confirmed) {
      void Promise.all([...streams].map(written)).then(() => ping(session, confirmed));
    },
    release: () => session.destroy(),
  });
  session.once("remoteSettings", () => {
    isServer = true;
  });
  session.on("error", (error) => {
    failure ??= http2Error(transport, error);
  });
  session.once("close", () => {
    const lost = new IpcError("IPC_PEER_LOST", `${transport}: the server hung up`, { transport });
    client.end(failure ?? (client.calls > 0 || !isServer ? lost : undefined));
  });
  client.open();
  return client;
}

/** Resolves when flow control has let the whole request out, or its stream has ended. */
function written(stream: ClientHttp2Stream): Promise<void> {
  if (stream.writableFinished || stream.closed) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once("finish", resolve);
    stream.once("close", resolve);
  });
}

/** Sends a PING. Its answer shows that everything that was sent before has been read. */
function ping(session: ClientHttp2Session, answered: () => void): void {
  if (session.destroyed) return;
  session.ping((error) => {
    if (error === null) answered();
  });
}

function post(
  transport: string,
  session: ClientHttp2Session,
  spare: SpareBuffers,
  message: Uint8Array,
  done: CallDone,
): ClientHttp2Stream {
  let settled = false;
  const settle = (error: IpcError | undefined, reply?: Uint8Array): void => {
    if (settled) return;
    settled = true;
    done(error, reply);
  };
  const stream = session.request({
    ":method": "POST",
    ":path": "/",
    "content-type": MESSAGE_TYPE,
    "content-length": message.length,
  });
  stream.once("response", ({ ":status": status = 0, "content-length": bytes = 0 }) => {
    readBody(stream, Number(bytes), MAX_BYTES, (body, tooLong) => {
      if (tooLong) settle(replyTooLarge(transport));
      // The body was cut off: the error or the end of the stream follows.
      if (body === undefined) return;
      if (status !== 200) return settle(statusError(transport, status));
      // Only the reply shows that the bytes have left: the library reports the stream as finished before that.
      if (stream.writableFinished) spare.giveBack(copy);
      settle(undefined, body);
    });
  });
  stream.once("error", (error) => settle(http2Error(transport, error)));
  stream.once("close", () => {
    // Making an error takes a fifth of the time of a request, so none is made unless it is needed.
    if (settled) return;
    const message = `${transport}: the server ended a stream without a reply (HTTP/2 error ${stream.rstCode})`;
    settle(new IpcError("IPC_PEER_LOST", message, { transport }));
  });
  // The library sends the bytes in a later turn, or when the window of the stream allows.
  const copy = spare.copy(message);
  stream.end(copy);
  return stream;
}
