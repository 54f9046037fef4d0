/** Faults of a parent that launches its peer: versions of `stdio` that malformed bytes of a child harm. */
import { IpcError } from "../../transports/contract/errors.ts";
import type { Transport } from "../../transports/contract/transport.ts";
import { stdio } from "../../transports/pipes/stdio.ts";
import { type Fault, withFault } from "./tapped.ts";

const FAULTS: Readonly<Record<string, Fault>> = {
  "dies-of-its-child": {
    about: "throws an uncaught exception when its child writes malformed bytes, as Node's own channel does",
    client: () => ({
      closed(error, tell) {
        tell(error);
        if (error?.code === "IPC_MALFORMED") process.nextTick(() => JSON.parse("rubbish"));
      },
    }),
  },
  "calls-rubbish-an-end": {
    about: "treats malformed bytes of its child as an orderly end",
    client: () => ({ closed: (error, tell) => tell(error?.code === "IPC_MALFORMED" ? undefined : error) }),
  },
  "hides-the-line": {
    about: "reports a log line of its child as malformed, but does not show the line",
    client: () => ({
      closed: (error, tell) =>
        tell(error?.code === "IPC_MALFORMED" ? new IpcError("IPC_MALFORMED", "malformed bytes") : error),
    }),
  },
};

export const BROKEN_PARENTS: readonly Transport[] = Object.entries(FAULTS).map(([name, fault]) =>
  withFault(stdio, `broken/${name}`, fault),
);
