import type { Pointer } from "./libc.ts";
import { Mapping } from "./mapping.ts";
import { SLICE_MS } from "./slice.ts";

/**
 * The `struct timespec`s (i64 seconds, i64 nanoseconds on 64-bit Linux) of this thread, in mapped memory with a fixed
 * address. Each call overwrites its own: the kernel copies it before the call returns, and this is a single thread.
 */
export interface Deadlines {
  /** For `sem_clockwait`; {@link Deadlines.setMonotonic} sets it. Changes of the wall clock do not affect it. */
  readonly monotonic: Pointer;
  /** For `mq_timedreceive`, which takes no other clock; {@link Deadlines.setRealtime} sets it. */
  readonly realtime: Pointer;
  /** For futexes; {@link Deadlines.setRelative} sets it. */
  readonly relative: Pointer;
  /** Like `monotonic` and `realtime`, but at most {@link SLICE_MS} ahead or already past: see `renewSlices`. */
  readonly monotonicSlice: Pointer;
  readonly realtimeSlice: Pointer;
  /**
   * Sets both slices to {@link SLICE_MS} from now. A slice is renewed only when it has run out, because reading the
   * clock for every wait would cost more than the call that waits. So a wait may begin with a slice that is used up.
   */
  renewSlices(): void;
  /** Sets the time: Infinity waits for ever; 0, less than 0 and NaN do not wait. The other two setters do the same. */
  setMonotonic(timeoutMs: number): void;
  setRealtime(timeoutMs: number): void;
  setRelative(timeoutMs: number): void;
}

/** Wait that stands for "for ever": 200 years. The kernel's count of nanoseconds ends after 292 years. */
const FOREVER_MS = 200 * 365.25 * 86_400_000;
const SLOT_BYTES = 16;
const PAGE_BYTES = 4096;

let shared: Deadlines | undefined;

export function deadlines(): Deadlines {
  shared ??= create();
  return shared;
}

function create(): Deadlines {
  const page = Mapping.anonymous(PAGE_BYTES);
  const { words } = page;
  /** Value of CLOCK_MONOTONIC at which `performance.now()` counts from 0. */
  const originMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  let relativeMs = -1;

  function write(at: number, ms: number): void {
    // NaN is not above 0, so it does not wait either.
    const positive = ms > 0 ? Math.min(ms, FOREVER_MS) : 0;
    const seconds = Math.floor(positive / 1000);
    words[at] = seconds;
    words[at + 1] = Math.floor(seconds / 2 ** 32);
    words[at + 2] = Math.floor((positive - seconds * 1000) * 1e6);
  }

  return {
    monotonic: page.pointer(0),
    realtime: page.pointer(SLOT_BYTES),
    relative: page.pointer(2 * SLOT_BYTES),
    monotonicSlice: page.pointer(3 * SLOT_BYTES),
    realtimeSlice: page.pointer(4 * SLOT_BYTES),
    renewSlices() {
      write((3 * SLOT_BYTES) / 4, originMs + performance.now() + SLICE_MS);
      write((4 * SLOT_BYTES) / 4, Date.now() + SLICE_MS);
    },
    setMonotonic: (timeoutMs) => write(0, originMs + performance.now() + timeoutMs),
    setRealtime: (timeoutMs) => write(SLOT_BYTES / 4, Date.now() + timeoutMs),
    setRelative(timeoutMs) {
      // Waits come in equal slices, so the memory nearly always holds the value already.
      if (timeoutMs === relativeMs) return;
      relativeMs = timeoutMs;
      write((2 * SLOT_BYTES) / 4, timeoutMs);
    },
  };
}
