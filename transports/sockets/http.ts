import type * as Http from "node:http";
import { connect as netConnect, type Socket } from "node:net";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, OpenOptions, Server, Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { closableServer } from "../support/closable-server.ts";
import { MESSAGE_TYPE, readBody, replyTooLarge, statusError } from "../support/http-message.ts";
import { checkOptions, withinLimit } from "../support/opening.ts";
import { pathTransport } from "../support/path-transport.ts";
import { listenPrivately } from "../support/private-listener.ts";
import { Scratch } from "../support/scratch.ts";
import { listenAtPath } from "../support/socket-path.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { SpareBuffers } from "../support/spare-buffers.ts";
import { type CallDone, UnaryCall, UnaryClient } from "../support/unary.ts";

/** Not an `import`, which would evaluate every lazy export of node:http and cost 100 ms of CPU time at the start. */
const { Agent, createServer, request } = process.getBuiltinModule("node:http");

const ID = "http/unix";
const MAX_BYTES = UNBOUNDED_MESSAGE_BYTES;
/**
 * Node does not pipeline HTTP/1.1, so a client has one request under way. It needs further sockets because a request
 * still occupies its socket after the caller has given up waiting.
 */
const MAX_SOCKETS = 16;
/** Time allowed for a client to finish its request header or body, ms; then it is dropped. */
const HEADERS_LIMIT_MS = 5000;
const REQUEST_LIMIT_MS = 30_000;
const CLOSE_LIMIT_MS = 1000;

async function listen(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
  checkOptions(ID, options);
  const calls = new Set<UnaryCall>();
  const server = createServer({ connectionsCheckingInterval: HEADERS_LIMIT_MS }, (incoming, response) => {
    serve(incoming, response, handler, calls);
  });
  // No keep-alive timeout: a connection of ours stays open as long as both ends live.
  server.keepAliveTimeout = 0;
  server.headersTimeout = HEADERS_LIMIT_MS;
  server.requestTimeout = REQUEST_LIMIT_MS;
  await listenAtPath(address.name, ID, () => listenPrivately(server, address.name));
  return closableServer(address, async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await Promise.allSettled([...calls].map((call) => call.close(CLOSE_LIMIT_MS)));
    server.closeAllConnections();
    await closed;
  });
}

function serve(
  incoming: Http.IncomingMessage,
  response: Http.ServerResponse,
  handler: ConnectionHandler,
  calls: Set<UnaryCall>,
): void {
  if (incoming.method !== "POST") return refuse(response, 405, "POST a message to any path\n");
  readBody(incoming, announcedBytes(incoming), MAX_BYTES, (body, tooLong) => {
    if (tooLong) return refuse(response, 413, `the limit is ${MAX_BYTES} bytes\n`);
    if (body === undefined) return;
    const call = new UnaryCall({
      transport: ID,
      handler,
      maxMessageBytes: MAX_BYTES,
      reply(message) {
        const { socket } = response;
        response.writeHead(200, { "content-type": MESSAGE_TYPE, "content-length": message.length });
        response.end(socket ? scratchOf(socket).copy(message, socket.writableLength) : undefined);
      },
      fail: () => refuse(response, 503, "no reply\n"),
    });
    calls.add(call);
    response.once("close", () => {
      calls.delete(call);
      if (response.writableFinished) call.end();
      else call.abandon();
    });
    call.begin(body);
  });
}

function refuse(response: Http.ServerResponse, status: number, text: string): void {
  if (response.headersSent) return;
  response.writeHead(status, { connection: "close", "content-type": "text/plain" }).end(text);
}

function announcedBytes(incoming: Http.IncomingMessage): number {
  return Number(incoming.headers["content-length"] ?? 0);
}

const scratches = new WeakMap<Socket, Scratch>();

function scratchOf(socket: Socket): Scratch {
  let scratch = scratches.get(socket);
  if (scratch === undefined) {
    scratch = new Scratch();
    scratches.set(socket, scratch);
  }
  return scratch;
}

async function connect(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Connection> {
  checkOptions(ID, options);
  checkSocketPath(address.name, ID);
  const first = await connectFirst(address.name, options);
  const sockets = new Set<Socket>();
  const spare = new SpareBuffers();
  const requests = new Set<Http.ClientRequest>();
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: MAX_SOCKETS });
  let unused: Socket | undefined = first;
  const adopt = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      // If the last idle socket ends, the server has closed. If a request is under way, that request fails instead.
      if (sockets.size === 0 && client.calls === 0) client.end();
    });
    return socket;
  };
  agent.createConnection = () => {
    const socket = unused ?? adopt(netConnect(address.name));
    unused = undefined;
    return socket;
  };
  const client = new UnaryClient({
    transport: ID,
    handler,
    maxMessageBytes: MAX_BYTES,
    maxCalls: MAX_SOCKETS,
    call(message, done) {
      const outgoing = post(address.name, agent, spare, message, (error, reply) => {
        requests.delete(outgoing);
        done(error, reply);
      });
      requests.add(outgoing);
    },
    confirm() {
      for (const outgoing of requests) hangUp(outgoing);
    },
    release() {
      agent.destroy();
      for (const socket of sockets) socket.destroy();
    },
  });
  adopt(first);
  first.resume();
  client.open();
  return client;
}

async function connectFirst(path: string, options: OpenOptions | undefined): Promise<Socket> {
  const socket = netConnect(path);
  const connected = new Promise<Socket>((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", (error) => reject(toIpcError(error, ID)));
  });
  return withinLimit(ID, options, connected, () => socket.destroy());
}

/** Sends our end of file after the request. A server that reads it has read the request, and replies or hangs up. */
function hangUp(outgoing: Http.ClientRequest): void {
  const end = (): void => void outgoing.socket?.end();
  if (outgoing.writableFinished) end();
  else outgoing.once("finish", end);
}

function post(
  path: string,
  agent: Http.Agent,
  spare: SpareBuffers,
  message: Uint8Array,
  done: CallDone,
): Http.ClientRequest {
  let settled = false;
  const settle = (error: IpcError | undefined, reply: Uint8Array | undefined): void => {
    if (settled) return;
    settled = true;
    done(error, reply);
  };
  const outgoing = request({
    socketPath: path,
    path: "/",
    method: "POST",
    agent,
    headers: { "content-type": MESSAGE_TYPE, "content-length": message.length },
  });
  outgoing.once("response", (response) => {
    readBody(response, announcedBytes(response), MAX_BYTES, (body, tooLong) => {
      if (tooLong) settle(replyTooLarge(ID), undefined);
      else if (body === undefined) settle(lost("the server hung up in the middle of its reply"), undefined);
      else if (response.statusCode === 200) {
        if (outgoing.writableFinished) spare.giveBack(copy);
        settle(undefined, body);
      } else settle(statusError(ID, response.statusCode ?? 0), undefined);
    });
  });
  outgoing.once("error", (error) => {
    const { socket } = outgoing;
    const read = socket?.writableEnded === true && socket.readableEnded;
    settle(read ? undefined : toIpcError(error, ID, "IPC_PEER_LOST"), undefined);
  });
  // The agent chooses the socket later, so these bytes need a buffer of their own.
  const copy = spare.copy(message);
  outgoing.end(copy);
  return outgoing;
}

function lost(what: string): IpcError {
  return new IpcError("IPC_PEER_LOST", `${ID}: ${what}`, { transport: ID });
}

/** HTTP/1.1 with keep-alive over a Unix socket: `POST` a message, and the body of the response is the reply. */
export const http: Transport = pathTransport({
  id: ID,
  stem: "http",
  capabilities: streamCapabilities({
    patterns: ["request-reply"],
    boundaries: "library",
    maxMessageBytes: MAX_BYTES,
    maxInFlight: 1,
    backpressure: "outbox",
  }),
  async probe() {
    if (process.platform === "win32") return { available: false, reason: "Node has no Unix sockets on Windows" };
    const { node, llhttp } = process.versions;
    return { available: true, version: `node ${node}, llhttp ${llhttp}` };
  },
  event: { listen, connect },
});
