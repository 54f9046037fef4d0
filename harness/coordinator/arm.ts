import type { Benchmark } from "../../scenarios/benchmark.ts";
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import { HEADER_BYTES } from "../../transports/contract/frame.ts";
import type { Transport } from "../../transports/contract/transport.ts";
import type { TransportReference } from "../process/messages.ts";
import { type PlacementCpus, placementCpus } from "../process/pinning.ts";
import type { Placement } from "../results/model.ts";

/** What one trial measures: a mechanism, how it waits, and where its two ends run. */
export interface Arm {
  readonly transport: Transport;
  readonly reference: TransportReference;
  readonly version: string;
  readonly mode: WaitMode;
  readonly placement: Placement;
  readonly peerLanguage: string;
  readonly cpus: PlacementCpus;
}

/** A row of the report: one arm, one benchmark, one size. */
export interface Cell {
  readonly benchmark: Benchmark;
  readonly payloadBytes: number;
}

export type ArmOrReason = { readonly arm: Arm } | { readonly reason: string };

/** Places an arm on CPUs, or says why it cannot run there. */
export function placeArm(arm: Omit<Arm, "cpus">): ArmOrReason {
  const { mode, placement, transport } = arm;
  const cpus = placementCpus(placement);
  if ("reason" in cpus) return cpus;
  if (mode === "polling" && placement === "same-cpu") {
    return { reason: "each end would spin until the scheduler takes the one CPU away: about 8 ms per round trip" };
  }
  if (mode === "polling" && placement === "unpinned" && cpus.driver === cpus.peer && !/[-,]/.test(cpus.driver)) {
    return { reason: "both ends would spin on the one CPU there is" };
  }
  const { event, blocking } = transport;
  if (mode === "event" ? event === undefined : blocking === undefined) {
    return { reason: `has no ${mode === "event" ? "event-loop" : "blocking"} face` };
  }
  return { arm: { ...arm, cpus } };
}

/** Why a cell does not exist for this arm; undefined when it does. */
export function cellReason({ transport }: Arm, { benchmark, payloadBytes }: Cell): string | undefined {
  const { maxMessageBytes, patterns } = transport.capabilities;
  if (!patterns.includes(benchmark.pattern)) return `the pattern ${benchmark.pattern} does not exist here`;
  if (payloadBytes + HEADER_BYTES > maxMessageBytes) {
    return `carries at most ${maxMessageBytes - HEADER_BYTES} bytes of payload in one message`;
  }
  return undefined;
}
