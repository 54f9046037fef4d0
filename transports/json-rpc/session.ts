import type { Duplex, Readable, Writable } from "node:stream";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { ConnectionHandler } from "../contract/transport.ts";
import { asBuffer } from "../support/as-buffer.ts";
import { Deadline } from "../support/deadline.ts";
import { type CallDone, UnaryCall, UnaryClient } from "../support/unary.ts";
import { describeStray, type Framing, NoMessage } from "./framing.ts";

/** Largest message, bytes: JSON can take six characters for a byte (`\u0000`), and V8 strings end at 512 MiB. */
export const MAX_BYTES: number = 16 * 1024 * 1024;
/** Largest JSON text, bytes. */
const MAX_TEXT_BYTES = 6 * MAX_BYTES + 4096;
export const MAX_CALLS = 256;
/** The one method: its parameter and its result are messages, one character per byte (latin1). */
const METHOD = "message";
/** A method that no server has. Requests are handled in order, so its error confirms that earlier ones were read. */
const UNKNOWN_METHOD = "ipcmark/read";
/** Notifications that a request is cancelled: that of language servers, with its `id`, and that of tool servers. */
const CANCEL = "$/cancelRequest";
const TOOL_CANCEL = "notifications/cancelled";

/** Error codes of JSON-RPC 2.0, section 5.1, and of the Language Server Protocol for a request that was cancelled. */
const ErrorCode = {
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  cancelled: -32800,
} as const;

/** Time for the end of the input to follow a failed write, ms. */
const INPUT_END_MS = 250;

type Id = number | string;

/** Request, notification or response. Only the version of a received one is checked. */
interface Message {
  readonly id?: Id;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown };
}

/** Byte stream of a session, as its mechanism opened it. */
export interface Wire {
  /** Id of the transport, for error messages. */
  readonly transport: string;
  readonly framing: Framing;
  /** The same object for a socket. */
  readonly input: Readable;
  readonly output: Writable;
  /** Source of the other side's bytes, and remedy: the beginning and the end of an error message. */
  readonly source: string;
  readonly remedy?: string;
  /** Ends the stream after what was written. */
  hangUp(): void;
}

function send({ framing, output }: Wire, message: Message): void {
  if (output.writable) output.write(framing.wrap(JSON.stringify({ jsonrpc: "2.0", ...message })));
}

function refuse(wire: Wire, id: Id, code: number, message: string): void {
  send(wire, { id, error: { code, message } });
}

/**
 * Reads messages until the stream ends or brings bytes that are no message.
 *
 * @param failed called if the other side sends a malformed or too large message, or a stream fails
 */
function receive(wire: Wire, take: (message: Message) => void, failed: (error: IpcError) => void): void {
  const { transport, framing, input, output } = wire;
  const fail = (error: unknown): void => {
    if (error instanceof NoMessage) {
      const text = `${transport}: ${wire.source} carried ${error.message}${wire.remedy ?? ""}`;
      failed(new IpcError("IPC_MALFORMED", text, { transport }));
    } else failed(toIpcError(error, transport, "IPC_PEER_LOST"));
    input.destroy();
    output.destroy();
  };
  input.on("error", fail);
  // The last bytes of the other side, such as a log line, explain more than EPIPE.
  if (output !== (input as Duplex)) output.on("error", (error) => afterInput(input, () => fail(error)));
  const cutter = framing.cutter(MAX_TEXT_BYTES);
  const deliver = (text: Buffer): void => take(messageOf(text));
  input.on("data", (chunk: Buffer) => {
    try {
      cutter.push(chunk, deliver);
    } catch (error) {
      if (!(error instanceof NoMessage)) throw error;
      fail(error);
    }
  });
  input.once("end", () => {
    try {
      if (!cutter.end()) fail(new Error("the other side ended in the middle of a message"));
    } catch (error) {
      fail(error);
    }
  });
}

/** Calls `late` if the input has not ended by itself in a short time. */
function afterInput(input: Readable, late: () => void): void {
  if (input.destroyed) return late();
  const deadline = new Deadline(INPUT_END_MS, late);
  input.once("close", () => deadline.clear());
}

/** Parses a message. A log line may be valid JSON too, but has no version. @throws NoMessage */
function messageOf(text: Buffer): Message {
  let message: (Message & { readonly jsonrpc?: unknown }) | null;
  try {
    message = JSON.parse(text.toString());
  } catch {
    throw new NoMessage(describeStray(text));
  }
  if (message?.jsonrpc !== "2.0") throw new NoMessage(describeStray(text));
  return message;
}

/** One client of a server. */
export interface Served {
  /** Fails the calls without a reply, waits for the others, and resolves when their replies are written. */
  finish(timeoutMs: number): Promise<void>;
}

/** Serves requests until the stream ends. Each is a connection of its own, with one message and one reply. */
export function serve(wire: Wire, handler: ConnectionHandler): Served {
  const calls = new Map<Id, UnaryCall>();
  receive(
    wire,
    (message) => {
      if (message.method === CANCEL || message.method === TOOL_CANCEL) cancel(wire, calls, message.params);
      else if (message.method !== undefined && message.id !== undefined)
        answer(wire, calls, message.id, message, handler);
    },
    () => undefined,
  );
  wire.input.once("close", () => {
    for (const call of calls.values()) call.abandon();
    calls.clear();
    wire.hangUp();
  });
  return {
    async finish(timeoutMs) {
      await Promise.allSettled([...calls.values()].map((call) => call.close(timeoutMs)));
      const { output } = wire;
      if (output.writable) await new Promise<void>((resolve) => output.write("", () => resolve()));
    },
  };
}

function answer(
  wire: Wire,
  calls: Map<Id, UnaryCall>,
  id: Id,
  { method, params }: Message,
  handler: ConnectionHandler,
): void {
  const [text] = Array.isArray(params) ? (params as readonly unknown[]) : [];
  if (method !== METHOD) return refuse(wire, id, ErrorCode.methodNotFound, `there is no method ${method}`);
  if (typeof text !== "string")
    return refuse(wire, id, ErrorCode.invalidParams, "the parameter must be a string with one character per byte");
  if (calls.has(id)) return refuse(wire, id, ErrorCode.invalidRequest, "a request with this id is under way");
  const settled = (): void => {
    calls.delete(id);
    // No callback is called from inside `send`.
    queueMicrotask(() => call.end());
  };
  const call: UnaryCall = new UnaryCall({
    transport: wire.transport,
    handler,
    maxMessageBytes: MAX_BYTES,
    reply(message) {
      send(wire, { id, result: toText(message) });
      settled();
    },
    fail() {
      refuse(wire, id, ErrorCode.internal, "no reply");
      settled();
    },
  });
  calls.set(id, call);
  call.begin(Buffer.from(text, "latin1"));
}

function cancel(wire: Wire, calls: Map<Id, UnaryCall>, params: unknown): void {
  const { id, requestId = id } = (params ?? {}) as { readonly id?: Id; readonly requestId?: Id };
  const call = requestId === undefined ? undefined : calls.get(requestId);
  if (requestId === undefined || call === undefined) return;
  calls.delete(requestId);
  refuse(wire, requestId, ErrorCode.cancelled, "cancelled by the client");
  call.abandon();
}

/** Opens the client's end over a stream whose other side serves. */
export function openClient(wire: Wire, handler: ConnectionHandler): UnaryClient {
  const { transport } = wire;
  const waiting = new Map<Id, CallDone>();
  let nextId = 0;
  let failure: IpcError | undefined;
  const request = (method: string, params: readonly string[], done: CallDone): void => {
    const id = nextId++;
    waiting.set(id, done);
    send(wire, { id, method, params });
  };
  receive(
    wire,
    ({ id, method, result, error }) => {
      if (id === undefined) return;
      if (method !== undefined) return refuse(wire, id, ErrorCode.methodNotFound, "this client answers no requests");
      const done = waiting.get(id);
      waiting.delete(id);
      if (typeof result === "string") done?.(undefined, Buffer.from(result, "latin1"));
      else done?.(callError(transport, error), undefined);
    },
    (error) => {
      // The first error is the cause; later ones are its consequences.
      failure ??= error;
    },
  );
  const client = new UnaryClient({
    transport,
    handler,
    maxMessageBytes: MAX_BYTES,
    maxCalls: MAX_CALLS,
    call: (message, done) => request(METHOD, [toText(message)], done),
    confirm: (confirmed) => request(UNKNOWN_METHOD, [], () => confirmed()),
    release: () => wire.hangUp(),
  });
  wire.input.once("close", () => {
    const lost = new IpcError("IPC_PEER_LOST", `${transport}: the server hung up`, { transport });
    client.end(failure ?? (client.calls > 0 ? lost : undefined));
  });
  client.open();
  return client;
}

function callError(transport: string, error: Message["error"]): IpcError {
  if (error === undefined)
    return new IpcError("IPC_MALFORMED", `${transport}: the result is not a string`, { transport });
  const kind = error.code === ErrorCode.methodNotFound ? "IPC_UNKNOWN_METHOD" : "IPC_PEER_LOST";
  return new IpcError(kind, `${transport}: ${error.message} (${error.code})`, { transport });
}

function toText(message: Uint8Array): string {
  return asBuffer(message).toString("latin1");
}
