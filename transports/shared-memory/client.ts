import { IpcError, isIpcError } from "../contract/errors.ts";
import type { Address } from "../contract/transport.ts";
import { SLICE_MS } from "../posix/slice.ts";
import { randomInt } from "../support/crypto.ts";
import { type RingKind, slotName } from "./kind.ts";
import {
  Control,
  initializePair,
  Pair,
  pairBytes,
  replyRegion,
  requestRegion,
  SlotState,
  touchPair,
  VERSION,
} from "./layout.ts";
import { type Awaited, Parker, ParkReason } from "./parker.ts";
import { isCapacity } from "./ring.ts";
import { RingConnection } from "./ring-connection.ts";
import type { Segment } from "./store.ts";
import { soleCpu, type WaitPlace } from "./waits.ts";

/** Word to pause on while the connection has no word to sleep on yet. */
const pauseWord = new Int32Array(new SharedArrayBuffer(4));
const PAUSE_MS = 1;
/** Number of places tried if the server refuses, or another client has overwritten the agreed words. */
const MOST_ATTEMPTS = 3;

/** Opens a connection: claims a slot, makes a pair of rings, waits until the server has opened them. */
export function connectRing(kind: RingKind, address: Address, timeoutMs: number): RingConnection {
  const opening = new RingOpening(kind, address, timeoutMs);
  for (;;) {
    const link = opening.step(SLICE_MS);
    if (link !== undefined) return link;
  }
}

/** A connection that is opened step by step. After an error it leaves nothing behind. */
export class RingOpening {
  readonly #kind: RingKind;
  readonly #address: Address;
  readonly #untilMs: number;
  #control: Segment | undefined;
  #pair: Segment | undefined;
  #own: Parker | undefined;
  #peer: Parker | undefined;
  #slot = -1;
  #token = 0;
  #attempts = 0;

  constructor(kind: RingKind, address: Address, timeoutMs: number) {
    this.#kind = kind;
    this.#address = address;
    this.#untilMs = performance.now() + timeoutMs;
  }

  /** Waits for at most `waitMs`. @returns the connection once the server has accepted it */
  step(waitMs: number): RingConnection | undefined {
    try {
      return this.#step(waitMs);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  #step(waitMs: number): RingConnection | undefined {
    const control = this.#control ?? this.#openControl();
    if (control === undefined) return this.#pause(waitMs, "the server has not finished starting");
    if (this.#pair === undefined) {
      this.#refuseSharedCpu(control);
      const pair = this.#takePlace(control, this.#ringBytes());
      if (pair === undefined) return this.#pause(waitMs, "all places for clients are taken");
      this.#attempts++;
      this.#openRests(control, pair);
      if (!this.#announce(control)) {
        return this.#tryElsewhere(
          control,
          "IPC_TIMEOUT",
          "the server gave the slot of this client to another one, because opening it took too long",
        );
      }
    }
    const answer = this.#answer(control, waitMs);
    if (answer === undefined) return undefined;
    if (answer !== (this.#token | SlotState.accepted)) {
      return this.#tryElsewhere(control, "IPC_PEER_LOST", "the server refused this client");
    }
    return this.#link(control, this.#pair as Segment, this.#ringBytes());
  }

  #ringBytes(): number {
    const { ringBytes = this.#kind.ringBytes } = this.#address.options ?? {};
    if (typeof ringBytes === "number" && isCapacity(ringBytes)) return ringBytes;
    throw this.#error("IPC_SYSTEM", `ringBytes ${ringBytes} is not a power of two from 64 to 2^30`);
  }

  /** @returns undefined while the server has not finished listening */
  #openControl(): Segment | undefined {
    const control = this.#openSized();
    if (control === undefined) return undefined;
    if (Atomics.load(control.mapping.words, Control.magicWord) === Control.magic) {
      this.#control = control;
      if (control.mapping.words[Control.versionWord] !== VERSION) {
        throw this.#error("IPC_MALFORMED", "a server of another version of ipcmark listens there");
      }
      if (this.#isServerGone(control)) throw this.#error("IPC_PEER_LOST", "nobody listens there any more");
      return control;
    }
    const owned = this.#kind.store.isOwned(control);
    control.close();
    if (owned) return undefined;
    throw this.#noServer();
  }

  /** @returns undefined while the server's segment has no size yet and cannot be mapped */
  #openSized(): Segment | undefined {
    const { store } = this.#kind;
    try {
      return store.open(this.#address.name, Control.bytes);
    } catch (error) {
      if (!isIpcError(error) || error.code !== "IPC_MALFORMED") throw error;
    }
    if (store.isBeingMade(this.#address.name)) return undefined;
    throw this.#noServer();
  }

  #noServer(): IpcError {
    return this.#error("IPC_PEER_LOST", "nobody listens there; the object with this name belongs to no server");
  }

  #isServerGone(control: Segment): boolean {
    return Atomics.load(control.mapping.words, Control.closedWord) !== 0 || !this.#kind.store.isOwned(control);
  }

  #refuseSharedCpu(control: Segment): void {
    if (!this.#kind.wait.spins) return;
    const own = soleCpu();
    if (own !== 0 && own === control.mapping.words[Control.soleCpuWord]) {
      throw this.#error(
        "IPC_UNSUPPORTED",
        `both ends may only use CPU ${own - 1}, and while one spins there the other cannot run: each turn would ` +
          "last a scheduler slice of milliseconds; give them two CPUs, or use a mechanism that sleeps",
      );
    }
  }

  /** @returns undefined if no slot was free */
  #takePlace(control: Segment, capacity: number): Segment | undefined {
    const { words } = control.mapping;
    const slots = Math.min(words[Control.slotsWord] as number, this.#kind.maxClients);
    this.#token = randomInt(1, 2 ** 29) << 2;
    for (let slot = 0; slot < slots; slot++) {
      const at = Control.firstSlotWord + slot;
      const claimed = this.#token | SlotState.claimed;
      if (Atomics.compareExchange(words, at, 0, claimed) !== 0) continue;
      this.#slot = slot;
      const pair = this.#createPair(capacity);
      if (pair !== undefined) return pair;
      this.#slot = -1;
      Atomics.compareExchange(words, at, claimed, 0);
    }
    if (this.#isServerGone(control)) throw this.#error("IPC_PEER_LOST", "the server is gone");
    return undefined;
  }

  /** @returns undefined if something that is not ours has the name of the slot */
  #createPair(capacity: number): Segment | undefined {
    const name = slotName(this.#address.name, this.#slot);
    for (let attempt = 0; this.#pair === undefined; attempt++) {
      try {
        this.#pair = this.#kind.store.create(name, pairBytes(capacity));
      } catch (error) {
        if (!isIpcError(error) || error.errno !== "EEXIST") throw error;
        // The slot is ours, so a pair of rings with its name was left by a killed client.
        if (attempt > 0 || !this.#kind.store.unlink(name, "claimed")) return undefined;
      }
    }
    touchPair(this.#pair.mapping, capacity);
    initializePair(this.#pair.mapping, capacity);
    return this.#pair;
  }

  #openRests(control: Segment, pair: Segment): void {
    const { store, wait } = this.#kind;
    const ownCpu = { words: pair.mapping.words, word: Pair.clientCpuWord };
    const serverCpu = { words: control.mapping.words, word: Control.cpuWord };
    if (wait.usesSemaphores) store.unlinkSemaphore(pair.name);
    const cpus = { ownCpu, peerCpu: () => serverCpu };
    const at = (segment: Segment, word: number): WaitPlace => ({
      mapping: segment.mapping,
      word,
      semaphore: (create) => store.semaphore(segment, create),
      ...cpus,
    });
    this.#own = new Parker(pair.mapping.words, Pair.restWord, wait.open(at(pair, Pair.restWord), true));
    this.#peer = new Parker(control.mapping.words, Control.restWord, wait.open(at(control, Control.restWord), false));
  }

  /** @returns true if the place is still ours */
  #announce(control: Segment): boolean {
    const { words } = control.mapping;
    const slotWord = Control.firstSlotWord + this.#slot;
    const claimed = this.#token | SlotState.claimed;
    if (Atomics.compareExchange(words, slotWord, claimed, this.#token | SlotState.ready) !== claimed) return false;
    Atomics.add(words, Control.arrivalsWord, 1);
    this.#peer?.wakeFrom(ParkReason.data);
    return true;
  }

  /** Starts over in the next step. @throws IpcError with this code after too many attempts */
  #tryElsewhere(control: Segment, code: "IPC_PEER_LOST" | "IPC_TIMEOUT", text: string): undefined {
    if (this.#attempts >= MOST_ATTEMPTS) throw this.#error(code, text);
    this.#leavePlace(control);
    return undefined;
  }

  /** @returns the word of our slot once it has changed */
  #answer(control: Segment, waitMs: number): number | undefined {
    const { words } = control.mapping;
    const slotWord = Control.firstSlotWord + this.#slot;
    const ready = this.#token | SlotState.ready;
    const isAnswered = (): boolean => Atomics.load(words, slotWord) !== ready;
    const answered: Awaited = { isReady: isAnswered, peek: isAnswered };
    if (!answered.isReady()) {
      if (this.#isServerGone(control)) throw this.#error("IPC_PEER_LOST", "the server is gone");
      const leftMs = this.#untilMs - performance.now();
      if (leftMs <= 0)
        throw this.#error("IPC_TIMEOUT", "the server did not accept this client in time; is it in receive()?");
      if (waitMs > 0) this.#own?.waitFor(answered, ParkReason.data, Math.min(leftMs, waitMs));
      return undefined;
    }
    return Atomics.load(words, slotWord);
  }

  #link(control: Segment, pair: Segment, capacity: number): RingConnection {
    const [own, peer] = [this.#own as Parker, this.#peer as Parker];
    return new RingConnection({
      transport: this.#kind.id,
      mapping: pair.mapping,
      incoming: replyRegion(pair.mapping, capacity),
      outgoing: requestRegion(pair.mapping, capacity),
      own,
      peer,
      ownRoom: ParkReason.room,
      peerRoom: ParkReason.room + this.#slot,
      ownClosedWord: Pair.clientClosedWord,
      peerClosedWord: Pair.serverClosedWord,
      peerLives: () => this.#kind.store.isOwned(control),
      // Otherwise our place would stay taken until the server's next check.
      announceEnd: () => void Atomics.add(control.mapping.words, Control.arrivalsWord, 1),
      dispose: () => {
        own.close();
        peer.close();
        pair.close();
        control.close();
      },
    });
  }

  /** Removes what was begun. If the server has accepted the slot meanwhile, it frees the slot when it finds us gone. */
  abandon(): void {
    const control = this.#control;
    if (control === undefined) return;
    this.#leavePlace(control);
    control.close();
  }

  #leavePlace(control: Segment): void {
    const [pair, { store, wait }] = [this.#pair, this.#kind];
    // Only if the name is still ours: the server may have given the slot, and its name, to another client.
    if (pair !== undefined && store.isNamed(pair)) {
      store.unlink(pair.name, "claimed");
      if (wait.usesSemaphores) store.unlinkSemaphore(pair.name);
    }
    for (const state of this.#slot < 0 ? [] : [SlotState.claimed, SlotState.ready]) {
      Atomics.compareExchange(control.mapping.words, Control.firstSlotWord + this.#slot, this.#token | state, 0);
    }
    for (const each of [this.#own, this.#peer, pair]) each?.close();
    this.#own = this.#peer = this.#pair = undefined;
    this.#slot = -1;
  }

  #pause(waitMs: number, reason: string): undefined {
    if (performance.now() >= this.#untilMs) throw this.#error("IPC_TIMEOUT", reason);
    if (waitMs > 0) Atomics.wait(pauseWord, 0, 0, PAUSE_MS);
    return undefined;
  }

  #error(
    code: "IPC_PEER_LOST" | "IPC_TIMEOUT" | "IPC_MALFORMED" | "IPC_UNSUPPORTED" | "IPC_SYSTEM",
    text: string,
  ): IpcError {
    return new IpcError(code, `${this.#kind.id}: ${this.#address.name}: ${text}`, { transport: this.#kind.id });
  }
}
