import { BroadcastChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { isIpcError } from "../contract/errors.ts";
import type { Address, BlockingConnection, BlockingServer, BlockingTransport } from "../contract/transport.ts";
import { SLICE_MS } from "../posix/slice.ts";
import { distinctName } from "../support/distinct-name.ts";
import { checkOptions } from "../support/opening.ts";
import { sleepSync } from "../support/sync-stream.ts";
import { failure, ID, RING_BYTES } from "./atomics-connection.ts";
import { type Memory, Pair, pairBytes, replyRegion, requestRegion } from "./layout.ts";
import { Parker, ParkReason } from "./parker.ts";
import { SLOW_PATH } from "./ring.ts";
import { RingConnection } from "./ring-connection.ts";

const MAX_CLIENTS = 32;
/** Time between two looks for newcomers while there is no client, ms; otherwise a slice of the wait. */
const LONELY_MS = 10;
/** Messages received without a pause after which the server looks for newcomers all the same. */
const BUSY_RECEIVES = 4096;
/** Pause of a client between two looks for the reply of the server, ms. */
const LOOK_MS = 1;
/** Word of the server's memory on which it sleeps. */
const REST_WORD = 0;
const REST_BYTES = 64;

/** Message of a client: its memory. The server replies on the same channel with its own, or null when it is full. */
interface Knock {
  readonly from: string;
  readonly memory: SharedArrayBuffer;
}
interface Reply {
  readonly to: string;
  readonly rest: SharedArrayBuffer | null;
  /** Reason for which the server waits for room in the ring of this client. */
  readonly room: number;
}

/** Waits in `Atomics.wait`, in which a thread of Node may sleep, the main one too. */
function parkerOn(words: Int32Array, word: number): Parker {
  const sleep = (reason: number, timeoutMs: number): void => void Atomics.wait(words, word, reason, timeoutMs);
  return new Parker(words, word, { sleeper: { sleep, wake: () => void Atomics.notify(words, word) }, close() {} });
}

const memoryOf = (memory: SharedArrayBuffer): Memory => ({
  bytes: new Uint8Array(memory),
  words: new Int32Array(memory),
});

/** Opens the channel of a server. It has no listener: each side takes its messages when it looks. */
const channelOf = (name: string): BroadcastChannel => new BroadcastChannel(`ipcmark-${ID}-${name}`);

/** Returns the next message of a channel. The types of Node allow only a port here, Node itself a channel too. */
const nextOf = (channel: BroadcastChannel): { message: unknown } | undefined =>
  receiveMessageOnPort(channel as unknown as MessagePort);

const words = (memory: SharedArrayBuffer): Int32Array => new Int32Array(memory);

/** Server of one thread. It takes newcomers while it waits for messages. */
class AtomicsServer implements BlockingServer {
  readonly address: Address;
  readonly #channel: BroadcastChannel;
  readonly #rest = new SharedArrayBuffer(REST_BYTES);
  readonly #own = parkerOn(words(this.#rest), REST_WORD);
  #links: RingConnection[] = [];
  /** Reason of the newest client, see {@link Reply}. */
  #room: number = ParkReason.room;
  #turn = 0;
  #receives = 0;
  #from: RingConnection | undefined;
  #isOpen = true;

  constructor(address: Address) {
    this.address = address;
    this.#channel = channelOf(address.name);
  }

  get from(): BlockingConnection | undefined {
    return this.#from;
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    if (!this.#isOpen) throw failure("IPC_CLOSED", "this end is closed");
    if (++this.#receives >= BUSY_RECEIVES) this.#housekeep();
    let found = this.#tryReceive(into);
    if (found < 0 && timeoutMs >= SLICE_MS && this.#links.length > 0) {
      // The clock is read only after an empty slice.
      this.#own.waitFor(this, ParkReason.data, SLICE_MS);
      found = this.#tryReceive(into);
    }
    if (found >= 0) return found;
    const untilMs = performance.now() + timeoutMs;
    for (let leftMs = timeoutMs; ; leftMs = untilMs - performance.now()) {
      if (leftMs > 0) {
        const sliceMs = this.#links.length === 0 ? LONELY_MS : SLICE_MS;
        this.#own.waitFor(this, ParkReason.data, Math.min(leftMs, sliceMs));
      }
      const length = this.#tryReceive(into);
      if (length >= 0) return length;
      this.#housekeep();
      if (leftMs <= 0) return -1;
    }
  }

  isReady(): boolean {
    for (const link of this.#links) if (link.isReady()) return true;
    return false;
  }

  peek(): boolean {
    return this.isReady();
  }

  /** Checks each client once, beginning after the one that sent last. */
  #tryReceive(into: Uint8Array): number {
    for (let asked = 0; asked < this.#links.length; asked++) {
      if (++this.#turn >= this.#links.length) this.#turn = 0;
      const link = this.#links[this.#turn] as RingConnection;
      try {
        let length = link.receiveNow(into);
        if (length === SLOW_PATH) length = link.receiveSlow(into);
        if (length < 0) continue;
        this.#from = link;
        return length;
      } catch (error) {
        if (!isIpcError(error) || error.code === "IPC_TOO_LARGE") throw error;
        this.#forget(link);
      }
    }
    return -1;
  }

  /** Forgets clients that have left, and takes newcomers. */
  #housekeep(): void {
    this.#receives = 0;
    const nowMs = performance.now();
    for (const link of this.#links) if (link.isFinished(nowMs)) this.#forget(link);
    this.#admit();
  }

  #forget(link: RingConnection): void {
    this.#links = this.#links.filter((other) => other !== link);
    link.close();
  }

  #admit(): void {
    for (let next = nextOf(this.#channel); next; next = nextOf(this.#channel)) {
      const { from, memory } = next.message as Partial<Knock>;
      if (from === undefined || memory?.byteLength !== pairBytes(RING_BYTES)) continue;
      const isTaken = this.#links.length < MAX_CLIENTS;
      if (isTaken) this.#links.push(this.#linkOver(memory));
      const reply: Reply = { to: from, rest: isTaken ? this.#rest : null, room: this.#room };
      this.#channel.postMessage(reply);
    }
  }

  #linkOver(memory: SharedArrayBuffer): RingConnection {
    const mapping = memoryOf(memory);
    return new RingConnection({
      transport: ID,
      mapping,
      incoming: requestRegion(mapping, RING_BYTES),
      outgoing: replyRegion(mapping, RING_BYTES),
      own: this.#own,
      peer: parkerOn(mapping.words, Pair.restWord),
      ownRoom: ++this.#room,
      peerRoom: ParkReason.room,
      ownClosedWord: Pair.serverClosedWord,
      peerClosedWord: Pair.clientClosedWord,
      peerLives: () => true,
      dispose: () => undefined,
    });
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const link of this.#links.splice(0)) link.close();
    this.#channel.close();
  }
}

/** Waits until the server that receives at this name has taken the memory. @throws IpcError IPC_PEER_LOST */
function meet(name: string, memory: SharedArrayBuffer, timeoutMs: number): Reply & { rest: SharedArrayBuffer } {
  const untilMs = performance.now() + timeoutMs;
  const channel = channelOf(name);
  const from = distinctName();
  try {
    channel.postMessage({ from, memory } satisfies Knock);
    for (;;) {
      const message = nextOf(channel)?.message as Reply | undefined;
      if (message?.to === from) {
        if (message.rest !== null) return { ...message, rest: message.rest };
        throw failure("IPC_PEER_LOST", `the server takes no more than ${MAX_CLIENTS} clients`);
      }
      if (message !== undefined) continue;
      if (performance.now() >= untilMs) {
        // The server may take it later, and then finds that this end has closed.
        Atomics.store(words(memory), Pair.clientClosedWord, 1);
        throw failure("IPC_PEER_LOST", `no server receives at ${name} in another thread`);
      }
      sleepSync(LOOK_MS);
    }
  } finally {
    channel.close();
  }
}

function connect(name: string, timeoutMs: number): BlockingConnection {
  const memory = new SharedArrayBuffer(pairBytes(RING_BYTES));
  const mapping = memoryOf(memory);
  const { rest, room } = meet(name, memory, timeoutMs);
  return new RingConnection({
    transport: ID,
    mapping,
    incoming: replyRegion(mapping, RING_BYTES),
    outgoing: requestRegion(mapping, RING_BYTES),
    own: parkerOn(mapping.words, Pair.restWord),
    peer: parkerOn(words(rest), REST_WORD),
    ownRoom: ParkReason.room,
    peerRoom: room,
    ownClosedWord: Pair.clientClosedWord,
    peerClosedWord: Pair.serverClosedWord,
    peerLives: () => true,
    dispose: () => undefined,
  });
}

/** The face of threads that may sleep. Both ends need one of their own, and use this face. */
export const atomicsBlocking: BlockingTransport = {
  listen(address, options) {
    checkOptions(ID, options);
    return new AtomicsServer(address);
  },
  connect(address, timeoutMs, options) {
    checkOptions(ID, options);
    return connect(address.name, timeoutMs);
  },
};
