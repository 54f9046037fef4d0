import { expect, it } from "vitest";
import type { Mapping } from "../posix/mapping.ts";
import { pairBytes, touchPair } from "./layout.ts";

/** Counts the writes to each page; what another process wrote must survive them. */
it.each([
  ["a small ring, whole", 64 * 1024, 32],
  ["a ring of 1 MiB, whole", 1024 * 1024, 512],
  ["1 MiB of each larger one", 16 * 1024 * 1024, 512],
])("opening touches %s, and changes nothing", (_, capacity, pages) => {
  const words = new Int32Array(pairBytes(capacity) >>> 2).fill(0x5a5a_5a5a);
  const add = Atomics.add;
  const touched = new Set<number>();
  Atomics.add = ((array: Int32Array, at: number, value: number) => {
    touched.add(at >>> 10);
    return add(array, at, value);
  }) as typeof Atomics.add;
  try {
    touchPair({ words } as never as Mapping, capacity);
  } finally {
    Atomics.add = add;
  }
  expect(touched.size).toBe(pages);
  expect(words.every((word) => word === 0x5a5a_5a5a)).toBe(true);
});
