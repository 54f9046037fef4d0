import type { Recorded } from "../../scenarios/benchmark.ts";
import type { Change, Changes, ComparedCell } from "./changes.ts";
import type { CellFields } from "./measurement.ts";
import {
  above0,
  anyOf,
  type Fields,
  flag,
  integer,
  interval,
  latency,
  list,
  MOST,
  mode,
  model,
  name,
  object,
  oneOf,
  orNull,
  placement,
  rate,
  type Schema,
  text,
  times,
  when,
} from "./schema-parts.ts";

/** Fields that name a cell, in rows and in changes alike. */
export const CELL_REQUIRED = {
  benchmark: name,
  transport: name,
  mode,
  placement,
  payloadBytes: integer(),
} satisfies Fields;

export const CELL_OPTIONAL = {
  inFlight: integer(1),
  clients: integer(1),
  ratePerSecond: orNull(above0(MOST)),
  codec: text,
  corpus: text,
  peer: object({ language: text, version: text }),
  client: object({ language: text, version: text }),
  arrivals: oneOf("fixed", "poisson"),
  batched: flag,
  mix: list(object({ bytes: integer(1), share: above0(1) }), 16),
  workMicros: rate,
  recorded: model<Recorded>()(
    { name: text, sha256: text, count: integer(1) },
    { meanBytes: integer(), largestBytes: integer(), hasResponses: flag, group: text },
  ),
} satisfies Fields;

const change: Schema = {
  ...model<CellFields & Pick<Change, "verdict">>()(
    {
      ...CELL_REQUIRED,
      verdict: anyOf<Change["verdict"]>({ slower: true, faster: true, "not-told-apart": true, "not-comparable": true }),
    },
    CELL_OPTIONAL,
  ),
  ...when(
    "verdict",
    "not-comparable",
    object({ reason: text }),
    model<Omit<ComparedCell, keyof CellFields | "verdict">>()(
      {
        pairing: anyOf<ComparedCell["pairing"]>({ unpaired: true, "unpaired-over-control": true }),
        rounds: { type: "array", items: integer(), minItems: 2, maxItems: 2 },
        beforeNs: latency,
        nowNs: latency,
        ratio: times,
        interval: orNull(interval),
      },
      {},
    ),
  ),
};

export const CHANGES: Schema = model<Changes>()(
  { name: text, startedAt: text, pick: text, notes: list(text), rows: list(change, 40_000) },
  {},
);
