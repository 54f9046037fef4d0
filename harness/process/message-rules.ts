/** Rules that every received message must follow, since the sending process may run foreign code. */
import type { Address } from "../../transports/contract/transport.ts";
import type { HeldResources, ServerMemory } from "../results/measurement.ts";
import type { FromClient, Usages } from "./client-messages.ts";
import type {
  Alive,
  CellBegun,
  CellFigures,
  CellResult,
  CheckDone,
  ClientConnected,
  ClientDone,
  CodecsDone,
  Crashed,
  Failed,
  FromDriver,
  FromPeer,
  GroupSummary,
  Lateness,
  LoadWindow,
  PeerAccount,
  PeerReady,
  Published,
  Spawned,
  StreamReport,
  UsageReport,
  UserAttempted,
  UserReady,
} from "./messages.ts";
import {
  type Fields,
  flag,
  integer,
  listOf,
  must,
  number,
  oneOf,
  optional,
  orNull,
  type Rule,
  recordOf,
  shape,
  text,
  variant,
} from "./rules.ts";
import type { SenderDone, SenderReady } from "./sender-messages.ts";

/** Id of a process, which the receiver may kill with its group. Ids below 2 would mean all processes. */
const pid = integer(2);
const nanoseconds = must(
  "nanoseconds as decimal digits",
  (value) => typeof value === "string" && /^\d{1,20}$/.test(value),
);
const maybeNumber = orNull(number);
const scalar = must("a text, a number or a flag", (value) => typeof value !== "object");
const nothing = shape<object>({});

const address = shape<Address>({
  transport: text,
  name: text,
  options: optional(recordOf(scalar)),
});
const failed = shape<Failed>({ code: text, message: text });
const peer: Fields<PeerReady> = {
  pid,
  address,
  language: text,
  version: text,
  // Optional, because a peer in another language may not state it.
  cpus: optional(orNull(text)),
};
const usage = shape<UsageReport>({
  cpuMicros: number,
  voluntarySwitches: number,
  involuntarySwitches: number,
  peakMemoryBytes: number,
  gcPauseNs: number,
});
const streamReport = shape<StreamReport>({
  received: number,
  duplicated: number,
  reordered: number,
  corrupted: number,
  firstNs: nanoseconds,
  lastNs: nanoseconds,
  arrivalsNs: optional(text),
});

const held = shape<HeldResources>({
  processes: number,
  privateBytes: number,
  descriptors: number,
  threads: number,
});
const latency = shape<NonNullable<CellFigures["latencyNs"]>>({
  count: number,
  min: number,
  p50: number,
  p90: number,
  p99: number,
  p999: number,
  max: number,
  mean: number,
});

const figures = shape<CellFigures>({
  messages: number,
  elapsedNs: number,
  samples: orNull(text),
  latencyNs: orNull(latency),
  groups: optional(listOf(shape<GroupSummary>({ name: text, latencyNs: latency }))),
  cpuNs: maybeNumber,
  contextSwitches: maybeNumber,
  voluntarySwitches: maybeNumber,
  involuntarySwitches: maybeNumber,
  peakMemoryBytes: maybeNumber,
  peakMemory: orNull(shape<NonNullable<CellFigures["peakMemory"]>>({ driver: number, peer: maybeNumber })),
  gcPauseNs: maybeNumber,
  lost: number,
  duplicated: number,
  reordered: number,
  corrupted: number,
  halvesNs: orNull(listOf(number, 2)),
  latenessNs: orNull(shape<Lateness>({ p50: number, p99: number, max: number, histogram: text })),
  idleCpuShare: maybeNumber,
  keptPerSecond: maybeNumber,
  phasesNs: orNull(recordOf(number)),
  serverMemory: orNull(shape<ServerMemory>({ one: held, all: held })),
});

const loadWindow = shape<LoadWindow>({
  messages: number,
  startedNs: nanoseconds,
  endedNs: nanoseconds,
  samples: text,
  lost: number,
  duplicated: number,
  reordered: number,
  corrupted: number,
  problem: optional(text),
  lateness: optional(text),
  groupOf: optional(text),
  refused: optional(text),
  usage,
});

type Outcome<Status> = Extract<CellResult["outcome"], { status: Status }>;

const fromDriver: Readonly<Record<FromDriver["type"], Rule>> = {
  ready: shape<Extract<FromDriver, { type: "ready" }>>({
    pid,
    cpus: orNull(text),
    peer: orNull(shape<PeerReady>(peer)),
    client: optional(shape<Pick<PeerReady, "language" | "version">>({ language: text, version: text })),
  }),
  prepared: nothing,
  alive: shape<Alive>({ call: optional(text) }),
  "cell-begun": shape<CellBegun>({ key: text }),
  spawned: shape<Spawned>({ pid, side: optional(oneOf("client")) }),
  crashed: shape<Crashed>({ process: text, signal: text }),
  cell: shape<CellResult>({
    key: text,
    outcome: variant("status", {
      valid: shape<Pick<Outcome<"valid">, "figures">>({ figures }),
      refused: shape<Pick<Outcome<"refused">, "reason" | "figures">>({ reason: text, figures }),
      invalid: shape<Pick<Outcome<"invalid">, "reason" | "figures">>({ reason: text, figures: orNull(figures) }),
      unavailable: shape<Pick<Outcome<"unavailable">, "reason">>({ reason: text }),
    }),
  }),
  check: shape<CheckDone>({
    id: text,
    status: oneOf("passed", "failed", "not-applicable", "unavailable"),
    reason: optional(text),
    error: optional(text),
    notes: recordOf(scalar),
    durationMs: number,
  }),
  connected: shape<ClientConnected>({ connections: integer(0), refused: optional(failed) }),
  client: shape<ClientDone>({
    completed: number,
    crossed: number,
    failed: number,
    firstError: optional(text),
    shortage: optional(text),
  }),
  "user-ready": shape<UserReady>({ uid: number, obstacle: orNull(text) }),
  "user-attempt": shape<UserAttempted>({ connected: flag, refusal: optional(text) }),
  "sender-ready": shape<SenderReady>({ address }),
  "sender-done": shape<SenderDone>({ taken: integer(0), received: integer(0), close: text }),
  codecs: shape<CodecsDone>({
    rows: listOf(shape<{ codec: string; corpus: string; status: string }>({ codec: text, corpus: text, status: text })),
  }),
  "load-ready": nothing,
  "load-window": loadWindow,
  "stream-report": streamReport,
  done: nothing,
  failed,
};

const fromPeer: Readonly<Record<FromPeer["type"], Rule>> = {
  ready: shape<PeerReady>(peer),
  done: nothing,
  failed,
  "stream-report": streamReport,
  usage,
  published: shape<Published>({ startedNs: nanoseconds, problem: optional(text) }),
  account: shape<PeerAccount>({ text }),
};

const fromClient: Readonly<Record<FromClient["type"], Rule>> = {
  ready: fromPeer.ready,
  "load-window": loadWindow,
  usages: shape<Usages>({ own: usage, server: orNull(usage) }),
  done: nothing,
  failed,
};

const driverMessage = variant("type", fromDriver);
const peerMessage = variant("type", fromPeer);
const clientMessage = variant("type", fromClient);

/** Returns why this is no message of a driver; undefined when it is one. */
export function driverDefect(value: unknown): string | undefined {
  return driverMessage(value, "message");
}

/** Returns why this is no message of a peer; undefined when it is one. */
export function peerDefect(value: unknown): string | undefined {
  return peerMessage(value, "message");
}

/** Returns why this is no message of a client in another language; undefined when it is one. */
export function clientDefect(value: unknown): string | undefined {
  return clientMessage(value, "message");
}
