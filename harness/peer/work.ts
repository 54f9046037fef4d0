import { leadingNumber } from "./handlers.ts";

/** More than this nobody asks for; a request with a forged number must not keep the server for an hour. */
const MOST_MICROS = 1_000_000;
const TRIES = 12;
const TRY_ITERATIONS = 200_000;

let iterationsPerMicro: number | undefined;
/** Each piece of work goes on from the one before: so no compiler can leave one out. */
let state = 0x811c9dc5;

/**
 * Uses as many microseconds of CPU as the u32 at the start of the request's body states (`Method.work`): a number of iterations that is fixed
 * at the first call, so that a server which has to wait for its CPU in between still does all of its work.
 */
export function work(request: Uint8Array): void {
  iterationsPerMicro ??= calibrate();
  hash(Math.round(Math.min(leadingNumber(request), MOST_MICROS) * iterationsPerMicro));
}

/** The fastest of several tries: the others ran before the code was compiled, or without a CPU for a while. */
function calibrate(): number {
  let fastest = 0;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const startedNs = process.hrtime.bigint();
    hash(TRY_ITERATIONS);
    fastest = Math.max(fastest, (TRY_ITERATIONS * 1000) / Math.max(1, Number(process.hrtime.bigint() - startedNs)));
  }
  return fastest;
}

/** FNV-1a over a counter: each step needs the one before, and no memory is touched. */
function hash(iterations: number): void {
  let value = state;
  for (let index = 0; index < iterations; index++) value = Math.imul(value ^ (index & 0xff), 0x01000193);
  state = value;
}
