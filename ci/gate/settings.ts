/** Lists of the section `gate` of a configuration: limits per cell, budgets, acknowledged regressions. */
import { UsageError } from "../../harness/results/exit-codes.ts";
import type { Budget } from "./budgets.ts";
import { type GateCell, isMeant, nameOf } from "./cells.ts";
import { limitsOf, METRICS, type Metric, TIMES_NS } from "./metrics.ts";
import { hasPlainC, PLAIN_C } from "./plain-c.ts";
import type { GateRow, Most } from "./result.ts";
import type { Limits } from "./verdict.ts";

export const SETTINGS = ["limits", "budgets", "accept"] as const;

interface CellLimits extends Partial<Limits> {
  readonly cell: string;
  readonly metric?: Metric | "value";
}

interface Acceptance {
  readonly cell: string;
  readonly metric: Metric | "value";
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

/**
 * Reads the lists. Budgets of the metric `value` are those of a command, all others those of transports.
 *
 * @param judged `command` with `--cmd`; budgets of the other kind are left out
 * @throws UsageError that names the entry and what it should be
 */
export function readSettings(
  values: Readonly<Partial<Record<(typeof SETTINGS)[number], unknown>>>,
  judged: "transports" | "command" = "transports",
): Settings {
  const usual = judged === "command" ? "value" : "p50";
  return {
    limits: entriesOf("limits", values.limits).map((entry) => ({
      cell: entry.text("cell"),
      ...(entry.has("metric") ? { metric: entry.metric() } : {}),
      ...(entry.has("minEffect") ? { minEffect: entry.share("minEffect") } : {}),
      ...(entry.has("tolerance") ? { tolerance: entry.share("tolerance") } : {}),
    })),
    budgets: entriesOf("budgets", values.budgets)
      .map((entry) => {
        const metric = entry.metric(usual);
        return {
          cell: entry.text("cell"),
          metric,
          most: metric === "value" ? entry.mostOfValue() : entry.most(metric),
        };
      })
      .filter(({ metric }) => (metric === "value") === (judged === "command")),
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

  /** @param usual metric of an entry that names none */
  metric(usual: Metric | "value" = "p50"): Metric | "value" {
    const name = this.has("metric") ? this.text("metric") : usual;
    const known = [...METRICS, "value" as const];
    return known.find((metric) => metric === name) ?? this.#refuse("metric", `one of ${known.join(", ")}`);
  }

  share(name: string): number {
    const match = /^(\d+(?:\.\d+)?)\s*%?$/.exec(String(this.#values[name] ?? ""));
    const value = Number(match?.[1] ?? Number.NaN);
    return value > 0 && value <= 1000 ? value / 100 : this.#refuse(name, "a percentage, such as 15%");
  }

  date(name: string): string {
    const text = String(this.#values[name]);
    const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
    // Date.parse takes February 30 for March 2.
    const isDate = !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
    return isDate ? text : this.#refuse(name, "a date, such as 2026-12-31");
  }

  most(metric: Metric): Most {
    const text = this.text("atMost");
    const time = /^(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s)$/.exec(text);
    if (time !== null) return { ns: Number(time[1]) * (TIMES_NS[time[2] as string] as number) };
    const multiple = multipleIn(text);
    if (multiple === undefined)
      return this.#refuse("atMost", "a time such as 80us, or a multiple such as 1.2 x unix or 2 x C");
    if (multiple.of === PLAIN_C && metric === "cpu")
      return this.#refuse("atMost", "a time or a multiple of a transport: the CPU time of plain C is not measured");
    return multiple;
  }

  mostOfValue(): Most {
    const written = this.#values["atMost"];
    const text = typeof written === "number" ? String(written) : this.text("atMost");
    const multiple = multipleIn(text);
    if (multiple !== undefined) return multiple;
    const amount = /^(\d+(?:\.\d+)?)\s*(\S.*)?$/.exec(text);
    if (amount === null)
      return this.#refuse("atMost", "a value such as 80us or 300 MB, or a multiple of another value");
    return { amount: Number(amount[1]), ...(amount[2] === undefined ? {} : { unit: amount[2] }) };
  }

  #refuse(name: string, expected: string): never {
    const found = this.has(name) ? JSON.stringify(this.#values[name]) : "missing";
    throw new UsageError(`${this.#where}: "${name}" is ${found} and must be ${expected}`);
  }
}

function multipleIn(text: string): { readonly factor: number; readonly of: string } | undefined {
  const [, factor, of] = /^(\d+(?:\.\d+)?)\s*x\s+(\S.*)$/.exec(text) ?? [];
  return of === undefined ? undefined : { factor: Number(factor), of };
}

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
  for (const { cell: name, most } of budgets) {
    if (!("of" in most)) continue;
    const meant = cells.filter((cell) => isMeant(name, cell));
    const without = most.of === PLAIN_C ? meant.find((cell) => !("transport" in cell && hasPlainC(cell))) : undefined;
    if (without !== undefined) {
      throw new UsageError(
        `gate.budgets: "${most.factor} x ${PLAIN_C}" has no counterpart of ${nameOf(without)} in plain C; ` +
          "give this cell a time, or a multiple of another transport",
      );
    }
    if (most.of !== PLAIN_C && !cells.some((cell) => "transport" in cell && cell.transport === most.of))
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

function acceptanceOf({ accept }: Settings, of: GateCell, metric: Metric | "value"): Acceptance | undefined {
  return accept.find((entry) => isMeant(entry.cell, of) && ("name" in of || entry.metric === metric));
}

/** Returns the slowdown up to which a regression is acknowledged today; undefined where none is. */
export function acceptedUpTo(
  settings: Settings,
  cell: GateCell,
  metric: Metric | "value",
  today: string,
): number | undefined {
  const found = acceptanceOf(settings, cell, metric);
  return found === undefined || today > found.until ? undefined : found.atMost;
}

/** Marks the regressions that are acknowledged today. Those that were, or are larger, stay red with a note. */
export function withAccepted(rows: readonly GateRow[], settings: Settings, today: string): GateRow[] {
  return rows.map((row) => {
    const found = acceptanceOf(settings, row.cell, row.metric);
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
