import type { Transport } from "../../../transports/contract/transport.ts";
import { BEAT_MS, BlockedServer } from "../../process/blocked.ts";
import { ControlError } from "../../process/mailbox.ts";
import type { FromDriver } from "../../process/messages.ts";
import { type RunningPeer, USAGE_TIMEOUT_MS } from "../peers/running-peer.ts";

/** Time between two questions to a server, ms. Most checks are over before the first. */
const ASK_MS = 1000;

/** Sends `alive` with every few turns of the event loop, until the process ends. */
export function startBeating(send: (message: FromDriver) => void): void {
  send({ type: "alive" });
  setInterval(() => send({ type: "alive" }), BEAT_MS).unref();
}

/**
 * Returns the transport with calls that are reported before they begin and when they have returned, so that the
 * coordinator can name the one that blocks. Its connections are the same objects as before.
 */
export function reportCalls(transport: Transport, send: (message: FromDriver) => void): Transport {
  const { event, blocking } = transport;
  const own: PropertyDescriptorMap = {
    ...(event === undefined ? {} : { event: { value: reported(event, send), enumerable: true } }),
    ...(blocking === undefined ? {} : { blocking: { value: reported(blocking, send), enumerable: true } }),
  };
  return Object.create(reported(transport, send), own);
}

const CALLS = ["allocate", "listen", "connect", "launch", "connectRaw", "launchRaw", "residue", "sweep"];

function reported<Face extends object>(face: Face, send: (message: FromDriver) => void): Face {
  const members = face as Readonly<Record<string, unknown>>;
  const own: PropertyDescriptorMap = {};
  for (const name of CALLS) {
    const call = members[name];
    if (typeof call !== "function") continue;
    const value = (...args: readonly unknown[]): unknown => {
      send({ type: "alive", call: `${name}()` });
      try {
        return call.apply(face, args);
      } finally {
        send({ type: "alive" });
      }
    };
    own[name] = { value, enumerable: true };
  }
  return Object.create(face, own);
}

/** Asks the servers of a check from time to time, and finds the one that does not answer. */
export class ServerWatch {
  /** Rejects with a BlockedServer; never resolves. */
  readonly blocked: Promise<never>;
  readonly #servers: ReadonlySet<RunningPeer>;
  readonly #asked = new Map<RunningPeer, Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  readonly #reject: (error: BlockedServer) => void;
  #found: BlockedServer | undefined;

  /** @param servers servers that must answer at any time; the owner removes those that it stops */
  constructor(servers: ReadonlySet<RunningPeer>) {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.blocked = promise;
    this.#reject = reject;
    this.#servers = servers;
    this.#timer = setInterval(() => this.#askAll(), ASK_MS);
  }

  /** Stops asking, waits for the answers that are due, and returns what was found. */
  async end(): Promise<BlockedServer | undefined> {
    clearInterval(this.#timer);
    await Promise.all([...this.#asked].filter(([server]) => this.#servers.has(server)).map(([, answer]) => answer));
    return this.#found;
  }

  #askAll(): void {
    for (const server of this.#servers) {
      if (!this.#asked.has(server)) this.#asked.set(server, this.#ask(server));
    }
  }

  async #ask(server: RunningPeer): Promise<void> {
    try {
      await server.usage();
    } catch (error) {
      if (!(error instanceof ControlError && error.late && this.#servers.has(server))) return;
      const seconds = USAGE_TIMEOUT_MS / 1000;
      this.#found = new BlockedServer(`the server blocks its thread: it has read no control line for ${seconds} s`);
      this.#reject(this.#found);
    } finally {
      this.#asked.delete(server);
    }
  }
}
