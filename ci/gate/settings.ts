/** Lists of the section `gate` of a configuration: limits per cell, budgets, acknowledged regressions. */
import { UsageError } from "../../harness/results/exit-codes.ts";
import type { Budget, Most } from "./budgets.ts";
import { type GateCell, isMeant, nameOf } from "./cells.ts";
import { limitsOf, METRICS, type Metric } from "./metrics.ts";
import type { GateRow } from "./result.ts";
import type { Limits } from "./verdict.ts";

export const SETTINGS = ["limits", "budgets", "accept"] as const;

interface CellLimits extends Partial<Limits> {
  readonly cell: string;
  readonly metric?: Metric;
}

interface Acceptance {
  readonly cell: string;
  readonly metric: Metric;
  /** Largest slowdown that is acknowledged, such as 0.15. */
  readonly atMost: number;
  /** Last day on which it is, UTC: `2026-12-31`. */
  readonly until: string;
  readonly reason: string;
}

export interface Settings {
  readonly limits: readonly CellLimits[];
  readonly budgets: readonly Budget[];
  readonly accept: readonly Acceptance[];
}

/** @throws UsageError that names the entry and what it should be */
export function readSettings(values: Readonly<Partial<Record<(typeof SETTINGS)[number], unknown>>>): Settings {
  return {
    limits: entriesOf("limits", values.limits).map((entry) => ({
      cell: entry.text("cell"),
      ...(entry.has("metric") ? { metric: entry.metric() } : {}),
      ...(entry.has("minEffect") ? { minEffect: entry.share("minEffect") } : {}),
      ...(entry.has("tolerance") ? { tolerance: entry.share("tolerance") } : {}),
    })),
    budgets: entriesOf("budgets", values.budgets).map((entry) => {
      return { cell: entry.text("cell"), metric: entry.metric(), most: entry.most() };
    }),
    accept: entriesOf("accept", values.accept).map((entry) => ({
      cell: entry.text("cell"),
      metric: entry.metric(),
      atMost: entry.share("atMost"),
      until: entry.date("until"),
      reason: entry.text("reason"),
    })),
  };
}

/** Entry of a list, whose author may be no compiler. */
class Entry {
  readonly #where: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(where: string, values: Readonly<Record<string, unknown>>) {
    this.#where = where;
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  text(name: string): string {
    const value = this.#values[name];
    return typeof value === "string" && value.trim() !== "" ? value.trim() : this.#refuse(name, "a text");
  }

  metric(): Metric {
    const name = this.has("metric") ? this.text("metric") : "p50";
    return METRICS.find((metric) => metric === name) ?? this.#refuse("metric", `one of ${METRICS.join(", ")}`);
  }

  share(name: string): number {
    const match = /^(\d+(?:\.\d+)?)\s*%?$/.exec(String(this.#values[name] ?? ""));
    const value = Number(match?.[1] ?? Number.NaN);
    return value > 0 && value <= 1000 ? value / 100 : this.#refuse(name, "a percentage, such as 15%");
  }

  date(name: string): string {
    const text = this.text(name);
    const isDate = /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
    return isDate ? text : this.#refuse(name, "a date, such as 2026-12-31");
  }

  most(): Most {
    const text = this.text("atMost");
    const time = /^(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s)$/.exec(text);
    if (time !== null) return { ns: Number(time[1]) * (TIMES[time[2] as string] as number) };
    const multiple = /^(\d+(?:\.\d+)?)\s*x\s+(\S+)$/.exec(text);
    if (multiple === null) return this.#refuse("atMost", "a time such as 80us, or a multiple such as 1.2 x unix");
    return { factor: Number(multiple[1]), of: multiple[2] as string };
  }

  #refuse(name: string, expected: string): never {
    throw new UsageError(`${this.#where}: "${name}" is ${JSON.stringify(this.#values[name])} and must be ${expected}`);
  }
}

const TIMES: Readonly<Record<string, number>> = { ns: 1, us: 1000, µs: 1000, ms: 1e6, s: 1e9 };

function entriesOf(list: string, value: unknown): Entry[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new UsageError(`gate.${list} of the configuration must be a list of entries`);
  return value.map((entry: unknown, index) => {
    const where = `gate.${list}, entry ${index + 1}`;
    if (typeof entry !== "object" || entry === null) throw new UsageError(`${where} must be an object with a cell`);
    return new Entry(where, entry as Readonly<Record<string, unknown>>);
  });
}

/** Refuses entries that mean none of these cells: a mistyped name would be a limit that nobody keeps. */
export function refuseUnmeant({ limits, budgets, accept }: Settings, cells: readonly GateCell[]): void {
  const known = cells.map(nameOf).join(", ");
  for (const [list, entries] of Object.entries({ limits, budgets, accept })) {
    for (const { cell } of entries) {
      if (!cells.some((each) => isMeant(cell, each)))
        throw new UsageError(`gate.${list}: no cell of this gate is called "${cell}"; there are ${known}`);
    }
  }
  for (const { most } of budgets) {
    if ("of" in most && !cells.some((cell) => "transport" in cell && cell.transport === most.of))
      throw new UsageError(`gate.budgets: "${most.of}" is no transport of this gate; name it with --transport too`);
  }
}

/** @param typed limits that the command line or the flags of the configuration set */
export function limitsFor(
  cell: GateCell,
  metric: Metric | "value",
  { rule, typed, settings }: { readonly rule: Limits; readonly typed: Partial<Limits>; readonly settings: Settings },
): Limits {
  const meant = settings.limits.filter((entry) => isMeant(entry.cell, cell) && (entry.metric ?? metric) === metric);
  const limits: Limits = Object.assign({}, limitsOf(metric, rule, typed), ...meant);
  const { minEffect, tolerance } = limits;
  if (tolerance <= minEffect) {
    throw new UsageError(
      `gate.limits: the tolerance of ${nameOf(cell)} ${metric} must be above its smallest effect, and ` +
        `${tolerance * 100}% is not above ${minEffect * 100}%`,
    );
  }
  return { minEffect, tolerance };
}

/** Marks the regressions that are acknowledged today. Those that were, or are larger, stay red with a note. */
export function withAccepted(rows: readonly GateRow[], { accept }: Settings, today: string): GateRow[] {
  return rows.map((row) => {
    const found = accept.find(
      ({ cell, metric }) => isMeant(cell, row.cell) && ("name" in row.cell || metric === row.metric),
    );
    if (found === undefined || row.outcome !== "regression" || row.evidence === undefined) return row;
    const { atMost, until, reason } = found;
    const slowdown = row.evidence.effect.ratio - 1;
    const of = `accepted until ${until} up to ${round(atMost)} % (${reason})`;
    if (today > until) return { ...row, notes: [...row.notes, `it was ${of}, and that date is over`] };
    if (slowdown > atMost) return { ...row, notes: [...row.notes, `only ${of}, and it is ${round(slowdown)} %`] };
    return { ...row, accepted: { until, reason }, notes: [...row.notes, of] };
  });
}

function round(share: number): number {
  return Math.round(share * 1000) / 10;
}
