import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import type { ConnectionHandler } from "../contract/transport.ts";
import { Deadline } from "../support/deadline.ts";
import { MESSAGE_TYPE, readBody } from "../support/http-message.ts";
import { UnaryCall } from "../support/unary.ts";
import { http2, MAX_BYTES, SESSION_OPTIONS, widenWindow } from "./library.ts";

/** Time allowed for a client to send its preface and settings, ms; then it is dropped. */
const PREFACE_LIMIT_MS = 5000;
/** Time between two checks for requests without a whole body, ms; number of checks after which one is cancelled. */
const LOOK_MS = 5000;
const MOST_LOOKS = 6;
const CLOSE_LIMIT_MS = 1000;
/** NGHTTP2_NO_ERROR and NGHTTP2_CANCEL (RFC 9113, section 7). */
const NO_ERROR = 0;
const CANCEL = 8;

/** Serves sessions over byte streams: Unix sockets, or the standard streams of this process. */
export class SessionServer {
  readonly #transport: string;
  readonly #handler: ConnectionHandler;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #calls = new Set<UnaryCall>();
  /** Number of checks of each request without a whole body. Unlike a time, it stays while this process is stopped. */
  readonly #unread = new Map<ServerHttp2Stream, number>();
  readonly #looks: NodeJS.Timeout;

  constructor(transport: string, handler: ConnectionHandler) {
    this.#transport = transport;
    this.#handler = handler;
    this.#looks = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    for (const [stream, looks] of this.#unread) {
      if (looks < MOST_LOOKS && !stream.destroyed) this.#unread.set(stream, looks + 1);
      else {
        this.#unread.delete(stream);
        stream.close(CANCEL);
      }
    }
  }

  serve(bytes: Duplex): void {
    const session = http2().performServerHandshake(bytes, SESSION_OPTIONS);
    this.#sessions.add(session);
    const late = new Deadline(PREFACE_LIMIT_MS, () => session.destroy());
    session.once("remoteSettings", () => {
      late.clear();
      widenWindow(session);
    });
    session.on("stream", (stream, headers) => this.#take(stream, headers));
    // The library destroys a session that has failed.
    session.on("error", () => undefined);
    session.once("close", () => {
      late.clear();
      this.#sessions.delete(session);
    });
  }

  #take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on("error", () => undefined);
    if (headers[":method"] !== "POST") return refuse(stream, 405, "POST a message to any path\n");
    this.#unread.set(stream, 0);
    readBody(stream, Number(headers["content-length"] ?? 0), MAX_BYTES, (body, tooLong) => {
      this.#unread.delete(stream);
      if (tooLong) refuse(stream, 413, `the limit is ${MAX_BYTES} bytes\n`);
      else if (body !== undefined) this.#begin(stream, body);
    });
  }

  #begin(stream: ServerHttp2Stream, body: Buffer): void {
    const call = new UnaryCall({
      transport: this.#transport,
      handler: this.#handler,
      maxMessageBytes: MAX_BYTES,
      reply(message) {
        if (stream.destroyed) return;
        // Never used again: the library reports a stream as finished, and as closed, before it has sent the bytes.
        const copy = Buffer.from(message);
        stream.respond({ ":status": 200, "content-type": MESSAGE_TYPE, "content-length": copy.length });
        stream.end(copy);
      },
      fail: () => refuse(stream, 503, "no reply\n"),
    });
    this.#calls.add(call);
    stream.once("close", () => {
      this.#calls.delete(call);
      if (stream.writableFinished) call.end();
      else call.abandon();
    });
    call.begin(body);
  }

  /** Waits for the replies under way, sends GOAWAY, and waits until the sessions have ended. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#calls].map((call) => call.close(CLOSE_LIMIT_MS)));
    await Promise.all([...this.#sessions].map(ended));
    clearInterval(this.#looks);
  }
}

function ended(session: ServerHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    const late = new Deadline(CLOSE_LIMIT_MS, () => session.destroy());
    session.once("close", () => {
      late.clear();
      resolve();
    });
    session.close();
  });
}

/** Answers with an error status, and reads no more of the request. */
function refuse(stream: ServerHttp2Stream, status: number, text: string): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond({ ":status": status, "content-type": "text/plain" });
  stream.end(text, () => stream.close(NO_ERROR));
}
