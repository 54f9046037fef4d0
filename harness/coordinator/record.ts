import type { Trial } from "../results/model.ts";
import type { Arm, Cell } from "./arm.ts";

/** A cell that failed so often is not worth its time again. */
const MAX_FAULTS = 2;

/** Everything known of one arm while the rounds go on. */
export class ArmRecord {
  readonly arm: Arm;
  peer: { language: string; version: string };
  /** Counts fixed by the calibration. */
  readonly messages = new Map<Cell, number>();
  /** Why a cell cannot exist here, or is not run: found before round one. */
  readonly impossible = new Map<Cell, string>();
  /** Why a cell failed: the first reason found. */
  readonly failures = new Map<Cell, string>();
  /** The highest rate that was followed, of cells whose rate was not, requests/s. */
  readonly kept = new Map<Cell, number>();
  /** What this machine had too little of for a cell: nothing is known of the mechanism. */
  readonly shortages = new Map<Cell, string>();
  readonly #trials = new Map<Cell, Trial[]>();
  readonly #faults = new Map<Cell, number>();

  constructor(arm: Arm) {
    this.arm = arm;
    this.peer = { language: arm.peerLanguage, version: "" };
  }

  trialsOf(cell: Cell): readonly Trial[] {
    return this.#trials.get(cell) ?? [];
  }

  add(cell: Cell, trial: Trial): void {
    const list = this.#trials.get(cell);
    if (list === undefined) this.#trials.set(cell, [trial]);
    else list.push(trial);
    if (trial.status === "valid") return;
    this.#faults.set(cell, (this.#faults.get(cell) ?? 0) + 1);
    if (trial.status === "invalid") this.fail(cell, `trial ${trial.round}: ${trial.reason}`);
  }

  fail(cell: Cell, reason: string): void {
    if (!this.failures.has(cell)) this.failures.set(cell, reason);
  }

  /** This machine cannot run the cell: it is not tried again. */
  lack(cell: Cell, reason: string): void {
    if (!this.shortages.has(cell)) this.shortages.set(cell, reason);
  }

  /** The driver ended here: counts as a failed trial of this cell. */
  blame(cell: Cell, reason: string): void {
    this.fail(cell, reason);
    this.#faults.set(cell, (this.#faults.get(cell) ?? 0) + 1);
  }

  /** Whether it has been run, or is known not to run. */
  isKnown(cell: Cell): boolean {
    return this.#trials.has(cell) || this.failures.has(cell) || this.impossible.has(cell) || this.kept.has(cell);
  }

  worthRunning(cell: Cell): boolean {
    if (this.impossible.has(cell) || this.shortages.has(cell)) return false;
    return (this.#faults.get(cell) ?? 0) < MAX_FAULTS;
  }
}
