import { IpcError, isIpcError } from "../contract/errors.ts";
import type { Address, BlockingConnection, BlockingServer } from "../contract/transport.ts";
import { SLICE_MS } from "../posix/slice.ts";
import { claimName, inUse, removeClaimed, removeSlot } from "./claim.ts";
import { type RingKind, slotName } from "./kind.ts";
import {
  Control,
  checkPair,
  Pair,
  replyRegion,
  requestRegion,
  SLOT_STATE_MASK,
  SlotState,
  touchAtServer,
  VERSION,
} from "./layout.ts";
import { Parker, ParkReason } from "./parker.ts";
import { SLOW_PATH } from "./ring.ts";
import { FIRST_LOOKS, RingConnection } from "./ring-connection.ts";
import type { Segment } from "./store.ts";
import { type CpuWord, soleCpu, type WaitPlace } from "./waits.ts";

/** Time after which a claimed slot without a segment is given to another client. */
const CLAIM_MS = 2000;
/** Messages received without a pause after which the server checks again which clients live. */
const BUSY_RECEIVES = 4096;
/** Number of checks of one client's ring before the next ring: about 10 ns. */
const LOOKS_AT_ONE = 8;

/** The listening end: one control segment, one pair of rings per client, one word on which it sleeps. */
export class RingServer implements BlockingServer {
  readonly address: Address;
  readonly #kind: RingKind;
  readonly #control: Segment;
  readonly #words: Int32Array;
  readonly #rest: Parker;
  readonly #place: WaitPlace;
  readonly #spins: boolean;
  /** Connections by slot. */
  readonly #links: (RingConnection | undefined)[];
  readonly #acceptedWords: number[] = [];
  readonly #soleCpu: number;
  /** Connected clients, in the order in which they are checked. */
  #active: RingConnection[] = [];
  #turn = 0;
  #from: RingConnection | undefined;
  #arrivals = 0;
  #receives = 0;
  #housekeptMs = performance.now();
  /** Slot word of each claim without a segment, and the time when it was first seen. */
  readonly #claims = new Map<number, { readonly word: number; readonly sinceMs: number }>();
  #open = true;

  constructor(kind: RingKind, address: Address) {
    this.#kind = kind;
    this.address = address;
    this.#spins = kind.wait.spins;
    this.#soleCpu = this.#spins ? soleCpu() : 0;
    this.#links = new Array<RingConnection | undefined>(kind.maxClients).fill(undefined);
    this.#control = claimName(kind, address.name);
    const { mapping } = this.#control;
    this.#words = mapping.words;
    this.#place = {
      mapping,
      word: Control.restWord,
      semaphore: (create) => kind.store.semaphore(this.#control, create),
      ownCpu: { words: mapping.words, word: Control.cpuWord },
      peerCpu: () => this.#cpuOfPeer(),
    };
    try {
      this.#rest = new Parker(mapping.words, Control.restWord, kind.wait.open(this.#place, true));
    } catch (error) {
      // The object that is in the way is not ours and stays.
      kind.store.unlink(address.name);
      this.#control.close();
      if (!isIpcError(error) || error.errno !== "EEXIST") throw error;
      throw inUse(
        kind,
        `the semaphore of ${address.name} exists, but belongs to no server; choose another name or unlink it yourself`,
      );
    }
    this.#writeConstants();
  }

  /** Writes the constants. Clients can overwrite them, so they are written again for each newcomer. */
  #writeConstants(): void {
    const words = this.#words;
    words[Control.versionWord] = VERSION;
    words[Control.slotsWord] = this.#kind.maxClients;
    words[Control.soleCpuWord] = this.#soleCpu;
    words[Control.closedWord] = 0;
    // Written last: a client that sees the magic number finds everything else in place.
    Atomics.store(words, Control.magicWord, Control.magic);
  }

  /** CPU words of connected clients only, since the memory of a client that has left is unmapped. */
  readonly #cpus = new Map<RingConnection, CpuWord>();

  /** Returns the word of the client that sent last, if it is still there. */
  #cpuOfPeer(): CpuWord | undefined {
    const last = this.#from === undefined ? undefined : this.#cpus.get(this.#from);
    const [first] = this.#active;
    return last ?? (first === undefined ? undefined : this.#cpus.get(first));
  }

  get from(): BlockingConnection | undefined {
    return this.#from;
  }

  /** Connections of the clients that are connected now. */
  get connections(): readonly RingConnection[] {
    return this.#active;
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    if (!this.#open) throw closed(this.#kind.id);
    if (++this.#receives >= BUSY_RECEIVES) this.#housekeep(performance.now());
    if (this.#spins && timeoutMs > 0) this.peek(FIRST_LOOKS);
    const length = this.#tryReceive(into);
    return length >= 0 ? length : this.#receiveSlowly(into, timeoutMs);
  }

  /** Reads the clock only after an empty slice, like RingConnection. */
  #receiveSlowly(into: Uint8Array, timeoutMs: number): number {
    if (timeoutMs >= SLICE_MS) {
      // A plain load is enough: if it misses a newcomer, the check after the wait finds it.
      if (this.#words[Control.arrivalsWord] !== this.#arrivals) this.#accept();
      this.#rest.waitFor(this, ParkReason.data, SLICE_MS);
      const length = this.#tryReceive(into);
      if (length >= 0) return length;
    }
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      const nowMs = performance.now();
      if (nowMs - this.#housekeptMs >= SLICE_MS) this.#housekeep(nowMs);
      if (this.#hasArrivals()) this.#accept();
      if (nowMs < untilMs) this.#rest.waitFor(this, ParkReason.data, Math.min(untilMs - nowMs, SLICE_MS));
      const length = this.#tryReceive(into);
      if (length >= 0) return length;
      if (nowMs >= untilMs) {
        // Gives back the room of read messages; otherwise a caller that only polls would keep it.
        if (this.#rest.spins) this.isReady();
        return -1;
      }
    }
  }

  #hasArrivals(): boolean {
    return Atomics.load(this.#words, Control.arrivalsWord) !== this.#arrivals;
  }

  /** True if a message or a newcomer waits. */
  isReady(): boolean {
    for (let i = 0; i < this.#active.length; i++) if ((this.#active[i] as RingConnection).isReady()) return true;
    return this.#hasArrivals();
  }

  /** Does the same as {@link isReady} with plain loads. */
  peek(looks: number): boolean {
    const active = this.#active;
    for (let done = 0; done < looks; done += LOOKS_AT_ONE) {
      for (let i = 0; i < active.length; i++) if ((active[i] as RingConnection).peek(LOOKS_AT_ONE)) return true;
      if (this.#words[Control.arrivalsWord] !== this.#arrivals) return true;
    }
    return false;
  }

  /** Checks each client once, beginning after the one that sent last, so that none can keep the others waiting. */
  #tryReceive(into: Uint8Array): number {
    const clients = this.#active.length;
    for (let asked = 0; asked < clients; asked++) {
      if (++this.#turn >= this.#active.length) this.#turn = 0;
      // Also for an empty ring, because its reader then gives room back, for which a producer may wait.
      const length = this.#receiveFrom(this.#active[this.#turn] as RingConnection, into);
      if (length >= 0) return length;
    }
    return -1;
  }

  #receiveFrom(link: RingConnection, into: Uint8Array): number {
    const length = link.receiveNow(into);
    if (length >= 0 && this.#from !== link) this.#from = link;
    return length === SLOW_PATH ? this.#receiveSlow(link, into) : length;
  }

  #receiveSlow(link: RingConnection, into: Uint8Array): number {
    try {
      const length = link.receiveSlow(into);
      if (length >= 0) this.#from = link;
      return length;
    } catch (error) {
      // Invalid bytes in a client's rings end that client, not the server.
      if (!isIpcError(error) || error.code === "IPC_TOO_LARGE") throw error;
      this.#forget(link);
      return -1;
    }
  }

  /** Forgets clients that are gone, accepts newcomers, and repairs words that a client has overwritten. */
  #housekeep(nowMs: number): void {
    this.#housekeptMs = nowMs;
    this.#receives = 0;
    for (const link of [...this.#active]) if (link.isFinished(nowMs)) this.#forget(link);
    this.#writeConstants();
    for (let slot = 0; slot < this.#kind.maxClients; slot++) this.#checkSlot(slot, nowMs);
  }

  #checkSlot(slot: number, nowMs: number): void {
    const at = Control.firstSlotWord + slot;
    const word = Atomics.load(this.#words, at);
    const state = word & SLOT_STATE_MASK;
    if (state !== SlotState.claimed) this.#claims.delete(slot);
    if (this.#links[slot] !== undefined) {
      const accepted = this.#acceptedWords[slot] as number;
      if (word !== accepted) Atomics.store(this.#words, at, accepted);
    } else if (state === SlotState.claimed) this.#checkClaim(slot, word, nowMs);
    else if (state === SlotState.ready) this.#tryToAdmit(slot, word);
    // The word is invalid: it is accepted but has no connection, or has a token but no state.
    else if (word !== 0) this.#freeSlot(slot, word);
  }

  #checkClaim(slot: number, word: number, nowMs: number): void {
    const claim = this.#claims.get(slot);
    if (claim?.word !== word) this.#claims.set(slot, { word, sinceMs: nowMs });
    else if (nowMs - claim.sinceMs > CLAIM_MS) {
      this.#claims.delete(slot);
      this.#freeSlot(slot, word);
    }
  }

  #forget(link: RingConnection): void {
    const slot = this.#links.indexOf(link);
    this.#cpus.delete(link);
    link.close();
    if (slot < 0) return;
    this.#links[slot] = undefined;
    this.#active = this.#active.filter((other) => other !== link);
    // Frees only the word that we accepted: another client may have claimed the slot already.
    const word = this.#acceptedWords[slot] as number;
    Atomics.compareExchange(this.#control.mapping.words, Control.firstSlotWord + slot, word, 0);
  }

  #freeSlot(slot: number, word: number): void {
    removeSlot(this.#kind, this.address.name, slot, "claimed");
    Atomics.compareExchange(this.#control.mapping.words, Control.firstSlotWord + slot, word, 0);
  }

  /** Accepts newcomers, and forgets clients that announced their end. */
  #accept(): void {
    this.#arrivals = Atomics.load(this.#words, Control.arrivalsWord);
    this.#housekeep(performance.now());
  }

  #tryToAdmit(slot: number, word: number): void {
    try {
      this.#admit(slot, word);
    } catch (error) {
      // The client vanished meanwhile, or its segment is no pair of rings.
      if (!isIpcError(error)) throw error;
      this.#freeSlot(slot, word);
    }
  }

  #admit(slot: number, word: number): void {
    const { store, wait, id } = this.#kind;
    const name = slotName(this.address.name, slot);
    const segment = store.open(name, Pair.dataOffset);
    try {
      const capacity = checkPair(segment.mapping);
      if (!store.isOwned(segment)) throw new IpcError("IPC_PEER_LOST", `${id}: the client is gone`, { transport: id });
      const { mapping } = segment;
      touchAtServer(mapping, capacity, slot);
      const cpu = { words: mapping.words, word: Pair.clientCpuWord };
      const place = {
        mapping,
        word: Pair.restWord,
        semaphore: (create: boolean) => store.semaphore(segment, create),
        ownCpu: this.#place.ownCpu,
        peerCpu: () => cpu,
      };
      const peer = new Parker(mapping.words, Pair.restWord, wait.open(place, false));
      const accepted = (word & ~SLOT_STATE_MASK) | SlotState.accepted;
      if (Atomics.compareExchange(this.#control.mapping.words, Control.firstSlotWord + slot, word, accepted) !== word) {
        peer.close();
        throw new IpcError("IPC_PEER_LOST", `${id}: the client has given up`, { transport: id });
      }
      const link = new RingConnection({
        transport: id,
        mapping,
        incoming: requestRegion(mapping, capacity),
        outgoing: replyRegion(mapping, capacity),
        own: this.#rest,
        peer,
        ownRoom: ParkReason.room + slot,
        peerRoom: ParkReason.room,
        ownClosedWord: Pair.serverClosedWord,
        peerClosedWord: Pair.clientClosedWord,
        peerLives: () => store.isOwned(segment),
        dispose: () => {
          peer.close();
          segment.close();
        },
      });
      this.#links[slot] = link;
      this.#acceptedWords[slot] = accepted;
      this.#active.push(link);
      this.#cpus.set(link, cpu);
      // Both ends have it open, so it needs no name, and no name can outlive the connection.
      removeSlot(this.#kind, this.address.name, slot, "claimed");
      peer.wakeAnyway();
    } catch (error) {
      if (this.#links[slot] === undefined) segment.close();
      throw error;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    // The words written here decide what is removed.
    this.#housekeep(performance.now());
    Atomics.store(this.#control.mapping.words, Control.closedWord, 1);
    for (const link of this.#active.splice(0)) link.close();
    // The address may have been swept, and may be another server's now.
    if (this.#kind.store.isNamed(this.#control)) removeClaimed(this.#kind, this.#control);
    this.#rest.close();
    this.#control.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function closed(id: string): IpcError {
  return new IpcError("IPC_CLOSED", `${id}: this end is closed`, { transport: id });
}
