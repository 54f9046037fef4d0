import type { Transport } from "../contract/transport.ts";
import { fifo } from "./fifo.ts";
import { fifoBlocking } from "./fifo-blocking.ts";

/** For the tests: `fifo` with the blocking face alone. */
export const fifoOnlyBlocking: Transport = {
  ...fifo,
  capabilities: { ...fifo.capabilities, modes: ["blocking"] },
  blocking: fifoBlocking,
};
