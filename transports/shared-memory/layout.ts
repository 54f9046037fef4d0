import { IpcError } from "../contract/errors.ts";
import type { Mapping } from "../posix/mapping.ts";
import { HEAD_WORDS, isCapacity, type RingRegion } from "./ring.ts";

/**
 * Layout of the segments. Word indices (32 bit); words that different processes write keep 64 bytes apart or more.
 *
 * Control segment, made by the server, where clients find it.
 */
export const Control = {
  bytes: 4096,
  magic: 0x4350_4349, // "ICPC"
  /** Value of the magic number while the server is being set up: a segment of zeros could be anybody's. */
  begun: 0x4250_4349, // "ICPB"
  magicWord: 0,
  versionWord: 1,
  slotsWord: 2,
  /** Word that the server sleeps on. */
  restWord: 16,
  /** Counter that a client adds to when it is ready to be accepted, or leaves. */
  arrivalsWord: 32,
  cpuWord: 48,
  soleCpuWord: 49,
  closedWord: 50,
  /** One word per slot: a client's random token with a {@link SlotState}, or 0. */
  firstSlotWord: 64,
} as const;

/** Pair segment, made by the client: two rings. */
export const Pair = {
  magic: 0x5250_4349, // "ICPR"
  magicWord: 0,
  versionWord: 1,
  capacityWord: 2,
  /** Token sent through the socket, if one brought both ends together: it proves that both mean this segment. */
  tokenWord: 3,
  clientClosedWord: 16,
  serverClosedWord: 32,
  /** Word that the client sleeps on. */
  restWord: 48,
  clientCpuWord: 64,
  clientSoleCpuWord: 65,
  requestsWord: 96,
  repliesWord: 96 + 2 * HEAD_WORDS,
  dataOffset: 4096,
} as const;

export const VERSION = 1;
/** The low bits of a slot word; the token above them changes with every client. */
export const SlotState = { claimed: 1, ready: 2, accepted: 3 } as const;
export const SLOT_STATE_MASK = 3;

export const pairBytes = (capacity: number): number => Pair.dataOffset + 2 * capacity;

/** True when a pair of rings can have this size. */
export const isPairSize = (bytes: number): boolean => isCapacity((bytes - Pair.dataOffset) / 2);

/**
 * Bytes of each direction that are touched when a pair is opened: a ring of the default size; the memory was reserved
 * when the segment was made. The pair is populated before, by one call, after which a touch costs 5 µs a page on a
 * virtual machine whose host keeps shadow page tables, and next to nothing elsewhere (60 to 80 µs without that call).
 */
const TOUCHED_BYTES = 4 * 1024 * 1024;
const PAGE_WORDS = 1024;

/**
 * Puts the pages of both rings into the page table of this process, which saves the first messages a fault per page.
 * Each end does it, since page tables are per process. It changes no byte, whatever the other end writes meanwhile.
 */
export function touchPair(mapping: Mapping, capacity: number): void {
  mapping.populate();
  const { words } = mapping;
  for (const ring of [Pair.dataOffset, Pair.dataOffset + capacity]) {
    const end = (ring + Math.min(capacity, TOUCHED_BYTES)) >>> 2;
    for (let at = ring >>> 2; at < end; at += PAGE_WORDS) {
      // The read brings in neighbours of existing pages; the write is for files, whose pages are read-only until then.
      Atomics.load(words, at);
      Atomics.add(words, at, 0);
    }
  }
}

export function initializePair(mapping: Mapping, capacity: number): void {
  mapping.words[Pair.capacityWord] = capacity;
  mapping.words[Pair.versionWord] = VERSION;
  Atomics.store(mapping.words, Pair.magicWord, Pair.magic);
}

/** Returns the capacity that a client's segment states, after checking all of it against the real size. */
export function checkPair(mapping: Mapping): number {
  const { words } = mapping;
  const capacity = words[Pair.capacityWord] as number;
  const isPair = Atomics.load(words, Pair.magicWord) === Pair.magic && words[Pair.versionWord] === VERSION;
  if (!isPair || !isCapacity(capacity) || mapping.byteLength !== pairBytes(capacity)) {
    throw new IpcError("IPC_MALFORMED", "the segment is not a pair of rings of this version");
  }
  return capacity;
}

export function requestRegion(mapping: Mapping, capacity: number): RingRegion {
  return region(mapping, capacity, Pair.requestsWord, Pair.dataOffset);
}

export function replyRegion(mapping: Mapping, capacity: number): RingRegion {
  return region(mapping, capacity, Pair.repliesWord, Pair.dataOffset + capacity);
}

function region(mapping: Mapping, capacity: number, controlWord: number, dataOffset: number): RingRegion {
  return { bytes: mapping.bytes, words: mapping.words, controlWord, dataOffset, capacity };
}
