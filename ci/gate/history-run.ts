import { basename, dirname, resolve } from "node:path";
import { echoP50 } from "../../harness/coordinator/controls.ts";
import { note } from "../../harness/process/note.ts";
import { describeEnvironment } from "../../harness/results/environment.ts";
import { count } from "../../harness/results/format.ts";
import { median } from "../../harness/results/quantiles.ts";
import { ensureWritable } from "../../harness/results/store.ts";
import { ffiFloor } from "../../transports/posix/index.ts";
import { Repository } from "./git.ts";
import { appendHistory, entriesOf, type HistoryFacts } from "./history.ts";
import type { GateRow } from "./result.ts";

/** Number of control runs before the pairs, and again behind them. */
const CONTROL_RUNS = 3;

/** Gate whose result goes into a history, with the frozen control around it. */
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
  async end(rows: readonly GateRow[]): Promise<void> {
    await this.#control();
    const entries = entriesOf(rows, await this.#facts());
    appendHistory(this.#file, entries);
    note(`history: ${count(entries.length, "line")} appended to ${this.#file}`);
  }

  async #control(): Promise<void> {
    for (let run = 0; run < CONTROL_RUNS; run++) {
      const p50 = (await echoP50("same-cpu")) ?? (await echoP50("unpinned"));
      if (p50 !== null && p50 > 0) this.#controlsNs.push(p50);
    }
  }

  async #facts(): Promise<HistoryFacts> {
    const repository = new Repository("HEAD", new AbortController().signal);
    const commit = await repository.commitOf().catch(() => null);
    const changed = commit === null ? "" : await repository.git(["status", "--porcelain", "--untracked-files=no"]);
    const { fingerprint } = describeEnvironment(null, ffiFloor());
    const controlNs = this.#controlsNs.length === 0 ? null : median(this.#controlsNs);
    return {
      date: new Date().toISOString(),
      commit,
      dirty: changed !== "",
      controlNs,
      machine: fingerprint ?? "unknown",
    };
  }
}
