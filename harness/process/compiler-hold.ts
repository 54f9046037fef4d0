import { setFlagsFromString } from "node:v8";

/** Largest bytecode that V8's optimizing compiler (TurboFan) takes, as V8 sets it: the same in Node 22, 24 and 26. */
const USUAL_BYTES = 61_440;

let isHeld = false;

/**
 * Keeps TurboFan from compiling anything more, until called with `false`. V8 reads this limit each time it would
 * compile a function, so code stays in the tier it has reached, and what a warm-up left uncompiled costs the window
 * nothing: a function takes 1 to 4 ms, of windows of 20. Without effect where V8 runs as it is (`IPCMARK_V8=default`).
 */
export function holdCompiler(held: boolean): void {
  if (held === isHeld || process.env["IPCMARK_V8"] === "default") return;
  setFlagsFromString(`--max-optimized-bytecode-size=${held ? 0 : USUAL_BYTES}`);
  isHeld = held;
}
