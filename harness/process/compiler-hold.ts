import { setFlagsFromString } from "node:v8";

let isHeld = false;

/**
 * Keeps V8's optimizing compiler (TurboFan) from compiling anything more, until called with `false`. V8 checks this
 * filter of names each time it would compile a function; `~` matches none. So code stays in the tier it has reached,
 * and the window does not pay for functions that the warm-up left uncompiled. One function takes 1 to 4 ms, and a
 * window may have only 20. Without effect where V8 runs as it is (`IPCMARK_V8=default`).
 *
 * A limit of 0 bytes (`--max-optimized-bytecode-size`) would have the same effect at first, but V8 would never compile
 * these functions later.
 */
export function holdCompiler(held: boolean): void {
  if (held === isHeld || process.env["IPCMARK_V8"] === "default") return;
  setFlagsFromString(`--turbo-filter=${held ? "~" : "*"}`);
  isHeld = held;
}
