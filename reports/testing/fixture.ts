import hdr from "hdr-histogram-js";
import { NO_COSTS } from "../../harness/results/measurement.ts";
import type {
  Interval,
  Measurement,
  Placement,
  Quantiles,
  Report,
  Row,
  TransportRecord,
  UnmeasuredRow,
  ValidTrial,
} from "../../harness/results/model.ts";
import { randomFrom } from "../../harness/results/random.ts";
import type { Capabilities, WaitMode } from "../../transports/contract/capabilities.ts";
import { fixtureChecks, fixturePick } from "./fixture-verdicts.ts";

/** Synthetic reports for the tests of this folder: invented numbers shaped like real ones, fixed by the seed. */

export interface FixtureOptions {
  readonly seed?: number;
  readonly trials?: number;
  readonly placements?: readonly Placement[];
  readonly payloads?: readonly number[];
}

interface Model {
  readonly id: string;
  readonly mode: WaitMode;
  /** p50 at 64 B on two CPUs, ns; then ns per byte; then the factor on one CPU. */
  readonly base: number;
  readonly perByte: number;
  readonly sameCpu: number;
  readonly cpu: number;
  readonly rendezvous?: Capabilities["rendezvous"];
  readonly maxMessageBytes?: number;
}

const MODELS: readonly Model[] = [
  { id: "loopback", mode: "event", base: 640, perByte: 0.05, sameCpu: 1, cpu: 1, rendezvous: "process" },
  { id: "unix", mode: "event", base: 19_400, perByte: 0.42, sameCpu: 0.86, cpu: 1.5 },
  { id: "tcp", mode: "event", base: 27_100, perByte: 0.36, sameCpu: 0.9, cpu: 1.55 },
  { id: "fifo", mode: "event", base: 18_900, perByte: 0.83, sameCpu: 0.8, cpu: 1.4 },
  { id: "stdio", mode: "event", base: 19_700, perByte: 0.45, sameCpu: 0.86, cpu: 1.5, rendezvous: "parent" },
  { id: "shm/futex", mode: "blocking", base: 7_900, perByte: 0.11, sameCpu: 0.6, cpu: 1.1 },
  { id: "posix-mq", mode: "blocking", base: 9_600, perByte: 0.2, sameCpu: 0.62, cpu: 1.2, maxMessageBytes: 8192 },
  { id: "shm/spin", mode: "polling", base: 610, perByte: 0.09, sameCpu: 4000, cpu: 2 },
];

const PAYLOADS = [64, 4096, 65_536];

export function fixtureReport(options: FixtureOptions = {}): Report {
  const { seed = 7, trials = 8, placements = ["same-cpu", "two-cpus"], payloads = PAYLOADS } = options;
  const random = randomFrom(seed);
  const measurements = placements.flatMap((placement) =>
    MODELS.flatMap((model) =>
      payloads.flatMap((payload) => [
        pingPong(model, placement, payload, trials, random),
        stream(model, placement, payload, trials, random),
      ]),
    ),
  );
  return {
    schemaVersion: 2,
    startedAt: "2026-11-22T10:00:00.000Z",
    durationMs: 48_200,
    commandLine: `ipcmark compare --seed ${seed}`,
    seed,
    environment: environment(placements),
    transports: MODELS.map(record).concat(unavailable()),
    checks: fixtureChecks(MODELS.map(({ id }) => id)),
    measurements,
    cBaseline: cBaseline(placements, payloads, trials, random),
    pick: placements.includes("two-cpus") ? fixturePick() : null,
    warnings: [
      {
        id: "hypervisor-steal",
        text: "the hypervisor took 2.3 % of the CPU time: run on a quieter machine, or with more --trials",
        where: {},
      },
    ],
  };
}

function environment(placements: readonly Placement[]): Report["environment"] {
  const cpus = { "same-cpu": { driver: "0", peer: "0" }, "two-cpus": { driver: "0", peer: "1" } };
  return {
    ipcmark: "0.1.0",
    node: "26.10.0",
    v8: "14.2.231",
    platform: "linux",
    arch: "x64",
    kernel: "6.1.0-28-amd64",
    cpuModel: "Synthetic CPU of the fixture @ 2.80GHz",
    cpus: 2,
    allowedCpus: "0-1",
    memoryBytes: 8 * 1024 ** 3,
    virtualization: "kvm",
    governor: null,
    loadAverage1: 0.42,
    stealShare: 0.023,
    placements: Object.fromEntries(Object.entries(cpus).filter(([name]) => placements.includes(name as Placement))),
    ffi: { binding: "ffi-rs", callNs: 412 },
    timerNs: 43,
    harnessFloorNs: 640,
  };
}

function capabilities(model: Pick<Model, "mode" | "rendezvous" | "maxMessageBytes">): Capabilities {
  return {
    modes: [model.mode],
    patterns: ["request-reply", "one-way"],
    rendezvous: model.rendezvous ?? "address",
    boundaries: "prefix",
    delivery: "reliable",
    ordering: "fifo",
    maxMessageBytes: model.maxMessageBytes ?? 64 * 1024 * 1024,
    maxClients: 64,
    maxInFlight: 64,
    connects: "checked",
    backpressure: "native",
    peerLoss: "immediate",
    auth: ["permissions"],
    persistent: false,
    platforms: ["linux", "darwin"],
    languages: ["any"],
  };
}

function record(model: Model): TransportRecord {
  const baseline = model.rendezvous === "process";
  return { id: model.id, capabilities: capabilities(model), baseline, available: true, version: "node 26.10.0" };
}

function unavailable(): TransportRecord[] {
  const reason = "the zeromq package could not be loaded: no prebuilt binary for this platform; run `npm i zeromq`";
  return [
    {
      id: "zeromq/dealer-router",
      capabilities: capabilities({ mode: "event" }),
      baseline: false,
      available: false,
      reason,
    },
  ];
}

/** Draws a time. A sum of four uniforms is bell-shaped enough; one in a hundred takes 2 to 12 times the median. */
function sample(center: number, random: () => number): number {
  const bell = (random() + random() + random() + random() - 2) / 2;
  const tail = random() < 0.012 ? 2 + random() ** 3 * 10 : 1;
  return Math.max(1, Math.round(center * (1 + bell * 0.12) * tail));
}

/** @param mean passed by the caller, which has the values; the histogram would go through all its buckets for it */
function quantilesOf(histogram: hdr.Histogram, mean: number): Quantiles {
  const count = histogram.totalCount;
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile);
  return {
    count,
    min: histogram.minNonZeroValue,
    p50: at(50),
    p90: at(90),
    ...(count >= 2000 ? { p99: at(99) } : {}),
    max: histogram.maxValue,
    mean,
  };
}

function newHistogram(): hdr.Histogram {
  return hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000_000,
    numberOfSignificantValueDigits: 3,
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
}

function intervalOf(values: readonly number[]): Interval | undefined {
  if (values.length < 6) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  return [sorted[0] ?? 0, sorted.at(-1) ?? 0];
}

function cell(model: Model, benchmark: string, placement: Placement, payloadBytes: number): Row {
  return {
    benchmark,
    model: benchmark === "throughput" ? "stream" : "ping-pong",
    transport: model.id,
    mode: model.mode,
    placement,
    payloadBytes,
    inFlight: 1,
    clients: 1,
    ratePerSecond: null,
    codec: "raw",
    peer: { language: "node", version: "26.10.0" },
    messages: null,
    trials: [],
    warnings: [],
  };
}

function refusal(
  model: Model,
  placement: Placement,
  payload: number,
): Pick<UnmeasuredRow, "status" | "reason"> | undefined {
  if (payload + 16 > (model.maxMessageBytes ?? Number.POSITIVE_INFINITY))
    return {
      status: "not-applicable",
      reason: `${model.id} carries at most ${model.maxMessageBytes} bytes per message`,
    };
  if (model.mode === "polling" && placement === "same-cpu")
    return { status: "not-applicable", reason: "polling needs a CPU of its own on each side" };
  if (model.id === "tcp" && payload === 65_536 && placement === "same-cpu")
    return { status: "failed", reason: "2 messages lost in round 3 (sequence numbers 1187 and 1188)" };
  return undefined;
}

function pingPong(
  model: Model,
  placement: Placement,
  payload: number,
  trials: number,
  random: () => number,
): Measurement {
  const plain = cell(model, "round-trip", placement, payload);
  const refused = refusal(model, placement, payload);
  if (refused) return { ...plain, ...refused };
  const center = (model.base + model.perByte * payload) * (placement === "same-cpu" ? model.sameCpu : 1);
  const messages = payload > 4096 ? 600 : 2200;
  const merged = newHistogram();
  const list = Array.from({ length: trials }, (_, round): ValidTrial & { readonly latencyNs: Quantiles } => {
    const own = newHistogram();
    // The median differs more between processes than within one; one trial of fifo lies in the other group.
    const shift = model.id === "fifo" && round % 4 === 3 ? 1.45 : 1 + (random() - 0.5) * 0.05;
    let total = 0;
    for (let index = 0; index < messages; index++) {
      const value = sample(center * shift, random);
      own.recordValue(value);
      total += value;
    }
    merged.add(own);
    const latencyNs = quantilesOf(own, total / messages);
    return {
      ...emptyTrial(round),
      latencyNs,
      messagesPerSecond: 1e9 / latencyNs.mean,
      cpuNsPerMessage: center * model.cpu,
    };
  });
  const p50s = list.map((trial) => trial.latencyNs.p50);
  const p50 = intervalOf(p50s);
  const mean = list.reduce((sum, trial) => sum + trial.latencyNs.mean, 0) / list.length;
  const quantiles = { ...quantilesOf(merged, mean), p50: median(p50s) };
  const { p99: _, ...without } = quantiles;
  return {
    ...plain,
    ...NO_COSTS,
    status: "measured",
    messages,
    latencyNs: messages < 2000 ? without : quantiles,
    interval: p50 ? { p50 } : {},
    messagesPerSecond: 1e9 / quantiles.mean,
    bytesPerSecond: (payload * 1e9) / quantiles.mean,
    cpuNsPerMessage: center * model.cpu,
    contextSwitchesPerMessage: model.mode === "polling" ? 0.002 : 2.01,
    peakMemoryBytes: 62 * 1024 * 1024,
    gcPauseNs: 1_200_000,
    trials: list,
    histogram: hdr.encodeIntoCompressedBase64(merged),
    warnings:
      model.id === "fifo"
        ? [
            {
              id: "bimodal",
              text: "bimodal: trials fall into two groups, at 19 µs and 27 µs",
              where: {
                transport: model.id,
                mode: model.mode,
                placement,
                benchmark: "round-trip",
                payloadBytes: payload,
              },
            },
          ]
        : [],
  };
}

function emptyTrial(round: number): ValidTrial {
  return {
    round: round + 1,
    startedAtMs: 1200 + round * 5300,
    status: "valid",
    messagesPerSecond: 0,
    ...NO_COSTS,
    corrupted: 0,
  };
}

function stream(
  model: Model,
  placement: Placement,
  payload: number,
  trials: number,
  random: () => number,
): Measurement {
  const plain = cell(model, "throughput", placement, payload);
  const refused = refusal(model, placement, payload);
  if (refused) return { ...plain, ...refused };
  if (model.id === "stdio" && payload === 4096)
    return { ...plain, status: "failed", reason: "the peer ended with SIGSEGV after 1204 messages" };
  const perMessage = model.base / 18 + model.perByte * payload * 0.7;
  const rates = Array.from({ length: trials }, () => (1e9 / perMessage) * (1 + (random() - 0.5) * 0.08));
  const interval = intervalOf(rates);
  return {
    ...plain,
    ...NO_COSTS,
    status: "measured",
    messages: 40_000,
    interval: interval ? { messagesPerSecond: interval } : {},
    messagesPerSecond: median(rates),
    bytesPerSecond: median(rates) * payload,
    cpuNsPerMessage: perMessage * 1.7,
    trials: rates.map((messagesPerSecond, round) => ({ ...emptyTrial(round), messagesPerSecond })),
  };
}

function cBaseline(
  placements: readonly Placement[],
  payloads: readonly number[],
  trials: number,
  random: () => number,
): Measurement[] {
  const unix = MODELS.find((model) => model.id === "unix") as Model;
  const native: Model = { ...unix, mode: "blocking", base: 6_100, perByte: 0.2, cpu: 1 };
  return placements.flatMap((placement) =>
    payloads.map((payload) => ({
      ...pingPong(native, placement, payload, trials, random),
      benchmark: "c-baseline",
      transport: "c/unix",
      peer: { language: "c", version: "" },
    })),
  );
}
