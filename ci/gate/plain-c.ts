/** Plain C beside the pairs of a gate whose budgets are multiples of it: further arms of the same rounds. */
import { type CArm, type CBaselineBoard, cArms, openCBaseline } from "../../harness/c-baseline/board.ts";
import { cKindOf } from "../../harness/results/c-baseline.ts";
import type { Place } from "../../transports/contract/transport.ts";
import type { TransportCell } from "./cells.ts";
import type { CRecord, CRound } from "./result.ts";

/** Name of plain C in a budget: `2 x C`. */
export const PLAIN_C = "C";

/** True where the C program has the mechanism, placement and size of a cell. */
export function hasPlainC({ transport, placement, payloadBytes, recorded }: TransportCell): boolean {
  if (recorded !== undefined) return false;
  const kind = cKindOf(transport);
  return cArms([placement], [payloadBytes], new Set([kind])).some(({ kind: { name } }) => name === kind);
}

/** True for the cell of plain C that a cell is compared with. */
export function isPlainCOf(c: TransportCell, { transport, placement, payloadBytes }: TransportCell): boolean {
  return c.transport === `c/${cKindOf(transport)}` && c.placement === placement && c.payloadBytes === payloadBytes;
}

/** Measures plain C in the rounds of the pairs. */
export class PlainC {
  readonly #board: CBaselineBoard;
  readonly #arms: readonly { readonly arm: CArm; readonly of: readonly TransportCell[] }[];

  private constructor(board: CBaselineBoard, cells: readonly TransportCell[]) {
    this.#board = board;
    this.#arms = board.arms.flatMap((arm) => {
      const of = cells.filter((cell) => cKindOf(cell.transport) === arm.kind.name && cell.placement === arm.placement);
      return of.length === 0 ? [] : [{ arm, of }];
    });
  }

  /**
   * Compiles and calibrates plain C.
   *
   * @param wanted cells that it is compared with
   * @returns undefined where there is none, or the reason why there is no plain C
   */
  static async open(
    place: Place,
    wanted: readonly TransportCell[],
  ): Promise<PlainC | { readonly reason: string } | undefined> {
    if (wanted.length === 0) return undefined;
    const distinct = <Value>(values: readonly Value[]): Value[] => [...new Set(values)];
    const board = await openCBaseline(
      place,
      distinct(wanted.map(({ placement }) => placement)),
      distinct(wanted.map(({ payloadBytes }) => payloadBytes)),
      distinct(wanted.map(({ transport }) => transport)),
    );
    if ("reason" in board) return { reason: board.reason };
    await board.calibrate();
    return new PlainC(board, wanted);
  }

  /** Predicted time in one round, ms. */
  get roundMs(): number {
    return this.#board.guessMs;
  }

  /** Returns what runs in a round while one of its cells is measured. */
  turns(isOpen: (cell: TransportCell) => boolean, random: () => number): ((round: number) => Promise<void>)[] {
    return this.#arms
      .filter(({ of }) => of.some(isOpen))
      .map(
        ({ arm }) =>
          (round) =>
            this.#board.run(arm, round, performance.now(), random),
      );
  }

  get record(): CRecord {
    const rows = this.#board.rows().filter(({ transport }) => transport !== "c/memcpy");
    const cells = rows.map((row) => {
      const { transport, mode, placement, payloadBytes, trials } = row;
      const cell = { transport, mode, placement, payloadBytes };
      const rounds = trials.flatMap((trial): CRound[] => {
        if (trial.status !== "valid" || trial.latencyNs === undefined) return [];
        const { p50, p99 = null } = trial.latencyNs;
        return [{ round: trial.round, p50, p99, messageNs: 1e9 / (trial.messagesPerSecond ?? 0) }];
      });
      return row.status === "failed" ? { cell, rounds, failed: row.reason } : { cell, rounds };
    });
    return { cells };
  }
}
