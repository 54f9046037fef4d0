import { setFlagsFromString } from "node:v8";

let isHeld = false;

/**
 * Keeps V8's optimizing compiler (TurboFan) from compiling anything more, until called with `false`. V8 looks at this
 * filter of names each time it would compile a function: `~` takes none. So code stays in the tier it has reached, and
 * what a warm-up left uncompiled costs the window nothing: a function takes 1 to 4 ms, of windows of 20. Without effect
 * where V8 runs as it is (`IPCMARK_V8=default`).
 *
 * A limit of 0 bytes (`--max-optimized-bytecode-size`) would do too, and V8 would never look at these functions again.
 */
export function holdCompiler(held: boolean): void {
  if (held === isHeld || process.env["IPCMARK_V8"] === "default") return;
  setFlagsFromString(`--turbo-filter=${held ? "~" : "*"}`);
  isHeld = held;
}
