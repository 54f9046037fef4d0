/** Makes a candidate of a program that is not part of the harness. Its user writes the client; the rest is here. */
import type { Capabilities } from "../contract/capabilities.ts";
import { IpcError, toIpcError } from "../contract/errors.ts";
import { HEADER_BYTES, isFrame, Kind, readKind, readMethod, Status } from "../contract/frame.ts";
import type { EventTransport, OpenOptions, Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { checkOptions, withinLimit } from "../support/opening.ts";
import { type CallDone, UnaryClient } from "../support/unary.ts";
import {
  addressOf,
  placeOf,
  residueOf,
  type ServerAddress,
  type ServerPlace,
  socketPath,
  sweepAddress,
  whereOf,
} from "./address.ts";
import { startProgram } from "./program.ts";

/** One connection of the client that the user writes. */
export interface ServerClient {
  /**
   * Sends a request and resolves with its reply. At most `maxInFlight` requests (see the capabilities) are under way at
   * a time.
   *
   * @throws SyntaxError, RangeError, or an IpcError IPC_MALFORMED if the reply was wrong; any other error means that
   *   the connection is lost (IPC_PEER_LOST)
   */
  request(body: Uint8Array): Promise<Uint8Array>;
  /** Ends the connection; requests under way may fail. The harness does not wait for a promise that this returns. */
  close(): unknown;
  /** Resolves when the server has closed the connection; rejects if it was lost. If absent, the next request fails. */
  readonly closed?: Promise<unknown>;
}

/** Options of {@link existingServer}. */
export interface ExistingServer<Where extends ServerAddress> {
  /** Name in tables and for `--transport`: printable characters without spaces; not an id of ipcmark. */
  readonly id: string;
  /** Starts the server: a program and its arguments, without a shell. */
  readonly command: readonly string[] | ((address: Where) => readonly string[]);
  /** Variables added to the environment of the server, such as `{ PORT: "8080" }`. */
  readonly env?: Readonly<Record<string, string>> | ((address: Where) => Readonly<Record<string, string>>);
  /** Working directory of the server; default: where ipcmark was started. */
  readonly directory?: string;
  /** Returns a new address per server, since several run side by side. Default: `socketPath`; or `loopbackPort`. */
  readonly address?: (place: ServerPlace) => Where | Promise<Where>;
  /** Sign that the server is ready: a line of its output that matches, or (`connects`, default) a connection. */
  readonly ready?: RegExp | "connects";
  /** Default 10,000; at most 15,000. */
  readonly readyTimeoutMs?: number;
  /** Opens a connection. Rejects when nobody listens, unless the capabilities have `connects: "lazy"`. */
  connect(address: Where): ServerClient | Promise<ServerClient>;
  /** Returns true for a correct reply. Default: the reply must equal the request. */
  verify?(request: Uint8Array, reply: Uint8Array): boolean;
  /** Claims of the server. Default: one request in flight, 1 MiB, its death goes undetected. */
  readonly capabilities?: Partial<Capabilities>;
  /** True if open connections use CPU time even while nobody sends. */
  readonly activeWhenIdle?: true;
}

const READY_TIMEOUT_MS = 10_000;
const LONGEST_READY_MS = 15_000;
const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Makes a transport of a program with a protocol of its own. Checks and measurements start it as their server and send
 * through the user's client. Requests are arbitrary bytes. Methods that only the harness's own servers have are not
 * sent; they get the status `unknownMethod`.
 *
 * @throws TypeError for a field that is missing or wrong
 */
export function existingServer<Where extends ServerAddress = { readonly path: string }>(
  server: ExistingServer<Where>,
): Transport {
  refuseDefects(server);
  const { id, command, env, directory, ready = "connects", readyTimeoutMs = READY_TIMEOUT_MS } = server;
  const capabilities = capabilitiesOf(server);
  return {
    id,
    capabilities,
    ...(server.activeWhenIdle === true ? { activeWhenIdle: true } : {}),
    async probe() {
      return capabilities.platforms.includes(process.platform as "linux")
        ? { available: true, version: "a program of the user's" }
        : { available: false, reason: `its platforms are ${capabilities.platforms.join(", ")}` };
    },
    async allocate(place) {
      const where = server.address?.(placeOf(place)) ?? socketPath(placeOf(place));
      return addressOf(id, await where);
    },
    program: {
      async start(address, signal) {
        const where = whereOf(address) as Where;
        const parts = typeof command === "function" ? command(where) : command;
        if (!isCommand(parts)) throw unsupported(id, "command must return a list of texts, the program first");
        const settings = {
          id,
          command: parts,
          directory,
          env: (typeof env === "function" ? env(where) : env) ?? {},
          where,
          ready,
          readyTimeoutMs,
        };
        return startProgram(settings, signal);
      },
    },
    event: eventFace(server, capabilities),
    residue: residueOf,
    async sweep(address) {
      sweepAddress(address);
    },
  };
}

const PLATFORMS = ["linux", "darwin", "win32"] as const;

function capabilitiesOf<Where extends ServerAddress>({ capabilities = {} }: ExistingServer<Where>): Capabilities {
  const { packages: _packages, native: _native, ...rest } = streamCapabilities({});
  const claimed: Capabilities = {
    ...rest,
    patterns: ["request-reply"],
    boundaries: "library",
    maxMessageBytes: MAX_BODY_BYTES + HEADER_BYTES,
    maxInFlight: 1,
    backpressure: "outbox",
    peerLoss: "undetected",
    auth: [],
    // It is unknown whether the program runs on other systems.
    platforms: PLATFORMS.filter((platform) => platform === process.platform),
    languages: [],
    ...capabilities,
  };
  return { ...claimed, ordering: capabilities.ordering ?? (claimed.maxInFlight === 1 ? "fifo" : "none") };
}

function eventFace<Where extends ServerAddress>(
  server: ExistingServer<Where>,
  { maxMessageBytes, maxInFlight }: Capabilities,
): EventTransport {
  const { id } = server;
  const verify = server.verify?.bind(server) ?? isEcho;
  return {
    async listen() {
      throw unsupported(id, "its server is a program of the user's, which the harness starts");
    },
    async connect(address, handler, options) {
      checkOptions(id, options);
      const client = await opened(server, whereOf(address) as Where, options);
      const call = (frame: Uint8Array, done: CallDone): void => {
        if (readMethod(frame) !== ECHO) queueMicrotask(() => done(undefined, asReply(frame, Status.unknownMethod)));
        else
          void exchange(id, client, verify, frame).then(
            (reply) => done(undefined, reply),
            (error: IpcError) => done(error, undefined),
          );
      };
      const connection = new AdaptedClient({
        transport: id,
        handler,
        maxMessageBytes,
        maxCalls: maxInFlight,
        call: (message, done) => call(new Uint8Array(message), done),
        release: () => void (async () => client.close())().catch(() => undefined),
      });
      connection.open();
      client.closed?.then(
        () => connection.end(),
        (error: unknown) => connection.end(lost(id, error)),
      );
      return connection;
    },
  };
}

/** `Method.echo` of the harness. */
const ECHO = 0;

class AdaptedClient extends UnaryClient {
  override send(message: Uint8Array): boolean {
    if (isFrame(message) && readKind(message) === Kind.request) return super.send(message);
    throw new IpcError("IPC_UNSUPPORTED", "the server is a program of the user's: it takes requests and nothing else");
  }
}

async function opened<Where extends ServerAddress>(
  server: ExistingServer<Where>,
  where: Where,
  options: OpenOptions | undefined,
): Promise<ServerClient> {
  let isLate = false;
  const opening = (async () => server.connect(where))();
  void opening.then((client) => isLate && client.close()).catch(() => undefined);
  try {
    const client: Partial<ServerClient> | undefined = await withinLimit(server.id, options, opening, () => {
      isLate = true;
    });
    if (typeof client?.request === "function" && typeof client.close === "function") return client as ServerClient;
  } catch (error) {
    throw lost(server.id, error);
  }
  throw unsupported(server.id, "connect must give an object with the functions request and close");
}

type Verify = (request: Uint8Array, reply: Uint8Array) => boolean;

const isEcho: Verify = (request, reply) => Buffer.compare(request, reply) === 0;

/** Returns the frame of a verified reply, which the harness compares with the request. @throws IpcError */
async function exchange(id: string, client: ServerClient, verify: Verify, frame: Uint8Array): Promise<Uint8Array> {
  let reply: unknown;
  try {
    reply = await client.request(frame.subarray(HEADER_BYTES));
  } catch (error) {
    throw lost(id, error);
  }
  if (!(reply instanceof Uint8Array)) {
    const kind = reply === null ? "null" : typeof reply;
    throw wrong(id, `request() resolved with ${kind === "object" ? "an object" : kind} instead of a Uint8Array`);
  }
  let isRight: boolean;
  try {
    isRight = verify(frame.subarray(HEADER_BYTES), reply);
  } catch (error) {
    throw wrong(id, `verify threw ${(error as Error).message}`);
  }
  if (isRight) return asReply(frame, Status.ok);
  const sizes = `a reply of ${reply.length} bytes to a request of ${frame.length - HEADER_BYTES} bytes`;
  if (verify !== isEcho) throw wrong(id, `${sizes}, and verify returned false`);
  throw wrong(id, reply.length === frame.length - HEADER_BYTES ? `${sizes}, but not the same bytes` : sizes);
}

/** Makes a reply with the id and body of the request, and therefore with its checksum. */
function asReply(request: Uint8Array, status: Status): Uint8Array {
  request[4] = Kind.reply;
  request[6] = status;
  return request;
}

function wrong(id: string, what: string, cause?: unknown): IpcError {
  return new IpcError("IPC_MALFORMED", `${id} answered wrongly: ${what}`, { transport: id, cause });
}

const DEEPEST_CAUSE = 4;

/** Converts an error that the user's client threw. `fetch` and others wrap the error of the system. */
function lost(id: string, error: unknown): IpcError {
  if (error instanceof SyntaxError || error instanceof RangeError) return wrong(id, error.message, error);
  let inner = error;
  for (let depth = 0; depth < DEEPEST_CAUSE && inner instanceof Error && !("code" in inner); depth++) {
    if (inner.cause === undefined) break;
    inner = inner.cause;
  }
  return toIpcError(inner, id, "IPC_PEER_LOST");
}

function unsupported(id: string, what: string): IpcError {
  return new IpcError("IPC_UNSUPPORTED", `${id}: ${what}`, { transport: id });
}

function isCommand(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === "string") && value[0] !== "";
}

/** Checks options, which may come from plain JavaScript, before anything is started. */
function refuseDefects(server: Partial<Record<keyof ExistingServer<ServerAddress>, unknown>>): void {
  const { id, command, env, address, ready, readyTimeoutMs = READY_TIMEOUT_MS, connect, verify } = server ?? {};
  const isFunction = (value: unknown): boolean => typeof value === "function";
  const rules: readonly (readonly [holds: boolean, field: string, expected: string])[] = [
    [typeof id === "string" && id !== "", "id", "a text"],
    [isFunction(command) || isCommand(command), "command", "a list of texts, the program first, or a function"],
    [env === undefined || typeof env === "object" || isFunction(env), "env", "an object or a function"],
    [address === undefined || isFunction(address), "address", "a function"],
    [
      ready === undefined || ready === "connects" || ready instanceof RegExp,
      "ready",
      'a regular expression or "connects"',
    ],
    [
      typeof readyTimeoutMs === "number" && readyTimeoutMs > 0 && readyTimeoutMs <= LONGEST_READY_MS,
      "readyTimeoutMs",
      `more than 0 and at most ${LONGEST_READY_MS}`,
    ],
    [isFunction(connect), "connect", "a function"],
    [verify === undefined || isFunction(verify), "verify", "a function"],
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken !== undefined) throw new TypeError(`existingServer: ${broken[1]} must be ${broken[2]}`);
}
