import type { Transport } from "../contract/transport.ts";
import { unix } from "./unix.ts";
import { unixBlocking } from "./unix-blocking.ts";

/** For the tests: `unix` with the blocking face alone. */
export const unixOnlyBlocking: Transport = {
  ...unix,
  capabilities: { ...unix.capabilities, modes: ["blocking"] },
  blocking: unixBlocking,
};
