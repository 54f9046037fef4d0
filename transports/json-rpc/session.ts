import type { Readable, Writable } from "node:stream";
import type * as JsonRpc from "vscode-jsonrpc/node";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { ConnectionHandler } from "../contract/transport.ts";
import { asBuffer } from "../support/as-buffer.ts";
import { type CallDone, UnaryCall, UnaryClient } from "../support/unary.ts";
import { describeStray, type Framing, NoMessage } from "./framing.ts";

/** Largest message, bytes: JSON can take six characters for a byte (`\u0000`), and V8 strings end at 512 MiB. */
export const MAX_BYTES: number = 16 * 1024 * 1024;
/** Largest JSON text, bytes. The library itself has no limit. */
const MAX_TEXT_BYTES = 6 * MAX_BYTES + 4096;
export const MAX_CALLS = 256;
/** The one method: its parameter and its result are messages, one character per byte (latin1). */
const METHOD = "message";
/** A method that no server has. Requests are handled in order, so its error confirms that earlier ones were read. */
const UNKNOWN_METHOD = "ipcmark/read";
/** Notification of tool servers that a request is cancelled; the library has that of language servers. */
const TOOL_CANCEL = "notifications/cancelled";
const CANCEL = "$/cancelRequest";
/** Error codes of JSON-RPC 2.0, section 5.1, and of the Language Server Protocol for a request that was cancelled. */
const METHOD_NOT_FOUND = -32601;
const INTERNAL_ERROR = -32603;
const REQUEST_CANCELLED = -32800;

type Library = typeof JsonRpc;
let loading: Promise<Library> | undefined;

export function loadLibrary(): Promise<Library> {
  loading ??= import("vscode-jsonrpc/node");
  return loading;
}

/** Replaces the library's logger, which would print what a client sends. */
const SILENT: JsonRpc.Logger = { error() {}, warn() {}, info() {}, log() {} };

/** Byte stream of a session, as its mechanism opened it. */
export interface Wire {
  /** Id of the transport, for error messages. */
  readonly transport: string;
  readonly framing: Framing;
  /** The same object for a socket. */
  readonly input: Readable;
  readonly output: Writable;
  /** Where the other side's bytes come from, and what it should do: the start and end of an error message. */
  readonly source: string;
  readonly remedy?: string;
  /** Ends the stream after what was written. */
  hangUp(): void;
}

/** The library's connection over a byte stream. */
interface Attached {
  readonly rpc: JsonRpc.MessageConnection;
  /** Settles when all messages are written. */
  written(): Promise<unknown>;
}

/** @param failed called if the other side sends a malformed or too large message, or a stream fails */
function attach(library: Library, wire: Wire, failed: (error: IpcError) => void): Attached {
  const { transport, framing, input, output } = wire;
  const fail = (error: unknown): void => {
    if (error instanceof NoMessage) {
      const text = `${transport}: ${wire.source} carried ${error.message}${wire.remedy ?? ""}`;
      failed(new IpcError("IPC_MALFORMED", text, { transport }));
    } else failed(toIpcError(error, transport, "IPC_PEER_LOST"));
    input.destroy();
    output.destroy();
  };
  for (const stream of new Set([input, output])) stream.on("error", fail);
  let written: Promise<unknown> = Promise.resolve();
  const { event: never } = new library.Emitter<never>();
  const reader: JsonRpc.MessageReader = {
    onError: never,
    onClose: never,
    onPartialMessage: never,
    listen: (callback) => readMessages(wire, callback, fail),
    dispose() {},
  };
  const writer: JsonRpc.MessageWriter = {
    onError: never,
    onClose: never,
    write(message) {
      const writing = new Promise<void>((resolve, reject) => {
        output.write(framing.wrap(JSON.stringify(message)), (error) => (error ? reject(error) : resolve()));
      });
      // Only the last write is kept, since it settles after all others; a chain of promises would grow without end.
      written = writing.catch(() => undefined);
      return writing;
    },
    end() {},
    dispose() {},
  };
  const rpc = library.createMessageConnection(reader, writer, SILENT);
  return { rpc, written: () => written };
}

/** Reads messages until the stream ends or carries something else. */
function readMessages(
  { framing, input }: Wire,
  callback: JsonRpc.DataCallback,
  fail: (error: unknown) => void,
): JsonRpc.Disposable {
  const cutter = framing.cutter(MAX_TEXT_BYTES);
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      fail(error);
    }
  };
  const deliver = (text: Buffer): void => callback(messageOf(text));
  input.on("data", (chunk: Buffer) => guarded(() => cutter.push(chunk, deliver)));
  input.once("end", () =>
    guarded(() => {
      if (!cutter.end()) throw new Error("the other side ended in the middle of a message");
    }),
  );
  return { dispose() {} };
}

/** Parses a message. A log line may be valid JSON too, but has no version. @throws NoMessage */
function messageOf(text: Buffer): JsonRpc.Message {
  let message: Partial<JsonRpc.NotificationMessage & { params: { requestId?: unknown } }>;
  try {
    message = JSON.parse(text.toString());
  } catch {
    throw new NoMessage(describeStray(text));
  }
  if (message?.jsonrpc !== "2.0") throw new NoMessage(describeStray(text));
  if (message.method !== TOOL_CANCEL) return message as JsonRpc.Message;
  return { jsonrpc: "2.0", method: CANCEL, params: { id: message.params?.requestId } } as JsonRpc.Message;
}

/** One client of a server. */
export interface Served {
  /** Fails the calls without a reply, waits for the others, and resolves when their replies are written. */
  finish(timeoutMs: number): Promise<void>;
}

/** Serves requests until the stream ends. Each is a connection of its own, with one message and one reply. */
export function serve(library: Library, wire: Wire, handler: ConnectionHandler): Served {
  const { transport } = wire;
  const calls = new Set<UnaryCall>();
  const { rpc, written } = attach(library, wire, () => undefined);
  const answer = (parameter: unknown, token: JsonRpc.CancellationToken): Promise<string> =>
    new Promise((resolve, reject) => {
      if (typeof parameter !== "string") {
        reject(new library.ResponseError(library.ErrorCodes.InvalidParams, "the parameter is a string, a byte each"));
        return;
      }
      const cancel = (): void => reject(new library.ResponseError(REQUEST_CANCELLED, "cancelled by the client"));
      // The library calls nobody for a request that was cancelled while it was queued.
      if (token.isCancellationRequested) return cancel();
      const finish = (): void => {
        // The library writes the reply in the next microtasks, so the stream has the reply after this turn.
        setImmediate(() => {
          call.end();
          calls.delete(call);
        });
      };
      const call: UnaryCall = new UnaryCall({
        transport,
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
      token.onCancellationRequested(() => {
        cancel();
        calls.delete(call);
        call.abandon();
      });
      calls.add(call);
      call.begin(Buffer.from(parameter, "latin1"));
    });
  rpc.onRequest(METHOD, answer);
  wire.input.once("close", () => {
    rpc.dispose();
    for (const call of calls) call.abandon();
    calls.clear();
    wire.hangUp();
  });
  rpc.listen();
  return {
    async finish(timeoutMs) {
      await Promise.allSettled([...calls].map((call) => call.close(timeoutMs)));
      await written();
    },
  };
}

/** Opens the client's end over a stream whose other side serves. */
export function openClient(library: Library, wire: Wire, handler: ConnectionHandler): UnaryClient {
  const { transport } = wire;
  let failure: IpcError | undefined;
  const { rpc } = attach(library, wire, (error) => {
    // The first error is the cause; later ones are its consequences.
    failure ??= error;
  });
  const client = new UnaryClient({
    transport,
    handler,
    maxMessageBytes: MAX_BYTES,
    maxCalls: MAX_CALLS,
    call: (message, done) => callRemote(transport, rpc, message, done),
    confirm(confirmed) {
      rpc.sendRequest(UNKNOWN_METHOD).then(confirmed, confirmed);
    },
    release: () => wire.hangUp(),
  });
  wire.input.once("close", () => {
    const lost = new IpcError("IPC_PEER_LOST", `${transport}: the server hung up`, { transport });
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

/** Waits until no reply is queued. The library handles one per turn, so some may be left when the stream closes. */
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

function callRemote(transport: string, rpc: JsonRpc.MessageConnection, message: Uint8Array, done: CallDone): void {
  rpc.sendRequest(METHOD, toText(message)).then(
    (result) => {
      if (typeof result === "string") done(undefined, Buffer.from(result, "latin1"));
      else done(new IpcError("IPC_MALFORMED", `${transport}: the result is not a string`, { transport }), undefined);
    },
    (error: unknown) => done(callError(transport, error), undefined),
  );
}

function callError(transport: string, error: unknown): IpcError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  // The library reports "connection lost" as JSON-RPC error numbers too.
  const kind = code === METHOD_NOT_FOUND ? "IPC_UNKNOWN_METHOD" : "IPC_PEER_LOST";
  const text = error instanceof Error ? error.message : String(error);
  return new IpcError(kind, `${transport}: ${text}`, { transport, cause: error });
}

function toText(message: Uint8Array): string {
  return asBuffer(message).toString("latin1");
}
