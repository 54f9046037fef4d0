import type { CodecId } from "../../scenarios/benchmark.ts";
import type { Place } from "../../transports/contract/transport.ts";
import type { PinPrefix } from "../process/messages.ts";
import type { CodecCost } from "../results/model.ts";
import type { ProcessSupervisor } from "./process-supervisor.ts";

const TIMEOUT_MS = 60_000;

export interface CodecCostRequest {
  readonly codecs: readonly CodecId[];
  readonly seed: number;
  /**
   * Time for each combination of codec, kind of value and direction, ms. There are 40 combinations. Each has a warm-up
   * that lasts up to the same time.
   */
  readonly timeMs: number;
  readonly pin: PinPrefix;
}

/** Measures codecs without a transport in a fresh process; returns the reason where that process failed. */
export async function measureCodecCosts(
  supervisor: ProcessSupervisor,
  place: Place,
  { codecs, seed, timeMs, pin }: CodecCostRequest,
): Promise<{ readonly codecs: readonly CodecCost[] } | { readonly reason: string }> {
  let rows: readonly CodecCost[] | undefined;
  const outcome = await supervisor.run({
    start: {
      type: "start",
      // A driver loads a transport before its work; this one opens nothing.
      transport: { id: "loopback", module: null },
      mode: "event",
      place,
      peerPin: [],
      peerLanguage: "node",
      work: { kind: "codecs", codecs, seed, timeMs },
    },
    pin,
    timeoutMs: TIMEOUT_MS,
    onResult: (message) => {
      if (message.type === "codecs") rows = message.rows;
      return undefined;
    },
  });
  if (outcome.status === "failed") return { reason: outcome.reason };
  return rows === undefined ? { reason: "the process ended without a result" } : { codecs: rows };
}
