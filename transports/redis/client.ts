import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, OpenOptions } from "../contract/transport.ts";
import { randomBytes } from "../support/crypto.ts";
import { checkOptions, withinLimit } from "../support/opening.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { type CallDone, UnaryClient } from "../support/unary.ts";
import { CLIENT_BYTES, Kind, unwrap, wrap } from "./envelope.ts";
import type { Lane, OpenLane } from "./lane.ts";

export const MAX_BYTES: number = UNBOUNDED_MESSAGE_BYTES;
export const MAX_CALLS = 256;
/** Name at which the server receives. */
export const REQUESTS = "requests";
const NUMBERS = 2 ** 32;

/** Returns the name at which a client receives. */
export function repliesOf(client: Uint8Array): string {
  return `replies:${Buffer.from(client).toString("hex")}`;
}

export async function connect(
  transport: string,
  openLane: OpenLane,
  address: Address,
  handler: ConnectionHandler,
  options?: OpenOptions,
): Promise<Connection> {
  checkOptions(transport, options);
  checkSocketPath(address.name, transport);
  const caller = new Caller(transport, handler);
  const opening = caller.open(openLane, address.name);
  return withinLimit(transport, options, opening, () => void opening.then((late) => late.end()).catch(() => undefined));
}

/** Makes calls through a lane, and matches replies to them. */
class Caller {
  readonly #transport: string;
  readonly #id = randomBytes(CLIENT_BYTES);
  readonly #calls = new Map<number, CallDone>();
  readonly #connection: UnaryClient;
  #lane: Lane | undefined;
  #number = 0;
  #confirmed: (() => void) | undefined;

  constructor(transport: string, handler: ConnectionHandler) {
    this.#transport = transport;
    this.#connection = new UnaryClient({
      transport,
      handler,
      maxMessageBytes: MAX_BYTES,
      maxCalls: MAX_CALLS,
      call: (message, done) => this.#call(message, done),
      confirm: (confirmed) => {
        this.#confirmed = confirmed;
        this.#send(wrap(this.#id, 0, Kind.question));
      },
      release: () => this.#lane?.close(),
    });
  }

  async open(openLane: OpenLane, path: string): Promise<UnaryClient> {
    this.#lane = await openLane({
      transport: this.#transport,
      path,
      side: "client",
      name: repliesOf(this.#id),
      take: (bytes) => this.#take(bytes),
      // Between calls the end of the broker is an orderly end, like an end of file on a socket.
      lost: (error) => this.#connection.end(this.#connection.calls > 0 ? error : undefined),
    });
    this.#connection.open();
    return this.#connection;
  }

  #call(message: Uint8Array, done: CallDone): void {
    this.#number = (this.#number + 1) % NUMBERS;
    this.#calls.set(this.#number, done);
    this.#send(wrap(this.#id, this.#number, Kind.message, message));
  }

  #send(bytes: Buffer): void {
    // The lane reports a lost broker. An error reply of a live broker ends the connection here.
    this.#lane?.send(REQUESTS, bytes).catch((error) => this.#connection.end(failed(this.#transport, error)));
  }

  #take(bytes: Buffer): void {
    const envelope = unwrap(bytes);
    if (envelope?.kind === Kind.answer) return this.#confirmed?.();
    const done = this.#calls.get(envelope?.number ?? -1);
    if (envelope === undefined || done === undefined) return;
    this.#calls.delete(envelope.number);
    if (envelope.kind === Kind.message) return done(undefined, envelope.message);
    const message = `${this.#transport}: the server ended the call without a reply`;
    done(new IpcError("IPC_PEER_LOST", message, { transport: this.#transport }), undefined);
  }
}

function failed(transport: string, error: unknown): IpcError {
  const text = error instanceof Error ? error.message : String(error);
  return new IpcError("IPC_PEER_LOST", `${transport}: the broker took no request: ${text}`, {
    transport,
    cause: error,
  });
}
