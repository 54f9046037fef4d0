import { leadingNumber } from "./handlers.ts";

/** Most work of one request, µs: a forged number must not keep the server busy for an hour. */
const MOST_MICROS = 1_000_000;
const TRIES = 12;
const TRY_ITERATIONS = 200_000;

let iterationsPerMicro: number | undefined;
/** State of the hash; each piece of work continues it, so that the JIT cannot eliminate one. */
let state = 0x811c9dc5;

/**
 * Uses the CPU time that the u32 at the start of the request's body states, µs (`Method.work`). The first call fixes
 * the number of iterations, so a server that waits for its CPU in between still does all of its work.
 */
export function work(request: Uint8Array): void {
  iterationsPerMicro ??= calibrate();
  hash(Math.round(Math.min(leadingNumber(request), MOST_MICROS) * iterationsPerMicro));
}

/** Returns the fastest of several tries: the others ran before the code was compiled, or waited for a CPU. */
function calibrate(): number {
  let fastest = 0;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const startedNs = process.hrtime.bigint();
    hash(TRY_ITERATIONS);
    fastest = Math.max(fastest, (TRY_ITERATIONS * 1000) / Math.max(1, Number(process.hrtime.bigint() - startedNs)));
  }
  return fastest;
}

/** FNV-1a over a counter: each step needs the one before, and touches no memory. */
function hash(iterations: number): void {
  let value = state;
  for (let index = 0; index < iterations; index++) value = Math.imul(value ^ (index & 0xff), 0x01000193);
  state = value;
}
