/**
 * Transports that are broken on purpose: `unix` with exactly one fault each. They are a fixture, loaded by path like a
 * user's own module. With each fault a check fails, and a measurement is invalid.
 * The ids are `faulty/<name>`; `faulty/none` has no fault and must pass everything.
 */
import { chmodSync, lstatSync, unlinkSync, writeFileSync } from "node:fs";
import type { Address, Connection, Transport } from "../../transports/contract/transport.ts";
import { unix } from "../../transports/sockets/unix.ts";
import { type Fault, type Send, type Tap, withFault } from "./tapped.ts";

/** Number of messages per fault: so many that warm-ups and short exchanges look healthy. */
const EVERY = 1000;
const RELEASE_MS = 5;
const CUT_BYTES = 50_000;
const LARGE_BYTES = 100_000;
const TINY_BYTES = 20;

/** Makes a fault of both sides. */
function onBothSides(tapOf: (inner: Connection) => Tap): Pick<Fault, "client" | "server"> {
  return { client: tapOf, server: tapOf };
}

/** Makes a fault of sending; `wrap` gets the true `send` of a connection, once per connection. */
function onSend(wrap: (send: Send) => Send): Pick<Fault, "client" | "server"> {
  return onBothSides((inner) => ({ send: wrap((message) => inner.send(message)) }));
}

/** Applies `spoil` to every thousandth message taken; the others are sent unchanged. */
function everyThousandth(spoil: (message: Uint8Array, send: Send) => boolean): Pick<Fault, "client" | "server"> {
  return onSend((send) => {
    let taken = 0;
    return (message) => {
      const accepted = (taken + 1) % EVERY === 0 ? spoil(message, send) : send(message);
      if (accepted) taken += 1;
      return accepted;
    };
  });
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

/** Keeps the first of several such sends in one turn by reference, and sends it when the turn is over. */
function keepsBuffer(send: Send, isKept: (bytes: number) => boolean): Send {
  let held: Uint8Array | undefined;
  return (message) => {
    if (held !== undefined || !isKept(message.length)) return send(message);
    held = message;
    setImmediate(() => {
      const late = held;
      held = undefined;
      try {
        if (late !== undefined) send(late);
      } catch {
        // The connection was closed meanwhile.
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
  drop: { about: "every 1000th message is lost", ...everyThousandth(() => true) },
  corrupt: {
    about: "one bit of every 1000th message is flipped",
    ...everyThousandth((message, send) => send(corrupted(message))),
  },
  reorder: { about: "every 1000th message is overtaken by the next", ...onSend(reorder) },
  duplicate: { about: "every 1000th message arrives twice", ...everyThousandth(twice) },
  truncate: {
    about: "a message above 50,000 bytes is silently cut",
    ...onSend((send) => (message) => {
      const cut = message.length > CUT_BYTES && message.length <= unix.capabilities.maxMessageBytes;
      return send(cut ? message.subarray(0, CUT_BYTES) : message);
    }),
  },
  "keeps-buffer": {
    about: "send reads the caller's buffer after it has returned",
    ...onSend((send) => keepsBuffer(send, (bytes) => bytes <= CUT_BYTES)),
  },
  "keeps-large-buffer": {
    about: "send reads the caller's buffer later if the message is large",
    ...onSend((send) => keepsBuffer(send, (bytes) => bytes > LARGE_BYTES)),
  },
  "keeps-tiny-buffer": {
    about: "send reads the caller's buffer later if the message is tiny",
    ...onSend((send) => keepsBuffer(send, (bytes) => bytes < TINY_BYTES)),
  },
  "calls-inside-send": {
    about: "onWritable is called from inside every tenth send",
    ...onBothSides(() => {
      let number = 0;
      return {
        send(message, send, writable) {
          number += 1;
          if (number % 10 === 0) writable();
          return send(message);
        },
      };
    }),
  },
  "never-full": { about: "send queues without end instead of refusing", ...onSend(neverFull) },
  "ignores-pause": { about: "messages go on coming after pause", ...onBothSides(() => ({ pause() {} })) },
  "never-closes": {
    about: "close never settles",
    ...onBothSides(() => ({ close: () => new Promise(() => undefined) })),
  },
  "closes-twice": {
    about: "onClose is called twice",
    ...onBothSides(() => ({
      closed(error, tell) {
        tell(error);
        tell(error);
      },
    })),
  },
  "loses-the-end": { about: "onClose is never called", ...onBothSides(() => ({ closed() {} })) },
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
    async residue(address) {
      const left = lstatSync(leftover(address), { throwIfNoEntry: false });
      const held = await unix.residue(address);
      return left === undefined ? held : [...held, { kind: "path", name: leftover(address), mode: left.mode & 0o777 }];
    },
    async sweep(address) {
      await unix.sweep(address);
      if (lstatSync(leftover(address), { throwIfNoEntry: false }) !== undefined) unlinkSync(leftover(address));
    },
  },
};

const faulty: readonly Transport[] = Object.entries(FAULTS).map(([name, fault]) =>
  withFault(unix, `faulty/${name}`, fault),
);
export default faulty;
