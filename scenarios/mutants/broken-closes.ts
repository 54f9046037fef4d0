/** Transports whose `close` resolves although some messages have not reached the other side. */
import type { Transport } from "../../transports/contract/transport.ts";
import { stdio } from "../../transports/pipes/stdio.ts";
import { http } from "../../transports/sockets/http.ts";
import { type Tap, withFault } from "./tapped.ts";

/** Drops the waiting messages. */
export const closesAtOnce = (): Tap => ({
  close: (_timeoutMs, close) => close(0).catch(() => undefined),
});

export const BROKEN_CLOSES: readonly Transport[] = [
  withFault(http, "broken/drops-requests", {
    about: "drops the requests that wait when it closes",
    client: closesAtOnce,
  }),
  withFault(stdio, "broken/parent-drops", {
    about: "drops the messages for the child when the parent closes",
    client: closesAtOnce,
  }),
  withFault(stdio, "broken/child-drops", {
    about: "drops the messages for the parent when the child closes",
    server: closesAtOnce,
  }),
];
