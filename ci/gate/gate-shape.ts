import { ENVIRONMENT, WARNING } from "../../harness/results/report-shape.ts";
import {
  above0,
  anyOf,
  DAY_NS,
  flag,
  integer,
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
  placement,
  type Schema,
  text,
  time,
  YEAR_MS,
} from "../../harness/results/schema-parts.ts";
import type { CommandCell, ModuleCell, TransportCell } from "./cells.ts";
import { METRICS } from "./metrics.ts";
import type { BudgetRow, CRound, GateResult, GateRow, RecordedLooks, RowOutcome, ValuePair } from "./result.ts";
import type { Evidence, GateRule, Limits } from "./verdict.ts";

/**
 * `gate.json` as JSON Schema: every field of `result.ts`, within the bounds of what a gate can have measured. What
 * only newer records have is optional.
 */

/** Largest number of pairs of one cell in a file. The rule gives up at half of this number. */
const MOST_PAIRS = 2000;
/** Value that a command can have printed, so that the ratio of two is a number. */
const printed: Schema = { type: "number", minimum: 1e-100, maximum: 1e100 };
const ratio: Schema = { type: "number", minimum: 1e-200, maximum: 1e200 };
const level: Schema = above0(1);

const transportCell = model<TransportCell>()(
  { transport: name, mode, placement, payloadBytes: integer() },
  { recorded: text },
);
const commandCell = model<CommandCell>()({ name, lower: flag }, { unit: text });
const measuredCell: Schema = {
  type: "object",
  if: { required: ["name"] },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: commandCell,
  else: transportCell,
};
const cell: Schema = {
  type: "object",
  if: { required: ["module"] },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: model<ModuleCell>()({ module: text }, {}),
  else: measuredCell,
};

const limits = model<Limits>()({ minEffect: above0(1e6), tolerance: above0(1e6) }, {});
const evidence = model<Evidence>()(
  {
    pairs: integer(1, MOST_PAIRS),
    looks: integer(1, MOST_PAIRS),
    p: number(0, 1),
    effect: object({ ratio }, { interval: intervalOf(ratio) }),
  },
  { excluded: ratio },
);

/** Outcomes that have a verdict, and so what it is made of. */
const JUDGED: readonly RowOutcome[] = ["regression", "not-slower", "undecided"];

const row: Schema = {
  ...model<GateRow>()(
    {
      cell,
      metric: oneOf(...METRICS, "value"),
      outcome: anyOf<RowOutcome>({
        "not-slower": true,
        regression: true,
        undecided: true,
        missing: true,
        broken: true,
        untold: true,
        new: true,
        gone: true,
        interrupted: true,
      }),
      notes: list(text, 100),
    },
    {
      reason: text,
      limits,
      isExtra: flag,
      evidence,
      base: printed,
      head: printed,
      detectable: number(0, MOST),
      needed: integer(),
      accepted: object({ until: text, reason: text }),
    },
  ),
  if: { properties: { outcome: { enum: JUDGED } } },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: { required: ["evidence", "limits", "base", "head"] },
};

const most: Schema = {
  anyOf: [
    object({ ns: above0(DAY_NS) }),
    object({ amount: number(0, MOST) }, { unit: text }),
    object({ factor: above0(MOST), of: name }),
  ],
};
const budget: Schema = {
  ...object(
    {
      cell: measuredCell,
      metric: oneOf(...METRICS, "value"),
      atMost: text,
      isAbsolute: flag,
      most,
      outcome: anyOf<BudgetRow["outcome"]>({ kept: true, broken: true, undecided: true, untold: true }),
    },
    { found: printed, interval: intervalOf(printed), reason: text },
  ),
  if: { properties: { outcome: { const: "untold" } } },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: { required: ["reason"] },
  else: { required: ["found"] },
};

const cRound = model<CRound>()({ round: integer(), p50: latency, p99: orNull(time), messageNs: time }, {});
const cBaseline: Schema = {
  anyOf: [
    object({ reason: text }),
    object({ cells: list(object({ cell: transportCell, rounds: list(cRound, MOST_PAIRS) }, { failed: text }), 2000) }),
  ],
};

const side = object(
  { p50: latency, messageNs: latency, messages: integer() },
  { p99: orNull(time), cpuNs: orNull(time) },
);
const pair: Schema = {
  type: "object",
  if: { required: ["reason"] },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: object({ round: integer(), reason: text, headAlone: flag }),
  else: object({ round: integer(), base: side, head: side, headFirst: flag }),
};
const valuePair = model<ValuePair>()({ round: integer(), base: printed, head: printed, headFirst: flag }, {});
const pairs: Schema = {
  type: "object",
  required: ["cell", "pairs"],
  properties: { cell: measuredCell },
  if: { properties: { cell: { required: ["name"] } } },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: object({ pairs: list(valuePair, MOST_PAIRS) }),
  else: object({ pairs: list(pair, MOST_PAIRS) }),
};

const files = list(text, 50_000);

export const GATE: Schema = model<GateResult>()(
  {
    complete: flag,
    startedAt: text,
    base: text,
    commits: object({ base: orNull(text), head: orNull(text) }),
    dirty: flag,
    environment: ENVIRONMENT,
    seed: integer(),
    rule: model<GateRule>()({ minEffect: above0(1e6), tolerance: above0(1e6), alpha: level }, {}),
    durationMs: number(0, YEAR_MS),
    rows: list(row, 2000),
    budgets: list(budget, 2000),
    pairs: list(pairs, 2000),
    strict: flag,
    warnings: list(WARNING, 1000),
  },
  {
    looks: model<RecordedLooks>()({ alpha: level, step: integer(1, MOST_PAIRS), most: integer(0) }, {}),
    baseFailure: text,
    pairMs: number(0, YEAR_MS),
    roundMs: number(0, YEAR_MS),
    cBaseline,
    loaded: object({ base: files, head: files, harness: files }),
  },
);
