import { spawnSync } from "node:child_process";
import { closeSync } from "node:fs";
import { join } from "node:path";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, isIpcError } from "../contract/errors.ts";
import type {
  Address,
  BlockingConnection,
  BlockingServer,
  BlockingTransport,
  Transport,
} from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { distinctName } from "../support/distinct-name.ts";
import { checkOptions } from "../support/opening.ts";
import { lockResidue, sweepLocks } from "../support/path-lock.ts";
import { withPathLockWaiting } from "../support/path-lock-wait.ts";
import { SyncStream, sleepSync } from "../support/sync-stream.ts";
import { listNames, mkfifoAvailability, removeAll } from "./fifo-names.ts";
import { connectPair, FifoDoor, type FifoPair } from "./fifo-opening.ts";
import { FifoSource } from "./fifo-source.ts";

const ID = "fifo/sync";
/** Pause between two looks for a first client, ms. */
const LOOK_MS = 2;
/** Longest wait for a message between two looks for newcomers, who are refused, ms. */
const SLICE_MS = 100;

const CONNECT_LIMIT_MS = 2000;
const CONNECTS = `
  const socket = require("node:net").connect(process.argv[1]);
  socket.on("connect", () => process.exit(0)).on("error", () => process.exit(1));`;

/**
 * Asks another process, since Node connects only in an event loop. That takes about 30 ms, and is needed only if two
 * servers start at once, or one was killed while it started.
 */
function isAnswered(socket: string): boolean {
  const seenByAll = socket.replace("/proc/self/", `/proc/${process.pid}/`);
  const options = { stdio: "ignore", timeout: CONNECT_LIMIT_MS } as const;
  return spawnSync(process.execPath, ["-e", CONNECTS, seenByAll], options).status !== 1;
}

function withPathLock<T>(path: string, transport: string, work: () => T): T {
  return withPathLockWaiting(path, transport, work, isAnswered);
}

function streamOver({ input, output }: FifoPair): SyncStream {
  return new SyncStream({
    transport: ID,
    maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
    source: new FifoSource(input),
    output,
    spins: false,
    close: () => closeSync(output),
  });
}

/** Server of one client at a time: without `poll`, a thread can wait for one descriptor only. */
class FifoSyncServer implements BlockingServer {
  readonly address: Address;
  readonly #door: FifoDoor;
  #client: SyncStream | undefined;
  #from: BlockingConnection | undefined;
  #isOpen = true;

  constructor(address: Address) {
    this.address = address;
    this.#door = new FifoDoor(ID, address.name, withPathLock);
  }

  get from(): BlockingConnection | undefined {
    return this.#from;
  }

  get connections(): readonly BlockingConnection[] {
    return this.#client === undefined ? [] : [this.#client];
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    if (!this.#isOpen) throw new IpcError("IPC_CLOSED", `${ID}: this end is closed`, { transport: ID });
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      const leftMs = Math.max(0, untilMs - performance.now());
      const length =
        this.#client === undefined ? -1 : this.#receiveFrom(this.#client, into, Math.min(leftMs, SLICE_MS));
      if (length >= 0) return length;
      const pair = this.#door.accept(this.#client !== undefined);
      if (pair !== undefined) this.#client = streamOver(pair);
      else if (performance.now() >= untilMs) return -1;
      else if (this.#client === undefined) sleepSync(Math.min(LOOK_MS, leftMs));
    }
  }

  /** Forgets a client that is gone or sends no messages. */
  #receiveFrom(client: SyncStream, into: Uint8Array, timeoutMs: number): number {
    try {
      const length = client.receive(into, timeoutMs);
      if (length >= 0) this.#from = client;
      return length;
    } catch (error) {
      if (!isIpcError(error) || error.code === "IPC_TOO_LARGE") throw error;
      client[Symbol.dispose]();
      this.#client = undefined;
      return -1;
    }
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#client?.[Symbol.dispose]();
    this.#door.close();
  }
}

const blocking: BlockingTransport = {
  listen(address, options) {
    checkOptions(ID, options);
    return new FifoSyncServer(address);
  },

  connect(address, timeoutMs, options) {
    checkOptions(ID, options);
    return streamOver(connectPair(ID, address.name, timeoutMs));
  },
};

/** FIFOs with `readSync` and `writeSync`, without native code: for APIs whose functions return the reply. */
export const fifoSync: Transport = {
  id: ID,
  capabilities: streamCapabilities({
    modes: ["blocking"],
    maxClients: 1,
    platforms: ["linux"],
    languages: ["any"],
  }),
  async probe() {
    if (process.platform !== "linux") return { available: false, reason: "it needs /proc/self/fd of Linux; use stdio" };
    const found = await mkfifoAvailability();
    return found.available ? { ...found, version: `${found.version}, node ${process.versions.node}` } : found;
  },
  async allocate(place) {
    return { transport: ID, name: join(place.directory, `fifo-${distinctName()}`) };
  },
  blocking,
  async residue(address) {
    return [...listNames(address.name), ...lockResidue(address.name)];
  },
  async sweep(address) {
    removeAll(address.name);
    await sweepLocks(address.name);
  },
};
