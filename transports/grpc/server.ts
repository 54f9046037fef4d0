import type {
  Server as GrpcServer,
  ServerDuplexStream,
  ServerUnaryCall,
  sendUnaryData,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { IpcError } from "../contract/errors.ts";
import type { Address, ConnectionHandler, OpenOptions, Server } from "../contract/transport.ts";
import { closableServer } from "../support/closable-server.ts";
import { Deadline } from "../support/deadline.ts";
import { checkOptions } from "../support/opening.ts";
import { listenAtPath, removeSocket } from "../support/socket-path.ts";
import { SpareBuffers } from "../support/spare-buffers.ts";
import { UnaryCall } from "../support/unary.ts";
import { type Library, loadLibrary, MAX_BYTES, SERVER_OPTIONS, SERVICE } from "./service.ts";
import { GrpcStream } from "./stream.ts";

/** Longest time clients may take to hang up before their sessions are destroyed, ms. */
const SHUTDOWN_MS = 1000;

interface Closable {
  close(timeoutMs?: number): Promise<void>;
}

export async function listen(
  id: string,
  address: Address,
  handler: ConnectionHandler,
  options?: OpenOptions,
): Promise<Server> {
  checkOptions(id, options);
  const library = await loadLibrary();
  const open = new Set<Closable>();
  const spare = new SpareBuffers();
  const server = new library.Server(SERVER_OPTIONS);
  // Both ids offer both methods: so clients of the other kind are served too, at no cost.
  server.addService(SERVICE, {
    call: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      serveCall({ library, id, handler, open, spare }, call, done);
    },
    stream: (call: ServerDuplexStream<Buffer, Buffer>) => serveStream({ library, id, handler, open, spare }, call),
  } satisfies UntypedServiceImplementation);
  await listenAtPath(address.name, id, () => bind(library, server, address.name));
  return closableServer(address, async () => {
    await Promise.allSettled([...open].map((connection) => connection.close(SHUTDOWN_MS)));
    await shutDown(server);
    removeSocket(address.name);
  });
}

function bind(library: Library, server: GrpcServer, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const bound = (error: Error | null): void => (error ? reject(error) : resolve());
    server.bindAsync(`unix:${path}`, library.ServerCredentials.createInsecure(), bound);
  });
}

function shutDown(server: GrpcServer): Promise<void> {
  return new Promise((resolve) => {
    const deadline = new Deadline(SHUTDOWN_MS, () => {
      server.forceShutdown();
      resolve();
    });
    server.tryShutdown(() => {
      deadline.clear();
      resolve();
    });
  });
}

/** State that all calls of one server share. */
interface Service {
  readonly library: Library;
  readonly id: string;
  readonly handler: ConnectionHandler;
  readonly open: Set<Closable>;
  readonly spare: SpareBuffers;
}

function serveCall(service: Service, call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
  const { library, id, handler, open, spare } = service;
  const finish = (copy?: Buffer): void => {
    setImmediate(() => {
      // By now the library has copied the message, behind a header of its own.
      if (copy !== undefined) spare.giveBack(copy);
      open.delete(connection);
      connection.end();
    });
  };
  const connection: UnaryCall = new UnaryCall({
    transport: id,
    handler,
    maxMessageBytes: MAX_BYTES,
    reply(message) {
      const copy = spare.copy(message);
      done(null, copy);
      finish(copy);
    },
    fail() {
      done({ code: library.status.UNAVAILABLE, details: "the server is closing" });
      finish();
    },
  });
  open.add(connection);
  call.on("cancelled", () => {
    open.delete(connection);
    connection.abandon();
  });
  connection.begin(call.request);
}

function serveStream(service: Service, call: ServerDuplexStream<Buffer, Buffer>): void {
  const { library, id, handler, open } = service;
  const stream = new GrpcStream({
    call,
    handler,
    cancel: () => call.emit("error", { code: library.status.CANCELLED, details: "the client did not read" }),
    onClosed: (closed) => open.delete(closed),
  });
  open.add(stream);
  call.on("cancelled", () => {
    stream.ended(new IpcError("IPC_PEER_LOST", `${id}: the client is gone`, { transport: id }));
  });
  call.on("error", () => undefined);
  // HTTP/2 has our last message and the status.
  call.on("finish", () => stream.ended(undefined));
  stream.open();
}
