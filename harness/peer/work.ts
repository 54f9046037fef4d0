import { leadingNumber } from "./handlers.ts";

/** Longest work of one request, µs: a forged number must not keep the server busy for an hour. */
const MOST_MICROS = 1_000_000;
/** Iterations of one call of the loop. */
const PIECE = 1000;
/** Time that a piece takes at most on any CPU, µs: about 1 µs on a fast one. */
const LONGEST_PIECE_MICROS = 4;

/** State of the hash; each piece of work continues it, so that the JIT cannot eliminate one. */
let state = 0x811c9dc5;

/**
 * Uses the CPU time that the u32 at the start of the request's body states, µs (`Method.work`). The CPU clock of the
 * process decides, so a server that waits for its CPU still does all of its work, and a CPU that changes its speed does
 * another number of iterations in the same time. Each reading of the clock is part of the work.
 */
export function work(request: Uint8Array): void {
  const untilMicros = usedMicros() + Math.min(leadingNumber(request), MOST_MICROS);
  for (let left = untilMicros - usedMicros(); left > 0; left = untilMicros - usedMicros()) {
    for (let piece = 0; piece * LONGEST_PIECE_MICROS < left; piece++) hash();
  }
}

/** Returns the CPU time of this process, µs. That of Windows moves in steps of 16 ms, so the wall clock replaces it. */
function usedMicros(): number {
  if (process.platform === "win32") return 1000 * performance.now();
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** FNV-1a over a counter: each step needs the result of the one before, and no step touches memory. */
function hash(): void {
  let value = state;
  for (let index = 0; index < PIECE; index++) value = Math.imul(value ^ (index & 0xff), 0x01000193);
  state = value;
}
