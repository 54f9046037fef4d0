import { basename, dirname, resolve } from "node:path";
import { echoP50 } from "../../harness/coordinator/controls.ts";
import { note } from "../../harness/process/note.ts";
import { count } from "../../harness/results/format.ts";
import { median } from "../../harness/results/quantiles.ts";
import { ensureWritable } from "../../harness/results/store.ts";
import { appendHistory, entriesOf } from "./history.ts";
import type { GateResult } from "./result.ts";

/** Number of runs of the frozen echo before the pairs, and again after them. */
const CONTROL_RUNS = 3;

/** Gate whose result goes into a history, with the frozen echo before and after it. */
export class HistoryRun {
  readonly #file: string;
  readonly #controlsNs: number[] = [];

  private constructor(file: string) {
    this.#file = resolve(file);
  }

  /** @throws StoreError where the file cannot be written */
  static async begin(file: string): Promise<HistoryRun> {
    const run = new HistoryRun(file);
    ensureWritable(dirname(run.#file), [basename(run.#file)], "--history");
    await run.#control();
    return run;
  }

  /** Appends the rows that have a value. @throws StoreError */
  async end({ rows, commits, dirty, environment }: GateResult): Promise<void> {
    await this.#control();
    const entries = entriesOf(rows, {
      date: new Date().toISOString(),
      commit: commits.head,
      dirty,
      controlNs: this.#controlsNs.length === 0 ? null : median(this.#controlsNs),
      machine: environment.fingerprint ?? "unknown",
    });
    appendHistory(this.#file, entries);
    note(`history: ${count(entries.length, "line")} appended to ${this.#file}`);
  }

  async #control(): Promise<void> {
    for (let run = 0; run < CONTROL_RUNS; run++) {
      const p50 = (await echoP50("same-cpu")) ?? (await echoP50("unpinned"));
      if (p50 !== null && p50 > 0) this.#controlsNs.push(p50);
    }
  }
}
