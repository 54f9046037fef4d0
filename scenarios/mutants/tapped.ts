import type { Capabilities } from "../../transports/contract/capabilities.ts";
import type { IpcError } from "../../transports/contract/errors.ts";
import type {
  BlockingTransport,
  Connection,
  ConnectionHandler,
  EventTransport,
  Server,
  Transport,
} from "../../transports/contract/transport.ts";

export type Send = (message: Uint8Array) => boolean;

/** Hooks between a connection and its user, on one side. Each hook gets the original call and may omit it. */
export interface Tap {
  readonly send?: (message: Uint8Array, send: Send, writable: () => void) => boolean;
  readonly receive?: (message: Uint8Array, deliver: (message: Uint8Array) => void) => void;
  readonly closed?: (
    error: IpcError | undefined,
    tell: (error?: IpcError) => void,
    deliver: (message: Uint8Array) => void,
  ) => void;
  readonly close?: (timeoutMs: number | undefined, close: (timeoutMs?: number) => Promise<void>) => Promise<void>;
  readonly pause?: () => void;
}

/** Hooks and claims that make a transport wrong. */
export interface Fault {
  /** Describes the fault; completes "a transport that …". */
  readonly about: string;
  readonly capabilities?: Partial<Capabilities>;
  readonly client?: (inner: Connection) => Tap;
  readonly server?: (inner: Connection) => Tap;
  readonly listen?: (face: EventTransport, ...args: Parameters<EventTransport["listen"]>) => Promise<Server>;
  readonly connect?: (face: EventTransport, ...args: Parameters<EventTransport["connect"]>) => Promise<Connection>;
  /** Replaces the blocking face; without this the transport has none. */
  readonly blocking?: (face: BlockingTransport) => BlockingTransport;
  readonly residue?: Transport["residue"];
  readonly sweep?: Transport["sweep"];
  readonly peers?: NonNullable<Transport["peers"]>;
}

class TappedConnection implements Connection {
  readonly #inner: Connection;
  readonly #tap: Tap;
  readonly #handler: ConnectionHandler;

  constructor(inner: Connection, tap: Tap, handler: ConnectionHandler) {
    this.#inner = inner;
    this.#tap = tap;
    this.#handler = handler;
  }

  send(message: Uint8Array): boolean {
    const send: Send = (bytes) => this.#inner.send(bytes);
    return this.#tap.send === undefined
      ? send(message)
      : this.#tap.send(message, send, () => this.#handler.onWritable(this));
  }

  pause(): void {
    if (this.#tap.pause === undefined) this.#inner.pause();
    else this.#tap.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  close(timeoutMs?: number): Promise<void> {
    const close = (limitMs?: number): Promise<void> => this.#inner.close(limitMs);
    return this.#tap.close === undefined ? close(timeoutMs) : this.#tap.close(timeoutMs, close);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class TappedHandler implements ConnectionHandler {
  readonly #handler: ConnectionHandler;
  readonly #tapFor: (inner: Connection) => Tap;
  readonly #known = new WeakMap<Connection, { readonly outer: TappedConnection; readonly tap: Tap }>();

  constructor(handler: ConnectionHandler, tapFor: (inner: Connection) => Tap = () => ({})) {
    this.#handler = handler;
    this.#tapFor = tapFor;
  }

  of(inner: Connection): { readonly outer: TappedConnection; readonly tap: Tap } {
    let known = this.#known.get(inner);
    if (known === undefined) {
      const tap = this.#tapFor(inner);
      known = { outer: new TappedConnection(inner, tap, this.#handler), tap };
      this.#known.set(inner, known);
    }
    return known;
  }

  onOpen(inner: Connection): void {
    this.#handler.onOpen(this.of(inner).outer);
  }

  onMessage(message: Uint8Array, inner: Connection): void {
    const { outer, tap } = this.of(inner);
    const deliver = (bytes: Uint8Array): void => this.#handler.onMessage(bytes, outer);
    if (tap.receive === undefined) deliver(message);
    else tap.receive(message, deliver);
  }

  onWritable(inner: Connection): void {
    this.#handler.onWritable(this.of(inner).outer);
  }

  onClose(inner: Connection, error?: IpcError): void {
    const { outer, tap } = this.of(inner);
    const tell = (told?: IpcError): void => this.#handler.onClose(outer, told);
    if (tap.closed === undefined) tell(error);
    else tap.closed(error, tell, (message) => this.#handler.onMessage(message, outer));
  }
}

/** Wraps `launch`; the launching side counts as the client. */
function launching(launch: NonNullable<EventTransport["launch"]>, { client }: Fault): Pick<EventTransport, "launch"> {
  return {
    async launch(command, handler, options) {
      const tapped = new TappedHandler(handler, client);
      const peer = await launch(command, tapped, options);
      return { ...peer, connection: tapped.of(peer.connection).outer };
    },
  };
}

function launchedRawClients(
  launchRaw: NonNullable<Transport["launchRaw"]>,
  { client }: Fault,
): Pick<Transport, "launchRaw"> {
  return { launchRaw: (handler) => launchRaw(new TappedHandler(handler, client)) };
}

/** Returns `inner` with this fault, under an id of its own. */
export function withFault(inner: Transport, id: string, fault: Fault): Transport {
  // A server in another language would not have the fault, which is in this code.
  const { blocking, peers: _peers, clients: _clients, ...rest } = inner;
  const face = inner.event;
  if (face === undefined) throw new TypeError(`${inner.id} has no event face to spoil`);
  const listen = fault.listen ?? ((event, ...args) => event.listen(...args));
  const connect = fault.connect ?? ((event, ...args) => event.connect(...args));
  return {
    ...rest,
    id,
    capabilities: { ...inner.capabilities, modes: ["event"], ...fault.capabilities },
    ...(fault.blocking === undefined || blocking === undefined ? {} : { blocking: fault.blocking(blocking) }),
    allocate: async (place) => ({ ...(await inner.allocate(place)), transport: id }),
    ...(fault.residue === undefined ? {} : { residue: fault.residue }),
    ...(fault.sweep === undefined ? {} : { sweep: fault.sweep }),
    ...(fault.peers === undefined ? {} : { peers: fault.peers }),
    ...(inner.launchRaw === undefined ? {} : launchedRawClients(inner.launchRaw, fault)),
    event: {
      ...(face.launch === undefined ? {} : launching(face.launch, fault)),
      listen(address, handler, options) {
        return listen(face, address, new TappedHandler(handler, fault.server), options);
      },
      async connect(address, handler, options) {
        const tapped = new TappedHandler(handler, fault.client);
        return tapped.of(await connect(face, address, tapped, options)).outer;
      },
    },
  };
}
