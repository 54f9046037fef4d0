import type { SenderOutcome, SenderPlan } from "../../scenarios/check.ts";
import type { Address } from "../../transports/contract/transport.ts";

/** Process that sends, closes and exits. Reports `sender-ready`, and, after `begin`, `sender-done`. */
export interface SenderWork extends SenderPlan {
  readonly kind: "sender";
}
export interface SenderReady {
  readonly type: "sender-ready";
  readonly address: Address;
}
export interface SenderDone extends SenderOutcome {
  readonly type: "sender-done";
}
