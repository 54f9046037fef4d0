import { connect as netConnect, type Socket } from "node:net";
import type * as Ws from "ws";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, type IpcErrorCode, toIpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, OpenOptions, Server, Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { closableServer } from "../support/closable-server.ts";
import { ClosesOnce } from "../support/closing.ts";
import { Deadline } from "../support/deadline.ts";
import { checkOptions, withinLimit } from "../support/opening.ts";
import { installedVersion, pathTransport, probePackage } from "../support/path-transport.ts";
import { listenPrivately } from "../support/private-listener.ts";
import { Scratch } from "../support/scratch.ts";
import { listenAtPath } from "../support/socket-path.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { tooLarge } from "../support/unary.ts";

const ID = "ws/unix";
const MAX_BYTES = UNBOUNDED_MESSAGE_BYTES;
/** Time allowed for a client to finish its upgrade request, ms; then it is dropped. */
const HEADERS_LIMIT_MS = 5000;
/** Close code of an orderly end (RFC 6455, section 7.4.1). */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const CLOSE_CODES: Readonly<Record<number, IpcErrorCode>> = {
  1002: "IPC_MALFORMED",
  1003: "IPC_MALFORMED",
  1007: "IPC_MALFORMED",
  1009: "IPC_TOO_LARGE",
};

let loading: Promise<typeof Ws> | undefined;

function loadLibrary(): Promise<typeof Ws> {
  loading ??= import("ws");
  return loading;
}

class WebSocketConnection extends ClosesOnce implements Connection {
  readonly #ws: Ws.WebSocket;
  readonly #socket: Socket;
  readonly #handler: ConnectionHandler;
  readonly #scratch = new Scratch();
  /** Messages that came in one read with, and after, the message at which the handler paused. */
  readonly #held: Buffer[] = [];
  readonly #closed = Promise.withResolvers<void>();
  #paused = false;
  #full = false;
  #refused = false;
  #open = true;
  #error: IpcError | undefined;

  constructor(ws: Ws.WebSocket, socket: Socket, handler: ConnectionHandler, onClosed?: () => void) {
    super();
    this.#ws = ws;
    this.#socket = socket;
    this.#handler = handler;
    ws.on("message", (data: Buffer) => this.#received(data));
    ws.on("error", (error) => {
      this.#error ??= protocolError(error);
    });
    ws.once("close", (code) => {
      this.#open = false;
      handler.onClose(this, this.#error ?? closeError(code));
      onClosed?.();
      this.#closed.resolve();
    });
    socket.on("drain", () => this.#drained());
  }

  open(): void {
    this.#handler.onOpen(this);
  }

  #received(message: Buffer): void {
    if (!this.#open) return;
    if (this.#paused || this.#held.length > 0) this.#held.push(message);
    else this.#handler.onMessage(message, this);
  }

  send(message: Uint8Array): boolean {
    if (!this.#open || this.#ws.readyState !== this.#ws.OPEN) {
      throw new IpcError("IPC_CLOSED", `${ID}: the connection is closed`, { transport: ID });
    }
    if (message.length > MAX_BYTES) throw tooLarge(ID, message.length, MAX_BYTES);
    if (this.#full) {
      this.#refused = true;
      return false;
    }
    this.#ws.send(this.#scratch.copy(message, this.#socket.writableLength), SEND_OPTIONS);
    if (this.#socket.writableNeedDrain) this.#full = true;
    return true;
  }

  #drained(): void {
    this.#full = false;
    if (!this.#refused || !this.#open) return;
    this.#refused = false;
    this.#handler.onWritable(this);
  }

  pause(): void {
    this.#paused = true;
    this.#ws.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    process.nextTick(() => {
      while (!this.#paused && this.#open && this.#held.length > 0) {
        this.#handler.onMessage(this.#held.shift() as Buffer, this);
      }
      if (!this.#paused) this.#ws.resume();
    });
  }

  protected override async closeOnce(timeoutMs: number): Promise<void> {
    if (this.#ws.readyState === this.#ws.CLOSED) return;
    this.#open = false;
    let late: IpcError | undefined;
    const deadline = new Deadline(timeoutMs, () => {
      late = new IpcError("IPC_TIMEOUT", `${ID}: the other side did not answer the close within ${timeoutMs} ms`, {
        transport: ID,
      });
      this.#error ??= late;
      this.#ws.terminate();
    });
    // The reply to our close frame comes after everything that is not read yet.
    this.#ws.resume();
    this.#ws.close(NORMAL);
    await this.#closed.promise;
    deadline.clear();
    if (late !== undefined) throw late;
  }
}

const SEND_OPTIONS = { binary: true, compress: false, fin: true };

function closeError(code: number): IpcError | undefined {
  // 1005: the close frame carried no code, which is allowed.
  if (code === NORMAL || code === GOING_AWAY || code === 1005) return undefined;
  const message = `${ID}: the connection ended with code ${code}`;
  return new IpcError(CLOSE_CODES[code] ?? "IPC_PEER_LOST", message, { transport: ID });
}

/** Converts errors: the library's are about received bytes, the others come from the socket. */
function protocolError(error: Error): IpcError {
  const code = "code" in error ? String(error.code) : "";
  if (!code.startsWith("WS_ERR")) return toIpcError(error, ID, "IPC_PEER_LOST");
  const kind = code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" ? "IPC_TOO_LARGE" : "IPC_MALFORMED";
  return new IpcError(kind, `${ID}: ${error.message}`, { transport: ID, cause: error });
}

async function listen(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
  checkOptions(ID, options);
  const { WebSocketServer } = await loadLibrary();
  const connections = new Set<WebSocketConnection>();
  // As in `http.ts`: an import would cost every process that loads this file 100 ms of CPU time.
  const web = process
    .getBuiltinModule("node:http")
    .createServer({ connectionsCheckingInterval: HEADERS_LIMIT_MS }, (_incoming, response) => {
      response.writeHead(426, { connection: "close", upgrade: "websocket" }).end("speak WebSocket\n");
    });
  web.headersTimeout = HEADERS_LIMIT_MS;
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_BYTES });
  web.on("upgrade", (incoming, socket, head) => {
    sockets.handleUpgrade(incoming, socket, head, (ws) => {
      const connection = new WebSocketConnection(ws, incoming.socket, handler, () => connections.delete(connection));
      connections.add(connection);
      connection.open();
    });
  });
  await listenAtPath(address.name, ID, () => listenPrivately(web, address.name));
  return closableServer(address, async () => {
    const closed = new Promise<void>((resolve) => web.close(() => resolve()));
    await Promise.allSettled([...connections].map((connection) => connection.close()));
    web.closeAllConnections();
    await closed;
  });
}

async function connect(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Connection> {
  checkOptions(ID, options);
  checkSocketPath(address.name, ID);
  const { WebSocket } = await loadLibrary();
  const socket = netConnect(address.name);
  const ws = new WebSocket("ws://localhost/", {
    // Not the library's own `ws+unix:` scheme: it splits the path at its first colon.
    createConnection: () => socket,
    perMessageDeflate: false,
    maxPayload: MAX_BYTES,
  });
  const opened = new Promise<Connection>((resolve, reject) => {
    // Errors of a system call come from the socket, the others from the protocol.
    const refused = (error: Error): void =>
      reject(toIpcError(error, ID, "syscall" in error ? "IPC_SYSTEM" : "IPC_MALFORMED"));
    ws.once("error", refused);
    ws.once("open", () => {
      ws.off("error", refused);
      // In this turn, because messages may already follow the server's reply.
      const connection = new WebSocketConnection(ws, socket, handler);
      connection.open();
      resolve(connection);
    });
  });
  return withinLimit(ID, options, opened, () => ws.terminate());
}

/** WebSocket (RFC 6455) over a Unix socket, without per-message deflate. */
export const websocket: Transport = pathTransport({
  id: ID,
  stem: "ws",
  capabilities: streamCapabilities({
    boundaries: "library",
    maxMessageBytes: MAX_BYTES,
    packages: ["ws"],
  }),
  probe: () =>
    probePackage("ws", async () => {
      await loadLibrary();
      return installedVersion("ws", import.meta.url);
    }),
  event: { listen, connect },
});
