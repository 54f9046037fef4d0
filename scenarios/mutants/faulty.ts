/**
 * Transports that are broken on purpose: `unix` with exactly one fault each. They are a fixture, loaded by path like a
 * user's own module: the checks object to each fault, and a measurement through it is invalid.
 * The ids are `faulty/<name>`; `faulty/none` has no fault and must pass everything.
 */
import { chmodSync, lstatSync, unlinkSync, writeFileSync } from "node:fs";
import type { IpcError } from "../../transports/contract/errors.ts";
import type {
  Address,
  Connection,
  ConnectionHandler,
  EventTransport,
  Server,
  Transport,
} from "../../transports/contract/transport.ts";
import { unix } from "../../transports/sockets/unix.ts";

/** Rare enough that warm-ups and short exchanges look healthy. */
const EVERY = 1000;
const RELEASE_MS = 5;
const CUT_BYTES = 50_000;

type Send = (message: Uint8Array) => boolean;

interface Fault {
  /** The fault as a sentence. */
  readonly about: string;
  /** Called once per connection; gets the true `send`, and the connection and handler as their user sees them. */
  readonly send?: (send: Send, connection: Connection, handler: ConnectionHandler) => Send;
  readonly connection?: (inner: Connection) => Partial<Pick<Connection, "pause" | "resume" | "close">>;
  readonly handler?: (handler: ConnectionHandler) => Partial<ConnectionHandler>;
  readonly listen?: (inner: EventTransport, ...args: Parameters<EventTransport["listen"]>) => Promise<Server>;
  readonly transport?: Partial<Pick<Transport, "residue" | "sweep">>;
}

/** Applies `spoil` to every thousandth message taken and leaves the others alone. */
function everyThousandth(spoil: (message: Uint8Array, send: Send) => boolean): NonNullable<Fault["send"]> {
  return (send) => {
    let taken = 0;
    return (message) => {
      const accepted = (taken + 1) % EVERY === 0 ? spoil(message, send) : send(message);
      if (accepted) taken += 1;
      return accepted;
    };
  };
}

function twice(message: Uint8Array, send: Send): boolean {
  const taken = send(message);
  if (taken) send(message);
  return taken;
}

function corrupted(message: Uint8Array): Uint8Array {
  const copy = message.slice();
  const last = copy.length - 1;
  if (last >= 0) copy[last] = (copy[last] as number) ^ 1;
  return copy;
}

/** Keeps one message back until another has overtaken it, or a moment has passed. */
function reorder(send: Send): Send {
  let taken = 0;
  let held: Uint8Array | undefined;
  const release = (): void => {
    const message = held;
    held = undefined;
    if (message !== undefined) send(message);
  };
  return (message) => {
    if ((taken + 1) % EVERY === 0) {
      taken += 1;
      held = message.slice();
      setTimeout(release, RELEASE_MS);
      return true;
    }
    if (!send(message)) return false;
    taken += 1;
    release();
    return true;
  };
}

/** An endless queue: refused messages are kept and retried every millisecond. */
function neverFull(send: Send): Send {
  const queue: Uint8Array[] = [];
  const drain = (): void => {
    try {
      while (queue[0] !== undefined && send(queue[0])) queue.shift();
    } catch {
      queue.length = 0;
    }
    if (queue.length > 0) setTimeout(drain, 1);
  };
  return (message) => {
    if (queue.length === 0 && send(message)) return true;
    queue.push(message.slice());
    if (queue.length === 1) setTimeout(drain, 1);
    return true;
  };
}

/** Keeps the first of several sends in one turn by reference, and sends it when the turn is over. */
function keepsBuffer(send: Send): Send {
  let held: Uint8Array | undefined;
  return (message) => {
    if (held !== undefined || message.length > CUT_BYTES) return send(message);
    held = message;
    setImmediate(() => {
      const late = held;
      held = undefined;
      try {
        if (late !== undefined) send(late);
      } catch {
        // Closed in the meantime.
      }
    });
    return true;
  };
}

function leftover(address: Address): string {
  return `${address.name}.left`;
}

export const FAULTS: Readonly<Record<string, Fault>> = {
  none: { about: "nothing is wrong" },
  drop: { about: "every 1000th message is lost", send: everyThousandth(() => true) },
  corrupt: {
    about: "one bit of every 1000th message is flipped",
    send: everyThousandth((message, send) => send(corrupted(message))),
  },
  reorder: { about: "every 1000th message is overtaken by the next", send: reorder },
  duplicate: {
    about: "every 1000th message arrives twice",
    send: everyThousandth(twice),
  },
  truncate: {
    about: "a message above 50,000 bytes is silently cut",
    send: (send) => (message) => {
      const cut = message.length > CUT_BYTES && message.length <= unix.capabilities.maxMessageBytes;
      return send(cut ? message.subarray(0, CUT_BYTES) : message);
    },
  },
  "keeps-buffer": {
    about: "send reads the caller's buffer after it has returned",
    send: keepsBuffer,
  },
  "calls-inside-send": {
    about: "onWritable is called from inside every tenth send",
    send: (send, connection, handler) => {
      let number = 0;
      return (message) => {
        number += 1;
        if (number % 10 === 0) handler.onWritable(connection);
        return send(message);
      };
    },
  },
  "never-full": { about: "send queues without end instead of refusing", send: neverFull },
  "ignores-pause": { about: "messages go on coming after pause", connection: () => ({ pause() {}, resume() {} }) },
  "never-closes": { about: "close never settles", connection: () => ({ close: () => new Promise(() => undefined) }) },
  "closes-twice": {
    about: "onClose is called twice",
    handler: (handler) => ({
      onClose(connection, error) {
        handler.onClose(connection, error);
        handler.onClose(connection, error);
      },
    }),
  },
  "loses-the-end": { about: "onClose is never called", handler: () => ({ onClose() {} }) },
  evicts: {
    about: "listen takes the path away from its owner",
    listen(inner, address, handler, options) {
      if (lstatSync(address.name, { throwIfNoEntry: false }) !== undefined) unlinkSync(address.name);
      return inner.listen(address, handler, options);
    },
  },
  "open-to-all": {
    about: "the socket has mode 0666",
    async listen(inner, address, handler, options) {
      const server = await inner.listen(address, handler, options);
      chmodSync(address.name, 0o666);
      return server;
    },
  },
  "leaves-a-path": {
    about: "a file stays behind after an orderly end",
    async listen(inner, address, handler, options) {
      const server = await inner.listen(address, handler, options);
      writeFileSync(leftover(address), "", { mode: 0o600 });
      return server;
    },
    transport: {
      async residue(address) {
        const left = lstatSync(leftover(address), { throwIfNoEntry: false });
        const held = await unix.residue(address);
        return left === undefined
          ? held
          : [...held, { kind: "path", name: leftover(address), mode: left.mode & 0o777 }];
      },
      async sweep(address) {
        await unix.sweep(address);
        if (lstatSync(leftover(address), { throwIfNoEntry: false }) !== undefined) unlinkSync(leftover(address));
      },
    },
  },
};

class FaultyConnection implements Connection {
  readonly #inner: Connection;
  readonly #changed: ReturnType<NonNullable<Fault["connection"]>>;
  readonly #send: Send;

  constructor(inner: Connection, handler: ConnectionHandler, fault: Fault) {
    this.#inner = inner;
    this.#changed = fault.connection?.(inner) ?? {};
    const send: Send = (message) => inner.send(message);
    this.#send = fault.send?.(send, this, handler) ?? send;
  }

  send(message: Uint8Array): boolean {
    return this.#send(message);
  }

  pause(): void {
    if (this.#changed.pause === undefined) this.#inner.pause();
    else this.#changed.pause();
  }

  resume(): void {
    if (this.#changed.resume === undefined) this.#inner.resume();
    else this.#changed.resume();
  }

  close(timeoutMs?: number): Promise<void> {
    return this.#changed.close === undefined ? this.#inner.close(timeoutMs) : this.#changed.close(timeoutMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Passes the faulty connection to the user wherever the mechanism passes the true one. */
class FaultyHandler implements ConnectionHandler {
  readonly #handler: ConnectionHandler;
  readonly #fault: Fault;
  readonly #outer = new WeakMap<Connection, FaultyConnection>();
  readonly #changed: Partial<ConnectionHandler>;

  constructor(handler: ConnectionHandler, fault: Fault) {
    this.#handler = handler;
    this.#fault = fault;
    this.#changed = fault.handler?.(handler) ?? {};
  }

  outer(inner: Connection): FaultyConnection {
    let outer = this.#outer.get(inner);
    if (outer === undefined) {
      outer = new FaultyConnection(inner, this.#handler, this.#fault);
      this.#outer.set(inner, outer);
    }
    return outer;
  }

  onOpen(inner: Connection): void {
    this.#handler.onOpen(this.outer(inner));
  }

  onMessage(message: Uint8Array, inner: Connection): void {
    this.#handler.onMessage(message, this.outer(inner));
  }

  onWritable(inner: Connection): void {
    this.#handler.onWritable(this.outer(inner));
  }

  onClose(inner: Connection, error?: IpcError): void {
    const { onClose } = this.#changed;
    if (onClose === undefined) this.#handler.onClose(this.outer(inner), error);
    else onClose(this.outer(inner), error);
  }
}

/** Returns `inner` with one fault. */
function spoil(inner: Transport, name: string, fault: Fault): Transport {
  const { event } = inner;
  if (event === undefined) throw new TypeError(`${inner.id} has no event face to spoil`);
  const id = `faulty/${name}`;
  const listen = fault.listen ?? ((face, ...args) => face.listen(...args));
  // The fault is in this code; a server in another language would not have it.
  const { peers: _peers, ...rest } = inner;
  return {
    ...rest,
    ...fault.transport,
    id,
    allocate: async (place) => ({ ...(await inner.allocate(place)), transport: id }),
    event: {
      listen: (address, handler, options) => listen(event, address, new FaultyHandler(handler, fault), options),
      async connect(address, handler, options) {
        const wrapped = new FaultyHandler(handler, fault);
        return wrapped.outer(await event.connect(address, wrapped, options));
      },
    },
  };
}

const faulty: readonly Transport[] = Object.entries(FAULTS).map(([name, fault]) => spoil(unix, name, fault));
export default faulty;
