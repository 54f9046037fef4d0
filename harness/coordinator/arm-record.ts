import type { LanguageVersion, Trial } from "../results/model.ts";
import type { Arm, Cell } from "./arm.ts";

/** Number of failures after which a cell is not tried again. */
const MAX_FAULTS = 2;

/** Record of one arm while the rounds go on. */
export class ArmRecord {
  readonly arm: Arm;
  peer: LanguageVersion;
  /** Client in another language; undefined where the driver is the client. */
  client: LanguageVersion | undefined;
  /** Counts fixed by the calibration. */
  readonly messages = new Map<Cell, number>();
  /** Reasons why cells cannot exist here or are not run, found before round one. */
  readonly impossible = new Map<Cell, string>();
  /** Reasons why cells failed: the first one found. */
  readonly failures = new Map<Cell, string>();
  /** Highest rate that was followed, of cells whose own rate was not, requests/s. */
  readonly kept = new Map<Cell, number>();
  /** Shortages of this machine per cell: the mechanism was not examined. */
  readonly shortages = new Map<Cell, string>();
  readonly #trials = new Map<Cell, Trial[]>();
  readonly #faults = new Map<Cell, number>();

  constructor(arm: Arm) {
    this.arm = arm;
    this.peer = { language: arm.peerLanguage, version: "" };
    this.client = arm.clientLanguage === undefined ? undefined : { language: arm.clientLanguage, version: "" };
  }

  /** Notes the versions that the processes of a trial have reported. */
  meet({
    peer,
    client,
  }: {
    readonly peer: LanguageVersion | null | undefined;
    readonly client: LanguageVersion | undefined;
  }): void {
    if (peer) this.peer = { language: peer.language, version: peer.version };
    if (client) this.client = client;
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

  /** Records that this machine cannot run the cell: it is not tried again. */
  lack(cell: Cell, reason: string): void {
    if (!this.shortages.has(cell)) this.shortages.set(cell, reason);
  }

  /** Records that the driver ended here: counts as a failed trial of this cell. */
  blame(cell: Cell, reason: string): void {
    this.fail(cell, reason);
    this.#faults.set(cell, (this.#faults.get(cell) ?? 0) + 1);
  }

  /** True where the cell has been run, or is certain not to run. */
  isKnown(cell: Cell): boolean {
    return this.#trials.has(cell) || this.failures.has(cell) || this.impossible.has(cell) || this.kept.has(cell);
  }

  worthRunning(cell: Cell): boolean {
    if (this.impossible.has(cell) || this.shortages.has(cell)) return false;
    return (this.#faults.get(cell) ?? 0) < MAX_FAULTS;
  }
}
