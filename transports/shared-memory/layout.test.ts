import { expect, it } from "vitest";
import type { Mapping } from "../posix/mapping.ts";
import { constantsIn } from "../testing/constants.ts";
import { Control, Pair, pairBytes, SlotState, touchPair, VERSION } from "./layout.ts";
import { ParkReason } from "./parker.ts";
import { FRAME_BYTES, HEAD_WORDS } from "./ring.ts";

/** Counts the writes to each page. They must preserve what another process wrote. */
it.each([
  ["a small ring, whole", 64 * 1024, 32],
  ["a ring of 1 MiB, whole", 1024 * 1024, 512],
  ["4 MiB of each larger one", 16 * 1024 * 1024, 2048],
])("opening touches %s, and changes nothing", (_, capacity, pages) => {
  const words = new Int32Array(pairBytes(capacity) >>> 2).fill(0x5a5a_5a5a);
  const add = Atomics.add;
  const touched = new Set<number>();
  Atomics.add = ((array: Int32Array, at: number, value: number) => {
    touched.add(at >>> 10);
    return add(array, at, value);
  }) as typeof Atomics.add;
  try {
    touchPair({ words, populate: () => {} } as never as Mapping, capacity);
  } finally {
    Atomics.add = add;
  }
  expect(touched.size).toBe(pages);
  expect(words.every((word) => word === 0x5a5a_5a5a)).toBe(true);
});

const constantsOf = (path: string) => constantsIn(new URL(path, import.meta.url));
const PADDING = (constantsOf("ring.ts")["PADDING"] as number) >>> 0;
const { RING_BYTES, MAX_CLIENTS } = constantsOf("shared-memory.ts");

it("ring_memory.py has the numbers of the ring", () => {
  expect(constantsOf("python/ring_memory.py")).toEqual({
    CAPACITY: Pair.capacityWord,
    REQUESTS: Pair.requestsWord,
    HEAD: HEAD_WORDS,
    REPLIES: Pair.repliesWord,
    FRAME_BYTES,
    PADDING,
    MASK: 2 ** 32 - 1,
  });
});

it("rings.py has the numbers of the layout, beside limits of its own", () => {
  const { SLICE_S, CLAIM_S, JOIN_S, ...numbers } = constantsOf("python/rings.py");
  expect(numbers).toEqual({
    CONTROL_BYTES: Control.bytes,
    CONTROL_MAGIC: Control.magic,
    PAIR_MAGIC: Pair.magic,
    PAIR_DATA: Pair.dataOffset,
    VERSION,
    MAGIC: Control.magicWord,
    VERSION_WORD: Control.versionWord,
    SLOTS: Control.slotsWord,
    CONTROL_REST: Control.restWord,
    ARRIVALS: Control.arrivalsWord,
    CONTROL_CLOSED: Control.closedWord,
    FIRST_SLOT: Control.firstSlotWord,
    CLIENT_CLOSED: Pair.clientClosedWord,
    SERVER_CLOSED: Pair.serverClosedWord,
    CLIENT_REST: Pair.restWord,
    CLAIMED: SlotState.claimed,
    READY: SlotState.ready,
    ACCEPTED: SlotState.accepted,
    AWAKE: ParkReason.awake,
    FOR_DATA: ParkReason.data,
    FOR_ROOM: ParkReason.room,
    MAX_CLIENTS,
  });
  // The Python side reads both segments by the same two words.
  expect([Pair.magicWord, Pair.versionWord]).toEqual([Control.magicWord, Control.versionWord]);
});

it("ring.h of the C baseline has the numbers of the ring", () => {
  expect(constantsOf("../../harness/c-baseline/ring.h")).toEqual({ RING_BYTES, FRAME_BYTES, PADDING });
});
