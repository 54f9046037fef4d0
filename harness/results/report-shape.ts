import { OPTIMIZE } from "../../scenarios/workload.ts";
import { CELL_OPTIONAL, CELL_REQUIRED, CHANGES } from "./changes-shape.ts";
import type {
  CanarySummary,
  CheckResult,
  ControlSummary,
  Crash,
  Curve,
  Environment,
  GroupFigures,
  InvalidTrial,
  MeasuredRow,
  Measurement,
  NoCBaseline,
  Quantiles,
  Question,
  Report,
  RoundRecord,
  Row,
  RunDuration,
  Trial,
  TrialFigures,
  UnmeasuredRow,
  ValidTrial,
} from "./model.ts";
import type { RunPhases } from "./phases.ts";
import { PICK } from "./pick-shape.ts";
import { RECHECK } from "./recheck-shape.ts";
import {
  above0,
  anyOf,
  byPlacement,
  DAY_NS,
  type Fields,
  flag,
  histogram,
  integer,
  interval,
  intervalOf,
  latency,
  list,
  MOST,
  mode,
  model,
  name,
  number,
  object,
  oneOf,
  orNull,
  perMessage,
  placement,
  rate,
  record,
  type Schema,
  share,
  signedTime,
  TEXT_BYTES,
  text,
  time,
  times,
  when,
  YEAR_MS,
} from "./schema-parts.ts";
import { WARNINGS, type Warning, type WarningPlace } from "./warnings.ts";

/**
 * The report as JSON Schema: every field of `model.ts` that a reader relies on, within the bounds of what a machine
 * can have measured. What older reports lack is optional here.
 */

const quantiles = (value: Schema): Schema => ({
  ...model<Quantiles>()(
    { p50: value },
    {
      count: integer(1),
      min: number(value === latency ? 0 : -DAY_NS, DAY_NS),
      p90: value,
      p99: value,
      p999: value,
      max: value,
      mean: value,
    },
  ),
  ascending: ["min", "p50", "p90", "p99", "p999", "max"],
});
const lateness = { ...object({ p50: time, p99: time, max: time }, { histogram }), ascending: ["p50", "p99", "max"] };
const peakMemory = orNull(object({ driver: rate }, { peer: orNull(rate) }));

const held = object({ processes: rate, privateBytes: rate, descriptors: rate, threads: rate });
const groups = (latencyNs: Schema): Schema =>
  list(
    model<GroupFigures>()({ name: text, latencyNs }, { interval: object({}, { p50: interval, p99: interval }) }),
    20,
  );

/** Figures that trials and measured rows share. */
const COSTS = {
  cpuNsPerMessage: orNull(time),
  contextSwitchesPerMessage: orNull(perMessage),
  voluntarySwitchesPerMessage: orNull(perMessage),
  involuntarySwitchesPerMessage: orNull(perMessage),
  peakMemoryBytes: orNull(rate),
  peakMemory,
  gcPauseNs: orNull(time),
  lost: integer(),
  duplicated: integer(),
  reordered: integer(),
  histogram,
  latenessNs: lateness,
  phasesNs: record(time),
  serverMemory: object({ one: held, all: held }),
  idleCpuShare: orNull(number(0, 1e6)),
} satisfies Fields;

export const WARNING = model<Warning>()(
  {
    id: oneOf(...Object.keys(WARNINGS)),
    text,
    where: model<WarningPlace>()(
      {},
      {
        transport: text,
        mode,
        placement,
        benchmark: text,
        payloadBytes: integer(),
        ratePerSecond: above0(MOST),
        process: text,
        module: text,
      },
    ),
  },
  {},
);

const trialFigures = (latencyNs: Schema): Schema =>
  model<TrialFigures>()(
    { messagesPerSecond: orNull(rate) },
    {
      ...COSTS,
      corrupted: integer(),
      latencyNs,
      groups: groups(latencyNs),
      halvesNs: { type: "array", items: signedTime, minItems: 2, maxItems: 2 },
    },
  );

const trial: Schema = {
  ...model<Omit<ValidTrial, keyof TrialFigures>>()(
    { round: integer(), status: anyOf<Trial["status"]>({ valid: true, invalid: true, refused: true }) },
    { startedAtMs: number(-YEAR_MS, MOST) },
  ),
  ...when(
    "status",
    "valid",
    trialFigures(quantiles(latency)),
    model<Pick<InvalidTrial, "reason" | "evidence">>()(
      { reason: text },
      // One reason for an invalid trial is a clock that went backwards.
      { evidence: trialFigures(quantiles(signedTime)) },
    ),
  ),
};

const measuredOnly = model<Omit<MeasuredRow, keyof UnmeasuredRow>>()(
  // The rate is 0 in a model in which nothing is sent.
  { interval: object({}, { p50: interval, p99: interval, messagesPerSecond: intervalOf(rate) }) },
  {
    ...COSTS,
    latencyNs: quantiles(latency),
    groups: groups(quantiles(latency)),
    messagesPerSecond: orNull(above0(MOST)),
    bytesPerSecond: orNull(rate),
    lossShare: share,
    stationarity: object(
      {},
      { withinTrial: orNull(object({ ratio: times }, { interval: orNull(interval) })), overRun: orNull(times) },
    ),
    cBaseline: object({ transport: text, p50: latency, ratio: times }, { interval: orNull(interval) }),
  },
);

const measurement: Schema = {
  ...model<Row & Pick<Measurement, "status">>()(
    {
      ...CELL_REQUIRED,
      status: anyOf<Measurement["status"]>({ measured: true, failed: true, "not-applicable": true, unavailable: true }),
      trials: list(trial),
      warnings: list(WARNING),
    },
    { ...CELL_OPTIONAL, model: text, messages: orNull(integer()) },
  ),
  ...when("status", "measured", measuredOnly, object({ reason: text }, { keptPerSecond: rate })),
};

/** Texts may be any values: modules of users have capabilities too, and other versions of ipcmark have other values. */
const capabilities = object(
  {},
  {
    modes: list(mode, 3),
    ...Object.fromEntries(
      ["patterns", "auth", "platforms", "languages", "packages"].map((field) => [field, list(text, 100)]),
    ),
    ...Object.fromEntries(
      ["rendezvous", "boundaries", "delivery", "ordering", "connects", "backpressure", "peerLoss", "broker"].map(
        (field) => [field, text],
      ),
    ),
    ...Object.fromEntries(["maxMessageBytes", "maxClients", "maxInFlight"].map((field) => [field, number(0, MOST)])),
    persistent: flag,
    native: flag,
  },
);
const transport: Schema = {
  ...object({ id: name, available: flag, capabilities }, { baseline: flag, sameAs: name, module: text }),
  ...when("available", true, object({ version: text }), object({ reason: text })),
};

const check = model<CheckResult>()(
  {
    scenario: name,
    title: text,
    transport: name,
    status: anyOf<CheckResult["status"]>({
      passed: true,
      failed: true,
      "not-applicable": true,
      "not-examined": true,
      unavailable: true,
    }),
  },
  {
    kind: oneOf("conformance", "scenario"),
    peer: text,
    reason: text,
    error: text,
    notes: record({ type: ["string", "number", "boolean"], maxLength: TEXT_BYTES }),
    durationMs: number(0, YEAR_MS),
  },
);

const codec: Schema = {
  ...object({ codec: text, corpus: text, status: oneOf("measured", "not-applicable") }),
  ...when(
    "status",
    "measured",
    object({ bytes: rate, firstBytes: rate, encodeNs: time, decodeNs: time, marginPercent: number(0, MOST) }),
    object({ reason: text }),
  ),
};

const round = model<RoundRecord>()(
  { round: integer() },
  {
    startedAtMs: number(0, YEAR_MS),
    durationMs: number(0, YEAR_MS),
    stealShare: orNull(number(-1, 1)),
    loadAverage1: number(0, 1e9),
    frequencyMHz: orNull(number(0, 1e9)),
    controls: list(object({ placement, p50: time }), 3),
    canaries: list(object({ placement, p99: time }), 3),
  },
);

const canary = {
  ...model<CanarySummary>()(
    { p50: time, max: time },
    { count: integer(), p90: time, p99: time, p999: time, bad: flag, sentence: text, histogram },
  ),
  ascending: ["p50", "p90", "p99", "p999", "max"],
};

const curve = model<Curve>()(
  {
    benchmark: text,
    transport: name,
    mode,
    placement,
    over: oneOf("payloadBytes", "inFlight", "clients", "ratePerSecond"),
    points: list(
      object(
        { x: rate, p50: orNull(latency), messagesPerSecond: orNull(rate) },
        { p99: orNull(latency), interval: orNull(interval) },
      ),
    ),
  },
  {
    peer: text,
    fixed: text,
    fit: object({ fixedNs: signedTime, nsPerByte: signedTime }),
    kneePerSecond: orNull(rate),
  },
);

export const ENVIRONMENT = model<Environment>()(
  { node: text, ffi: object({ binding: text }, { callNs: orNull(time), reason: text }) },
  {
    ipcmark: text,
    v8: text,
    platform: text,
    arch: text,
    kernel: text,
    cpuModel: text,
    cpus: integer(),
    allowedCpus: orNull(text),
    memoryBytes: rate,
    virtualization: orNull(text),
    governor: orNull(text),
    loadAverage1: number(0, 1e9),
    stealShare: orNull(number(-1, 1)),
    othersShare: orNull(share),
    placements: byPlacement(object({ driver: text, peer: text })),
    timerNs: time,
    fingerprint: text,
    frequencyMHz: orNull(number(0, 1e9)),
    cgroup: orNull(object({}, { cpus: orNull(above0(1e9)), memoryBytes: orNull(rate) })),
    keepAwake: {
      ...object({}, { cpus: list(integer()), reason: text }),
      anyOf: [object({ cpus: {} }), object({ reason: {} })],
    },
    harnessFloorNs: orNull(time),
  },
);

const open = object({ need: text, kind: oneOf("machine", "run", "record"), reason: text });
const standing: Schema = {
  ...object({ transport: name, status: oneOf("in", "excluded", "unavailable", "not-measured") }),
  ...when(
    "status",
    "in",
    object({ why: oneOf("named", "shortlist", "nearest"), shown: list(text), open: list(open) }),
    object({ reason: text }, { need: text }),
  ),
};

export const REPORT: Schema = model<Report>()(
  {
    schemaVersion: integer(1),
    startedAt: text,
    commandLine: text,
    environment: ENVIRONMENT,
    transports: list(transport, 1000),
    checks: list(check, 50_000),
    measurements: list(measurement, 20_000),
    cBaseline: list(measurement, 20_000),
    pick: orNull(PICK),
    warnings: list(WARNING),
  },
  {
    complete: flag,
    durationMs: number(0, YEAR_MS),
    seed: number(-MOST, MOST),
    startedFrom: anyOf<NonNullable<Report["startedFrom"]>>({ clone: true, package: true }),
    question: model<Question>()(
      { needs: list(text), profile: text, checks: list(text) },
      {
        workload: object(
          { clients: integer(1), peer: text, optimize: oneOf(...OPTIMIZE) },
          { recorded: CELL_OPTIONAL.recorded },
        ),
      },
    ),
    candidates: list(standing, 1000),
    crashes: list(model<Crash>()({ transport: text, process: text, signal: text, binding: text }, {})),
    rounds: list(round),
    controls: byPlacement(model<ControlSummary>()({ p50: time, spread: times }, { interval, rounds: integer() })),
    canaries: byPlacement(canary),
    duration: model<RunDuration>()(
      { effort: text, rounds: integer(), plannedMs: number(0, YEAR_MS), actualMs: number(0, YEAR_MS), sentence: text },
      { rule: text, target: share, reached: flag },
    ),
    phases: model<RunPhases>()(
      {
        checksMs: number(0, YEAR_MS),
        calibrationMs: number(0, YEAR_MS),
        roundsMs: number(0, YEAR_MS),
      },
      {},
    ),
    curves: list(curve),
    cBaselineReason: model<NoCBaseline>()(
      {
        status: anyOf<NoCBaseline["status"]>({ "not-asked": true, "not-applicable": true, unavailable: true }),
        reason: text,
      },
      {},
    ),
    codecs: list(codec),
    claims: list(name, 1000),
    against: CHANGES,
    recheck: RECHECK,
  },
);
