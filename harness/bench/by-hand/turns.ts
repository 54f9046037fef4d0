import { readSync, writeSync } from "node:fs";
import { quantileSorted } from "../../results/quantiles.ts";

const STDIN = 0;
const STDOUT = 1;

/**
 * Turns of two clients. The benchmark writes a count to a client's stdin; the client makes that many round trips and
 * prints their p50 in nanoseconds. Between windows the whole process sleeps in `read`, whatever its arm is made of:
 * each pair of windows meets the same machine, and the other client has the CPU for itself.
 */
export class Turns {
  /** Blocks until the next window may begin. @returns its count, or undefined when there is none */
  next(): number | undefined {
    const bytes = Buffer.alloc(32);
    for (let have = 0; have < bytes.length; ) {
      const got = readSync(STDIN, bytes, have, 1, null);
      if (got === 0) return undefined;
      if (bytes[have] === 0x0a) return Number(bytes.toString("latin1", 0, have));
      have += got;
    }
    throw new Error("a window's count is longer than any number");
  }

  report(samples: Float64Array): void {
    writeSync(STDOUT, `${quantileSorted(samples.slice().sort(), 0.5)}\n`);
  }
}
