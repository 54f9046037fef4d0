import { IpcError } from "../contract/errors.ts";
import type { SharedView } from "../posix/mapping.ts";
import { HEAD_WORDS, isCapacity, type RingRegion } from "./ring.ts";

/**
 * Layout of the segments, as indices of 32-bit words. Words written by different processes are at least 64 bytes apart.
 *
 * Control segment, by which clients find the server that made it.
 */
export const Control = {
  bytes: 4096,
  magic: 0x4350_4349, // "ICPC"
  /** Value of the magic number while the server is being set up; a segment of zeros could belong to anybody. */
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
  /** Token that was sent through the socket, if there is one: it proves that both ends use this segment. */
  tokenWord: 3,
  clientClosedWord: 16,
  serverClosedWord: 32,
  /** Word that the client sleeps on. */
  restWord: 48,
  clientCpuWord: 64,
  requestsWord: 96,
  repliesWord: 96 + 2 * HEAD_WORDS,
  dataOffset: 4096,
} as const;

export const VERSION = 1;
/** First of two words in either segment that name its maker, on Windows only: see `windows-store.ts`. */
export const MAKER_WORD = 4;
/** Values of the low bits of a slot word; the bits above are a token, which changes with every client. */
export const SlotState = { claimed: 1, ready: 2, accepted: 3 } as const;
export const SLOT_STATE_MASK = 3;

export const pairBytes = (capacity: number): number => Pair.dataOffset + 2 * capacity;

/** True if a pair of rings can have this size. */
export const isPairSize = (bytes: number): boolean => isCapacity((bytes - Pair.dataOffset) / 2);

/**
 * Bytes of each direction that are touched when a pair is opened: a ring of the default size. The memory was reserved
 * when the segment was made, and one call populates the pair before. After that call, a touch costs 5 µs per page on a
 * virtual machine whose host keeps shadow page tables (60 to 80 µs without the call), and almost nothing elsewhere.
 */
const TOUCHED_BYTES = 4 * 1024 * 1024;
const PAGE_WORDS = 1024;
const PAGE_BYTES = 4 * PAGE_WORDS;

/** Largest memory that a server touches for clients that have sent nothing yet: a flood of them must not exhaust it. */
const TOUCHED_FOR_CLIENTS_BYTES = 96 * 1024 * 1024;

/** Touches the rings of a client at its server. Those of later slots are touched as they are used. */
export function touchAtServer(mapping: SharedView, capacity: number, slot: number): void {
  if ((slot + 1) * 2 * capacity <= TOUCHED_FOR_CLIENTS_BYTES) touchPair(mapping, capacity);
}

/**
 * Puts the pages of both rings into the page table of this process, so that the first messages cause no page faults.
 * Each end does this, since page tables are per process. Changes no byte, whatever the other end writes meanwhile.
 */
export function touchPair(mapping: SharedView, capacity: number): void {
  mapping.populate();
  const { words } = mapping;
  for (const ring of [Pair.dataOffset, Pair.dataOffset + capacity]) {
    const end = (ring + Math.min(capacity, TOUCHED_BYTES)) >>> 2;
    for (let at = ring >>> 2; at < end; at += PAGE_WORDS) {
      // The read maps neighbours of existing pages; the write is for files, whose pages are read-only before it.
      Atomics.load(words, at);
      Atomics.add(words, at, 0);
    }
  }
}

export function initializePair(mapping: SharedView, capacity: number): void {
  mapping.words[Pair.capacityWord] = capacity;
  mapping.words[Pair.versionWord] = VERSION;
  Atomics.store(mapping.words, Pair.magicWord, Pair.magic);
}

/** Returns the capacity stated in a client's segment, after checking the whole layout against the real size. */
export function checkPair(mapping: SharedView): number {
  const { words } = mapping;
  const capacity = words[Pair.capacityWord] as number;
  const isPair = Atomics.load(words, Pair.magicWord) === Pair.magic && words[Pair.versionWord] === VERSION;
  // Windows maps whole pages.
  const spareBytes = mapping.byteLength - pairBytes(capacity);
  if (!isPair || !isCapacity(capacity) || spareBytes < 0 || spareBytes >= PAGE_BYTES) {
    throw new IpcError("IPC_MALFORMED", "the segment is not a pair of rings of this version");
  }
  return capacity;
}

/** Memory that rings can lie in: of two processes, or of two threads. */
export type Memory = Pick<SharedView, "bytes" | "words">;

export function requestRegion(mapping: Memory, capacity: number): RingRegion {
  return region(mapping, capacity, Pair.requestsWord, Pair.dataOffset);
}

export function replyRegion(mapping: Memory, capacity: number): RingRegion {
  return region(mapping, capacity, Pair.repliesWord, Pair.dataOffset + capacity);
}

function region(mapping: Memory, capacity: number, controlWord: number, dataOffset: number): RingRegion {
  return { bytes: mapping.bytes, words: mapping.words, controlWord, dataOffset, capacity };
}
