import { createServer, connect as netConnect, type Socket } from "node:net";
import type * as JsonRpc from "vscode-jsonrpc/node";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, OpenOptions, Server, Transport } from "../contract/transport.ts";
import { asBuffer } from "../support/as-buffer.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { closableServer } from "../support/closable-server.ts";
import { Deadline } from "../support/deadline.ts";
import { checkOptions, withinLimit } from "../support/opening.ts";
import { installedVersion, pathTransport, probePackage } from "../support/path-transport.ts";
import { listenPrivately } from "../support/private-listener.ts";
import { listenAtPath } from "../support/socket-path.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { type CallDone, UnaryCall, UnaryClient } from "../support/unary.ts";

const ID = "jsonrpc/unix";
/** Largest message, bytes: JSON can take six characters for a byte (`\u0000`), and V8 strings end at 512 MiB. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Largest message on the wire, bytes. The library itself has no limit. */
const MAX_WIRE_BYTES = 6 * MAX_BYTES + 4096;
const MAX_CALLS = 256;
/** The one method: its parameter and its result are messages, one character per byte (latin1). */
const METHOD = "message";
/** A method that no server has. Requests are handled in order, so its error confirms that earlier ones were read. */
const UNKNOWN_METHOD = "ipcmark/read";
/** Start of both allowed headers: `Content-Length` and `Content-Type`. */
const HEADER_START = "content-";
const CLOSE_LIMIT_MS = 1000;
/** Error code of JSON-RPC 2.0, section 5.1. */
const METHOD_NOT_FOUND = -32601;
const INTERNAL_ERROR = -32603;

type Library = typeof JsonRpc;
let loading: Promise<Library> | undefined;

function loadLibrary(): Promise<Library> {
  loading ??= import("vscode-jsonrpc/node");
  return loading;
}

/** Replaces the library's logger, which would print what a client sends. */
const SILENT: JsonRpc.Logger = { error() {}, warn() {}, info() {}, log() {} };

/** The library's connection over a socket. */
interface Attached {
  readonly rpc: JsonRpc.MessageConnection;
  /** Settles when the library has written all its messages to the socket. It writes one message at a time. */
  written(): Promise<unknown>;
}

/** @param failed called once, if the other side sends a malformed or too large message */
function attach(library: Library, socket: Socket, failed: (error: IpcError) => void): Attached {
  const reader = new library.StreamMessageReader(socket);
  // The timer would only report slow messages and keep the process alive.
  reader.partialMessageTimeout = 0;
  let pendingBytes = 0;
  const bounded: JsonRpc.MessageReader = {
    onError: reader.onError,
    onClose: reader.onClose,
    onPartialMessage: reader.onPartialMessage,
    listen: (callback) =>
      reader.listen((message) => {
        pendingBytes = 0;
        callback(message);
      }),
    dispose: () => reader.dispose(),
  };
  const refuse = (what: string): void => {
    failed(new IpcError("IPC_MALFORMED", `${ID}: ${what}`, { transport: ID }));
    socket.destroy();
  };
  let first = true;
  socket.on("data", (chunk: Buffer) => {
    // Refuses bytes that are not a header now, since the end of the header may never come.
    if (first && !isHeader(chunk)) refuse("no Content-Length header");
    first = false;
    pendingBytes += chunk.length;
    if (pendingBytes > MAX_WIRE_BYTES) refuse(`a message of more than ${MAX_WIRE_BYTES} bytes`);
  });
  const writer = new library.StreamMessageWriter(socket);
  let written: Promise<unknown> = Promise.resolve();
  const watched: JsonRpc.MessageWriter = {
    onError: writer.onError,
    onClose: writer.onClose,
    write(message) {
      const writing = writer.write(message);
      // Only the last write is kept, since it settles after all others; a chain of promises would grow without end.
      written = writing.catch(() => undefined);
      return writing;
    },
    end: () => writer.end(),
    dispose: () => writer.dispose(),
  };
  const rpc = library.createMessageConnection(bounded, watched, SILENT);
  rpc.onError(([error]) => {
    if ("code" in error) failed(toIpcError(error, ID, "IPC_PEER_LOST"));
    else refuse(error.message.split("\n", 1)[0] ?? "not JSON-RPC");
  });
  return { rpc, written: () => written };
}

function isHeader(chunk: Buffer): boolean {
  const start = chunk.subarray(0, HEADER_START.length).toString("latin1").toLowerCase();
  return HEADER_START.startsWith(start);
}

async function listen(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
  checkOptions(ID, options);
  const library = await loadLibrary();
  const sockets = new Map<Socket, Attached>();
  const calls = new Set<UnaryCall>();
  const listener = createServer((socket) => {
    sockets.set(socket, serve(library, socket, handler, calls));
    socket.once("close", () => sockets.delete(socket));
  });
  await listenAtPath(address.name, ID, () => listenPrivately(listener, address.name));
  return closableServer(address, async () => {
    const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
    await Promise.allSettled([...calls].map((call) => call.close(CLOSE_LIMIT_MS)));
    const deadline = new Deadline(CLOSE_LIMIT_MS, () => {
      for (const socket of sockets.keys()) socket.destroy();
    });
    for (const [socket, { written }] of sockets) void written().then(() => socket.destroySoon());
    await closed;
    deadline.clear();
  });
}

function serve(library: Library, socket: Socket, handler: ConnectionHandler, calls: Set<UnaryCall>): Attached {
  const own = new Set<UnaryCall>();
  const attached = attach(library, socket, () => undefined);
  const { rpc } = attached;
  const answer = (parameter: unknown): Promise<string> =>
    new Promise((resolve, reject) => {
      if (typeof parameter !== "string") {
        reject(new library.ResponseError(library.ErrorCodes.InvalidParams, "the parameter is a string, a byte each"));
        return;
      }
      const finish = (): void => {
        // The library writes the reply in the next microtasks, so the socket has the reply after this turn.
        setImmediate(() => {
          call.end();
          own.delete(call);
          calls.delete(call);
        });
      };
      const call: UnaryCall = new UnaryCall({
        transport: ID,
        handler,
        maxMessageBytes: MAX_BYTES,
        reply(message) {
          resolve(toText(message));
          finish();
        },
        fail() {
          reject(new library.ResponseError(INTERNAL_ERROR, "no reply"));
          finish();
        },
      });
      own.add(call);
      calls.add(call);
      call.begin(Buffer.from(parameter, "latin1"));
    });
  rpc.onRequest(METHOD, answer);
  socket.once("close", () => {
    rpc.dispose();
    for (const call of own) {
      calls.delete(call);
      call.abandon();
    }
  });
  rpc.listen();
  return attached;
}

async function connect(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Connection> {
  checkOptions(ID, options);
  checkSocketPath(address.name, ID);
  const library = await loadLibrary();
  const socket = netConnect(address.name);
  const connected = new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", (error) => reject(toIpcError(error, ID)));
  });
  await withinLimit(ID, options, connected, () => socket.destroy());
  let failure: IpcError | undefined;
  const { rpc } = attach(library, socket, (error) => {
    failure ??= error;
  });
  const client = new UnaryClient({
    transport: ID,
    handler,
    maxMessageBytes: MAX_BYTES,
    maxCalls: MAX_CALLS,
    call: (message, done) => callRemote(rpc, message, done),
    confirm(confirmed) {
      rpc.sendRequest(UNKNOWN_METHOD).then(confirmed, confirmed);
    },
    release() {
      socket.destroySoon();
    },
  });
  socket.once("close", () => {
    const lost = new IpcError("IPC_PEER_LOST", `${ID}: the server hung up`, { transport: ID });
    whenQueueIsEmpty(client, () => {
      client.end(failure ?? (client.calls > 0 ? lost : undefined));
      rpc.dispose();
    });
  });
  rpc.listen();
  client.open();
  return client;
}

/** Turns of the event loop without a reply after which the queue counts as empty. */
const QUIET_TURNS = 3;

/** Waits until no reply is queued. The library handles one per turn, so some may be left when the socket closes. */
function whenQueueIsEmpty(client: UnaryClient, then: () => void): void {
  let calls = client.calls;
  let quiet = 0;
  const turn = (): void => {
    quiet = client.calls < calls ? 0 : quiet + 1;
    calls = client.calls;
    if (calls > 0 && quiet < QUIET_TURNS) setImmediate(turn);
    else then();
  };
  turn();
}

function callRemote(rpc: JsonRpc.MessageConnection, message: Uint8Array, done: CallDone): void {
  rpc.sendRequest(METHOD, toText(message)).then(
    (result) => {
      if (typeof result === "string") done(undefined, Buffer.from(result, "latin1"));
      else done(new IpcError("IPC_MALFORMED", `${ID}: the result is not a string`, { transport: ID }), undefined);
    },
    (error: unknown) => done(callError(error), undefined),
  );
}

function callError(error: unknown): IpcError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  // The library reports "connection lost" as JSON-RPC error numbers too.
  const kind = code === METHOD_NOT_FOUND ? "IPC_UNKNOWN_METHOD" : "IPC_PEER_LOST";
  const text = error instanceof Error ? error.message : String(error);
  return new IpcError(kind, `${ID}: ${text}`, { transport: ID, cause: error });
}

function toText(message: Uint8Array): string {
  return asBuffer(message).toString("latin1");
}

/** JSON-RPC 2.0 as editors use it with language servers: `vscode-jsonrpc`, `Content-Length` framing, a Unix socket. */
export const jsonRpc: Transport = pathTransport({
  id: ID,
  stem: "jsonrpc",
  capabilities: streamCapabilities({
    patterns: ["request-reply"],
    boundaries: "library",
    maxMessageBytes: MAX_BYTES,
    maxInFlight: MAX_CALLS,
    backpressure: "outbox",
    packages: ["vscode-jsonrpc"],
  }),
  probe: () =>
    probePackage("vscode-jsonrpc", async () => {
      await loadLibrary();
      return installedVersion("vscode-jsonrpc/node", import.meta.url);
    }),
  event: { listen, connect },
});
