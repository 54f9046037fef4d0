import { isIpcError } from "../contract/errors.ts";
import { currentCpu, getAffinity } from "../posix/affinity.ts";
import { Futex } from "../posix/futex.ts";
import type { SharedView } from "../posix/mapping.ts";
import type { Semaphore } from "../posix/semaphore.ts";
import { SLICE_MS } from "../posix/slice.ts";
import type { Awaited, Wait } from "./parker.ts";

/** Word in which a process stores the CPU it last ran on, plus one; 0 means unknown. */
export interface CpuWord {
  readonly words: Int32Array;
  readonly word: number;
}

/** Semaphore of any system, as far as a wait uses it. */
export type WaitSemaphore = Pick<Semaphore, "post" | "wait" | "waitSlice" | "close">;

/** Memory that a wait works on. */
export interface WaitPlace {
  readonly mapping: SharedView;
  /** Index of the word slept on. */
  readonly word: number;
  /** Makes (`create`) or opens the semaphore that belongs to the memory. */
  readonly semaphore: (create: boolean) => WaitSemaphore;
  readonly ownCpu: CpuWord;
  /** Returns the word of the process at the other end; for a server, of the client that sent last. */
  readonly peerCpu: () => CpuWord | undefined;
}

/** Posts. Ignores EOVERFLOW: a client can raise the count to the maximum, and then nobody sleeps on the semaphore. */
function wake(semaphore: WaitSemaphore): void {
  try {
    semaphore.post();
  } catch (error) {
    if (!isIpcError(error) || error.errno !== "EOVERFLOW") throw error;
  }
}

export type WaitName = "spin" | "semaphore" | "futex" | "adaptive";

export interface WaitKind {
  readonly name: WaitName;
  readonly usesSemaphores: boolean;
  /** True if both ends run all the time, so that they must not share a CPU. */
  readonly spins: boolean;
  /** @param create true: makes the object on which this process sleeps; false: opens the other's, to wake it */
  open(place: WaitPlace, create: boolean): Wait;
}

/** Number of checks between two readings of the clock; they take some microseconds. */
const LOOKS_PER_CLOCK = 4096;
/** Longest spin: longer than a round trip to another CPU, shorter than falling asleep and waking up. */
const ADAPTIVE_SPIN_MS = 0.02;

function spinFor(awaited: Awaited, timeoutMs: number): boolean {
  // Most replies come during the first checks, so the clock, which costs as much as a dozen checks, is read later.
  if (awaited.peek(LOOKS_PER_CLOCK)) return true;
  const startMs = performance.now();
  do {
    if (awaited.isReady()) return true;
    if (awaited.peek(LOOKS_PER_CLOCK)) return true;
  } while (performance.now() - startMs < timeoutMs);
  return false;
}

/** Spins. This is the fastest way if each end has a CPU to itself, and only then. */
const spin: WaitKind = {
  name: "spin",
  usesSemaphores: false,
  spins: true,
  open: () => ({ spin: spinFor, close() {} }),
};

/** Waits on a named semaphore for each word; any language can post it. */
const semaphore: WaitKind = {
  name: "semaphore",
  usesSemaphores: true,
  spins: false,
  open(place, create) {
    const handle = place.semaphore(create);
    return {
      sleeper: {
        // The count may include a wake-up for an earlier sleep. Then this returns early, and the caller checks again.
        sleep: (_reason, timeoutMs) => void (timeoutMs >= SLICE_MS ? handle.waitSlice() : handle.wait(timeoutMs)),
        wake: () => wake(handle),
      },
      close: () => handle.close(),
    };
  },
};

/** Waits on the word itself, which the kernel compares and sleeps on. */
const futex: WaitKind = {
  name: "futex",
  usesSemaphores: false,
  spins: false,
  open({ mapping, word }) {
    const handle = new Futex(mapping, word);
    return {
      sleeper: {
        sleep: (reason, timeoutMs) => void handle.wait(reason, timeoutMs),
        wake: () => void handle.wake(),
      },
      close() {},
    };
  },
};

/** Spins for microseconds first, but only if the other end is on another CPU: on the same one it could not run. */
const adaptive: WaitKind = {
  name: "adaptive",
  usesSemaphores: false,
  spins: false,
  open({ mapping, word, ownCpu, peerCpu }) {
    const handle = new Futex(mapping, word);
    return {
      spin(awaited, timeoutMs) {
        const peer = peerCpu();
        const there = peer === undefined ? 0 : Atomics.load(peer.words, peer.word);
        if (there === 0 || there === Atomics.load(ownCpu.words, ownCpu.word)) return false;
        return spinFor(awaited, Math.min(ADAPTIVE_SPIN_MS, timeoutMs));
      },
      sleeper: {
        sleep(reason, timeoutMs) {
          handle.wait(reason, timeoutMs);
          // The scheduler may move a process when it wakes, so the CPU is checked here.
          Atomics.store(ownCpu.words, ownCpu.word, currentCpu() + 1);
        },
        wake: () => void handle.wake(),
      },
      close() {},
    };
  },
};

export const WAIT_KINDS: { readonly [K in WaitName]: WaitKind } = { spin, semaphore, futex, adaptive };

/** Returns the only CPU this process may use, plus one; 0 when it may use several. */
export function soleCpu(): number {
  const cpus = getAffinity();
  return cpus.length === 1 ? (cpus[0] as number) + 1 : 0;
}
