import { accessSync, constants } from "node:fs";
import type { Client, ClientUnaryCall } from "@grpc/grpc-js";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, OpenOptions } from "../contract/transport.ts";
import { checkOptions, OPEN_LIMIT_MS, withinLimit } from "../support/opening.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { SpareBuffers } from "../support/spare-buffers.ts";
import { type CallDone, UnaryClient } from "../support/unary.ts";
import { CLIENT_OPTIONS, type Library, loadLibrary, MAX_BYTES, SERVICE, statusError } from "./service.ts";
import { GrpcStream } from "./stream.ts";

/** Largest number of calls one client may have under way, as common servers allow per connection. */
export const MAX_CALLS = 100;
/** Deadline of the library, ms. Only a safety net, since requests time out in rpc long before. */
const DEADLINE_MS = 60_000;
const DEADLINE_EXCEEDED = 4;

export async function connectUnary(
  id: string,
  address: Address,
  handler: ConnectionHandler,
  options?: OpenOptions,
): Promise<Connection> {
  const { client } = await openChannel(id, address, options);
  const pending = new Set<ClientUnaryCall>();
  const spare = new SpareBuffers();
  const { path, requestSerialize, responseDeserialize } = SERVICE.call;
  const unary = new UnaryClient({
    transport: id,
    handler,
    maxMessageBytes: MAX_BYTES,
    maxCalls: MAX_CALLS,
    call(message: Uint8Array, done: CallDone) {
      // The library reads the message in later microtasks.
      const copy = spare.copy(message);
      const call = client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        copy,
        { deadline: Date.now() + DEADLINE_MS },
        (error, reply) => {
          pending.delete(call);
          if (!error) spare.giveBack(copy);
          // The caller gave up the request; the connection is fine.
          if (error?.code === DEADLINE_EXCEEDED) done(undefined, undefined);
          else done(error ? statusError(id, error.code, error.details, error) : undefined, reply);
        },
      );
      pending.add(call);
    },
    release() {
      for (const call of pending) call.cancel();
      client.close();
    },
  });
  unary.open();
  watchLoss(client, () => {
    const lost = new IpcError("IPC_PEER_LOST", `${id}: the server hung up`, { transport: id });
    // Later, since calls under way must fail first, with the library's own code.
    setImmediate(() => unary.end(unary.calls > 0 ? lost : undefined));
  });
  return unary;
}

export async function connectStreaming(
  id: string,
  address: Address,
  handler: ConnectionHandler,
  options?: OpenOptions,
): Promise<Connection> {
  const { client } = await openChannel(id, address, options);
  const { path, requestSerialize, responseDeserialize } = SERVICE.stream;
  const call = client.makeBidiStreamRequest<Buffer, Buffer>(path, requestSerialize, responseDeserialize);
  const stream = new GrpcStream({ call, handler, cancel: () => call.cancel(), onClosed: () => client.close() });
  // `status` follows `error` and carries the same code.
  call.on("error", () => undefined);
  call.on("status", ({ code, details }) => stream.ended(code === 0 ? undefined : statusError(id, code, details)));
  stream.open();
  return stream;
}

async function openChannel(id: string, address: Address, options?: OpenOptions): Promise<{ client: Client }> {
  checkOptions(id, options);
  checkSocketPath(address.name, id);
  const library = await loadLibrary();
  const client = new library.Client(`unix:${address.name}`, library.credentials.createInsecure(), CLIENT_OPTIONS);
  try {
    await withinLimit(id, options, whenReady(library, client, id, address), () => client.close());
  } catch (error) {
    client.close();
    throw error;
  }
  return { client };
}

/** Watches for the loss of the server, since no call reports it while none is under way. */
function watchLoss(client: Client, lost: () => void): void {
  const channel = client.getChannel();
  channel.watchConnectivityState(channel.getConnectivityState(false), Number.POSITIVE_INFINITY, lost);
}

/** Returns the reason of a refusal. The library reports no reason; a look at the path shows a missing permission. */
function refusal(id: string, address: Address): IpcError {
  try {
    accessSync(address.name, constants.R_OK | constants.W_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") return toIpcError(error, id);
  }
  return new IpcError("IPC_PEER_LOST", `${id}: nobody listens at ${address.name}`, { transport: id });
}

/** Waits for the first outcome; the library's `waitForReady` would retry until its deadline. */
function whenReady(library: Library, client: Client, id: string, address: Address): Promise<void> {
  const { connectivityState } = library;
  const channel = client.getChannel();
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) return resolve();
      if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) {
        reject(refusal(id, address));
        return;
      }
      channel.watchConnectivityState(state, Date.now() + OPEN_LIMIT_MS, (error) => (error ? reject(error) : look()));
    };
    look();
  });
}
