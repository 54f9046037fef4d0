import type { CodecId, Recorded, Variant } from "../../scenarios/benchmark.ts";
import { codecRoundTrip } from "../../scenarios/benchmarks/codec-round-trip.ts";
import { fanOut } from "../../scenarios/benchmarks/fan-out.ts";
import { workload as benchmark } from "../../scenarios/benchmarks/workload.ts";
import { DEFAULT_WORKLOAD } from "../../scenarios/profiles/default-workload.ts";
import type { LoadPoint, Workload } from "../../scenarios/workload.ts";
import type { Cell } from "../coordinator/arm.ts";
import { UsageError } from "../results/exit-codes.ts";
import type { Measurement } from "../results/model.ts";
import { LEAST_SIZED_BYTES } from "../rpc/codecs/sized.ts";
import type { MeasureOptions } from "./options.ts";
import { checkPayloads, meanBytes, sizesOf } from "./payloads.ts";

/** Size of the u32 that names the work of a request. */
const LEAST_WITH_WORK_BYTES = 4;

/**
 * Returns the workload that the flags ask for. Where they leave something open, `base` decides, such as a profile's
 * workload.
 *
 * @throws UsageError for a mix that does not add up, or requests that are too small to name their work
 */
export function workloadOf(options: MeasureOptions, base: Partial<Workload> = {}): Workload {
  const { work, payload, peer, optimize, replayed } = options;
  const [main, ...otherLoads] = loadsOf(options, { ...DEFAULT_WORKLOAD, ...base });
  const workload: Workload = {
    ...DEFAULT_WORKLOAD,
    ...base,
    ...main,
    otherLoads,
    ...(work === undefined ? {} : { workMicros: work }),
    ...(payload === undefined ? {} : { payloads: checkPayloads(payload) }),
    ...(peer?.[0] === undefined ? {} : { peer: peer[0] }),
    ...(optimize === undefined ? {} : { optimize }),
    ...(replayed === undefined ? {} : requestsOf(replayed.about)),
  };
  const tooSmall = sizesOf(workload.payloads).find((bytes) => bytes < LEAST_WITH_WORK_BYTES);
  if (workload.workMicros > 0 && tooSmall !== undefined) {
    throw new UsageError(
      `payload ${tooSmall} is too small for --work: a request needs ${LEAST_WITH_WORK_BYTES} bytes to name its work`,
    );
  }
  return workload;
}

/** Returns the parts of a workload that recorded messages decide instead of a profile. */
function requestsOf(recorded: Recorded): Pick<Workload, "recorded" | "payloads" | "workMicros" | "codec"> {
  return { recorded, payloads: [recorded.meanBytes], workMicros: 0, codec: null };
}

/** Largest number of points of a run: each costs every mechanism its client processes and a window in every round. */
const MOST_LOADS = 6;

/** Combines all numbers of clients with all rates; the first of each is the point of the answer. @throws UsageError */
function loadsOf({ clients, rate }: MeasureOptions, base: Workload): readonly [LoadPoint, ...LoadPoint[]] {
  const { ratePerSecond, otherLoads = [] } = base;
  const combined = [...new Set(clients ?? [base.clients])].flatMap((each) =>
    [...new Set(rate ?? [ratePerSecond])].map((perSecond) => ({ clients: each, ratePerSecond: perSecond })),
  );
  const loads = clients === undefined && rate === undefined ? [...combined, ...otherLoads] : combined;
  if (loads.length > MOST_LOADS)
    throw new UsageError(
      `clients and rates have ${loads.length} combinations; give at most ${MOST_LOADS}, or ask in several runs`,
    );
  return loads as unknown as [LoadPoint, ...LoadPoint[]];
}

/** True where the question needs more than a round trip. The benchmark `workload` is then measured. */
export function asksForMore(workload: Workload): boolean {
  return hasLoad(workload) || (workload.recorded !== undefined && workload.codec === null);
}

function hasLoad({ clients, ratePerSecond, otherLoads = [], payloads, workMicros }: Workload): boolean {
  return clients > 1 || ratePerSecond !== null || otherLoads.length > 0 || workMicros > 0 || "mix" in payloads;
}

/**
 * Adds the codec of `compare`: the one that was asked for, or else that of `base`. Default sizes that are too small for
 * a value are left out.
 *
 * @throws UsageError for several codecs, a size that is too small for a value, or requests that are not of one client
 */
export function withCodec(workload: Workload, { codec: asked, payload }: MeasureOptions): Workload {
  if (asked !== undefined && (asked.length !== 1 || asked[0] === "all"))
    throw new UsageError("compare takes one codec; measure --codec measures several side by side");
  const codec = (asked?.[0] as CodecId | undefined) ?? workload.codec;
  if (codec === null) return workload;
  const { payloads } = workload;
  if (hasLoad(workload) || "mix" in payloads)
    throw new UsageError(
      (asked === undefined ? `the profile has --codec ${codec}, which` : `--codec ${codec}`) +
        " is for one client that waits for each reply; leave out --clients, --rate, --work and the mix" +
        (asked === undefined ? ", or name another --profile" : ""),
    );
  if (workload.recorded !== undefined) return { ...workload, codec };
  const enough = codec === "raw" ? payloads : payloads.filter((bytes) => bytes >= LEAST_SIZED_BYTES);
  const tooSmall = payloads.find((bytes) => !enough.includes(bytes));
  if (enough.length === 0 || (payload !== undefined && tooSmall !== undefined))
    throw new UsageError(
      `payload ${tooSmall} is too small for a value in ${codec}; give at least ${LEAST_SIZED_BYTES} bytes`,
    );
  // Sizes that did not change stay the profile's own list, by which `pickSizes` recognises them.
  return { ...workload, codec, payloads: tooSmall === undefined ? payloads : enough };
}

/** Returns a cell for each size of a workload with a codec: both ends convert a value that takes so many bytes. */
export function sizedCells(codec: CodecId, payloads: readonly number[]): readonly Cell[] {
  return payloads.map((payloadBytes) => ({ benchmark: codecRoundTrip, variant: { codec }, payloadBytes }));
}

/** Number of subscribers where a question is about publishing. */
const SUBSCRIBERS = 4;

/** Returns a cell for each size, in which a server publishes. */
export function fanOutCells(payloads: readonly number[]): readonly Cell[] {
  return payloads.map((payloadBytes) => ({
    benchmark: fanOut,
    variant: { clients: SUBSCRIBERS },
    payloadBytes,
  }));
}

/** Returns a cell for each size at each load, or for the mix at each load; those of the answer first. */
export function workloadCells(workload: Workload): readonly Cell[] {
  return [workload, ...(workload.otherLoads ?? [])].flatMap((load) => cellsAt(load, workload));
}

/** Returns the cell in which one client replays recorded messages and waits for each reply. */
export function replayCells(recorded: Recorded): readonly Cell[] {
  return workloadCells({ ...DEFAULT_WORKLOAD, ...requestsOf(recorded) });
}

function cellsAt({ clients, ratePerSecond }: LoadPoint, workload: Workload): readonly Cell[] {
  const { payloads, workMicros, recorded } = workload;
  const variant: Variant = {
    clients,
    ...(ratePerSecond === null ? {} : { ratePerSecond }),
    ...(workMicros === 0 ? {} : { workMicros }),
    ...(recorded === undefined ? {} : { recorded }),
  };
  if (!("mix" in payloads)) return sizesOf(payloads).map((payloadBytes) => ({ benchmark, variant, payloadBytes }));
  const { mix } = payloads;
  return [{ benchmark, variant: { ...variant, mix }, payloadBytes: meanBytes(mix) }];
}

/** Samples that a p99 needs over all trials, see `results/quantiles.ts`. */
const SAMPLES_FOR_P99 = 2000;

/** Returns a sentence on what it takes to get the p99 that was asked for; undefined where every row has one. */
export function lackOfP99(rows: readonly Measurement[]): string | undefined {
  const lacking = rows.flatMap((row) =>
    row.status === "measured" && row.latencyNs !== undefined && row.latencyNs.p99 === undefined
      ? [{ transport: row.transport, count: row.latencyNs.count }]
      : [],
  );
  if (lacking.length === 0) return undefined;
  const fewest = Math.max(1, Math.min(...lacking.map(({ count }) => count)));
  const names = [...new Set(lacking.map(({ transport }) => transport))].join(", ");
  const times = Math.max(2, Math.ceil(SAMPLES_FOR_P99 / fewest));
  const need = `a p99 needs ${SAMPLES_FOR_P99} samples in all trials and 300 in each, and this run has ${fewest}`;
  return `no p99 of ${names}: ${need}; give a --budget about ${times} times as long`;
}
