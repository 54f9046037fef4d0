import { readSync, writeSync } from "node:fs";
import { quantileSorted } from "../../results/quantiles.ts";

const STDIN = 0;
const STDOUT = 1;

/**
 * How the benchmark lets two clients take turns: it writes a count to a client's stdin, the client makes so many round
 * trips and prints the p50 of them in nanoseconds. Between windows the whole process sleeps in `read`, whatever its arm is made
 * of, so that each pair of windows meets the same machine and the other client has the CPU for itself.
 */
export class Gate {
  /** Blocks until the next window may begin; its count, or undefined when there is none. */
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
