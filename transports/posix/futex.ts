import { IpcError } from "../contract/errors.ts";
import { libc } from "./binding.ts";
import { EAGAIN, EINTR, ETIMEDOUT, systemError } from "./errno.ts";
import { type Libc, NULL, type Pointer } from "./libc.ts";
import type { SharedView } from "./mapping.ts";
import { type Deadlines, deadlines } from "./timespec.ts";

const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const SYSCALL_NUMBERS: Readonly<Record<string, number>> = { x64: 202, arm64: 98 };

export type FutexResult = "woken" | "changed" | "timeout";

/**
 * One 32-bit word of a shared mapping on which processes sleep: compare-and-sleep in the kernel (futex(2)), not in the
 * private variant, since processes share the word. Wake-ups may be spurious, so check the state in a loop.
 */
export class Futex {
  readonly #libc: Libc;
  readonly #pointer: Pointer;
  readonly #mapping: SharedView;
  readonly #deadlines: Deadlines;
  readonly #number: number;

  /** @param wordIndex index into `mapping.words` */
  constructor(mapping: SharedView, wordIndex: number) {
    const number = SYSCALL_NUMBERS[process.arch];
    if (number === undefined) {
      throw new IpcError("IPC_UNSUPPORTED", `futexes are supported on x64 and arm64; this is ${process.arch}`);
    }
    this.#libc = libc();
    this.#number = number;
    this.#mapping = mapping;
    this.#pointer = mapping.pointer(wordIndex * 4);
    this.#deadlines = deadlines();
  }

  /** Sleeps while the word holds `expected`, for at most `timeoutMs` (Infinity: for ever; 0 or less: only checks). */
  wait(expected: number, timeoutMs: number): FutexResult {
    if (this.#mapping.closed) throw new IpcError("IPC_CLOSED", "futex: the mapping is closed");
    this.#deadlines.setRelative(timeoutMs);
    const relative = this.#deadlines.relative;
    if (this.#libc.syscall(this.#number, this.#pointer, FUTEX_WAIT, expected >>> 0, relative) === 0) return "woken";
    const failure = this.#libc.errno();
    if (failure === ETIMEDOUT) return "timeout";
    if (failure === EAGAIN) return "changed";
    if (failure === EINTR) return "woken";
    throw systemError(this.#libc, "futex", "wait");
  }

  /** Wakes at most `count` sleepers. @returns the number woken */
  wake(count = 1): number {
    if (this.#mapping.closed) throw new IpcError("IPC_CLOSED", "futex: the mapping is closed");
    const most = count === 1 ? 1 : Math.max(0, Math.min(Math.trunc(count), 2 ** 31 - 1));
    const woken = this.#libc.syscall(this.#number, this.#pointer, FUTEX_WAKE, most, NULL);
    if (woken < 0) throw systemError(this.#libc, "futex", "wake");
    return woken;
  }
}
