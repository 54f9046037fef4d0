import type { Capabilities } from "../../transports/contract/capabilities.ts";
import { loopback } from "../../transports/loopback/loopback.ts";
import type { Evidence, Question } from "../pick/pick.ts";
import type { MeasuredRow, TransportRecord } from "../results/model.ts";

/** Question of one size, both ends in event loops on two CPUs. */
export const QUESTION: Question = {
  payloads: [64],
  modes: ["event"],
  placement: "two-cpus",
  benchmark: "round-trip",
  peer: "node",
};

/** The same question for two sizes. */
export const TWO_SIZES: Question = { ...QUESTION, payloads: [64, 4096] };

/** Makes a record with the capabilities of `loopback` except these. */
export function recordOf(id: string, capabilities: Partial<Capabilities> = {}, baseline = false): TransportRecord {
  return { id, capabilities: { ...loopback.capabilities, ...capabilities }, baseline, available: true, version: "1" };
}

/** Makes a measured row; round `n` has these p50s, ns. */
export function rowOf(transport: string, p50s: readonly number[], change: Partial<MeasuredRow> = {}): MeasuredRow {
  return {
    benchmark: "round-trip",
    model: "ping-pong",
    transport,
    mode: "event",
    placement: "two-cpus",
    payloadBytes: 64,
    inFlight: 1,
    clients: 1,
    ratePerSecond: null,
    codec: "raw",
    peer: { language: "node", version: "26" },
    status: "measured",
    messages: 100,
    latencyNs: { count: 600, min: 1, p50: p50s[0] as number, max: 1, mean: 1 },
    interval: {},
    messagesPerSecond: 1,
    bytesPerSecond: 1,
    cpuNsPerMessage: 20_000,
    contextSwitchesPerMessage: 1,
    peakMemoryBytes: 1,
    gcPauseNs: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    trials: p50s.map((p50, round) => ({
      round: round + 1,
      startedAtMs: 0,
      status: "valid",
      latencyNs: { count: 100, min: 1, p50, max: 1, mean: 1 },
      messagesPerSecond: 1e9 / p50,
      cpuNsPerMessage: p50 / 2,
      contextSwitchesPerMessage: 1,
      peakMemoryBytes: 1,
      gcPauseNs: 0,
      lost: 0,
      duplicated: 0,
      reordered: 0,
      corrupted: 0,
    })),
    warnings: [],
    ...change,
  };
}

/** Makes the rows of both sizes of {@link TWO_SIZES}; round `n` has the same p50, ns, at both. */
export function rowsOf(transport: string, p50s: readonly number[], change: Partial<MeasuredRow> = {}): MeasuredRow[] {
  return TWO_SIZES.payloads.map((payloadBytes) => rowOf(transport, p50s, { payloadBytes, ...change }));
}

export interface Truth {
  readonly id: string;
  /** True median cost, ns. */
  readonly ns: number;
  readonly capabilities?: Partial<Capabilities>;
}

export interface Noise {
  readonly rounds: number;
  /** Standard deviations of the logarithm: here of the effect on a whole round, below of that on one trial. */
  readonly round: number;
  readonly trial: number;
}

/** Makes a report with known true costs: a trial is the truth, times its round's effect, times its own scatter. */
export function simulate(truths: readonly Truth[], noise: Noise, random: () => number): Evidence {
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const machine = Array.from({ length: noise.rounds }, () => Math.exp(noise.round * normal()));
  return {
    transports: truths.map(({ id, capabilities }) => recordOf(id, capabilities)),
    checks: [],
    measurements: truths.map(({ id, ns }) =>
      rowOf(
        id,
        machine.map((factor) => ns * factor * Math.exp(noise.trial * normal())),
      ),
    ),
  };
}
