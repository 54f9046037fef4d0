import { leadingNumber } from "./handlers.ts";

/** Longest work of one request, µs: a forged number must not keep the server busy for an hour. */
const MOST_MICROS = 1_000_000;
/** Iterations of one call of the loop, about 1 µs. */
const PIECE = 1000;
/** Number of tries, with TRY_PIECES pieces each: after that many calls V8 has compiled both loops for good. */
const TRIES = 400;
const TRY_PIECES = 50;

let iterationsPerMicro: number | undefined;
/** State of the hash; each piece of work continues it, so that the JIT cannot eliminate one. */
let state = 0x811c9dc5;

/**
 * Uses the CPU time that the u32 at the start of the request's body states, µs (`Method.work`). The first call measures
 * the iterations per µs. Work is a number of iterations, so a server that waits for its CPU still does all of it.
 */
export function work(request: Uint8Array): void {
  iterationsPerMicro ??= calibrate();
  iterate(Math.round(Math.min(leadingNumber(request), MOST_MICROS) * iterationsPerMicro));
}

/** Returns the iterations per µs of the fastest try: others ran before the code was compiled, or waited for a CPU. */
function calibrate(): number {
  let fastest = 0;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const startedNs = process.hrtime.bigint();
    iterate(TRY_PIECES * PIECE);
    fastest = Math.max(fastest, (TRY_PIECES * PIECE * 1000) / Math.max(1, Number(process.hrtime.bigint() - startedNs)));
  }
  return fastest;
}

/**
 * Runs the loop in pieces. For one long call, V8 compiles code for that call alone. When the calibration was such a
 * call, later calls ran other code, and the work took three times as long as stated.
 */
function iterate(iterations: number): void {
  let left = iterations;
  for (; left > PIECE; left -= PIECE) hash(PIECE);
  hash(left);
}

/** FNV-1a over a counter: each step needs the result of the one before, and no step touches memory. */
function hash(iterations: number): void {
  let value = state;
  for (let index = 0; index < iterations; index++) value = Math.imul(value ^ (index & 0xff), 0x01000193);
  state = value;
}
