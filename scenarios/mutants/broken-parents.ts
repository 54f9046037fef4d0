/** Faults of a parent that launches its peer: `stdio` with what a child's rubbish could do to it. */
import type { Transport } from "../../transports/contract/transport.ts";
import { stdio } from "../../transports/pipes/stdio.ts";
import { type Fault, withFault } from "./tapped.ts";

const FAULTS: Readonly<Record<string, Fault>> = {
  "dies-of-its-child": {
    about: "throws where nobody can catch it when its child writes what is no message, as Node's own channel does",
    client: () => ({
      closed(error, tell) {
        tell(error);
        if (error?.code === "IPC_MALFORMED") process.nextTick(() => JSON.parse("rubbish"));
      },
    }),
  },
  "calls-rubbish-an-end": {
    about: "takes a child that writes what is no message for one that has ended in order",
    client: () => ({ closed: (error, tell) => tell(error?.code === "IPC_MALFORMED" ? undefined : error) }),
  },
};

export const BROKEN_PARENTS: readonly Transport[] = Object.entries(FAULTS).map(([name, fault]) =>
  withFault(stdio, `broken/${name}`, fault),
);
