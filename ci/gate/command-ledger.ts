import type { CommandCell } from "./cells.ts";
import type { CommandValue } from "./command-values.ts";
import { differencesOf, judgedRow } from "./judged-row.ts";
import type { LookLedger, Looks } from "./looks.ts";
import type { GateRow, RecordedLooks, RowOutcome, ValuePair } from "./result.ts";
import { type Evidence, evidenceOf, judge, type Limits, type State } from "./verdict.ts";

export const SIDES = ["base", "head"] as const;
export type SideName = (typeof SIDES)[number];

/** Pairs of one value that a command prints. */
export class CommandLedger implements LookLedger {
  readonly cell: CommandCell;
  readonly pairs: ValuePair[] = [];
  readonly #limits: Limits;
  /** Number of runs that ended well, and of those that printed the value. */
  readonly #done: Readonly<Record<SideName, number>>;
  readonly #printed: Record<SideName, number> = { base: 0, head: 0 };
  #defect: string | undefined;
  #looks = 0;
  #state: State = "open";
  #evidence: Evidence | undefined;

  /** @param done number of runs of each side that ended well, which goes on counting */
  constructor(cell: CommandCell, limits: Limits, done: Readonly<Record<SideName, number>>) {
    this.cell = cell;
    this.#limits = limits;
    this.#done = done;
  }

  /** Counts a run that printed the value. */
  print(side: SideName): void {
    this.#printed[side]++;
  }

  add(pair: Omit<ValuePair, SideName>, { base, head }: Readonly<Record<SideName, CommandValue>>): void {
    const { cell } = this;
    const other = [base, head].find(({ unit, lower }) => unit !== cell.unit || lower !== cell.lower);
    if (other === undefined) this.pairs.push({ ...pair, base: base.value, head: head.value });
    else this.#defect ??= `it is ${meaning(cell)} in one run and ${meaning(other)} in another; print the same in both`;
  }

  /** True where it cannot be judged: it has a defect, or a run of one side did not print it. */
  get isInvalid(): boolean {
    return this.pairs.length === 0 || this.#failure() !== undefined;
  }

  get isOpen(): boolean {
    return this.#state === "open" && !this.isInvalid;
  }

  get isRed(): boolean {
    return this.#state === "regression" && !this.isInvalid;
  }

  /** Does nothing: every value that a command prints was asked for. */
  endExtras(): void {}

  look(looks: Looks, affordable: number): void {
    if (!this.isOpen) return;
    this.#looks++;
    this.#evidence = evidenceOf(differencesOf(this.pairs, this.cell), this.#looks);
    this.#state = judge(this.#evidence, { ...this.#limits, ...looks, affordable });
  }

  staysOpen(looks: Looks): boolean {
    if (!this.isOpen) return false;
    const evidence = evidenceOf(differencesOf(this.pairs, this.cell), this.#looks + 1);
    return judge(evidence, { ...this.#limits, ...looks, affordable: Number.POSITIVE_INFINITY }) === "open";
  }

  /** @param isPartial true where the gate was interrupted */
  row(looks: RecordedLooks, isPartial: boolean): GateRow {
    const { cell, pairs } = this;
    const failure = this.#failure();
    if (failure !== undefined) return { cell, metric: "value", ...failure, notes: [] };
    const evidence = this.#evidence;
    if (evidence === undefined || (isPartial && this.#state === "open"))
      return { cell, metric: "value", outcome: "interrupted", notes: [] };
    const notes = cell.lower ? [] : ["higher is better: the ratio is base/head"];
    const start = { cell, metric: "value", limits: this.#limits, notes } as const;
    return judgedRow(start, { evidence, state: this.#state, costs: pairs }, looks);
  }

  /** Returns why it cannot be judged; undefined where it can. */
  #failure(): { readonly outcome: RowOutcome; readonly reason: string } | undefined {
    const [printed, done] = [this.#printed, this.#done];
    if (this.#defect !== undefined) return { outcome: "missing", reason: this.#defect };
    if (printed.base === 0) return { outcome: "new", reason: "only the head prints it" };
    if (printed.head === 0) return { outcome: "gone", reason: "only the base prints it" };
    const lacking = SIDES.find((side) => printed[side] < done[side]);
    if (lacking === undefined) return undefined;
    const reason = `${lacking}: ${printed[lacking]} of ${done[lacking]} runs printed it; print it in every run`;
    return { outcome: lacking === "head" ? "broken" : "missing", reason };
  }
}

function meaning({ unit, lower }: { readonly unit: string | undefined; readonly lower: boolean }): string {
  return `${unit ?? "without a unit"}${lower ? "" : " (higher is better)"}`;
}
