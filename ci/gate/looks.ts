/** The loop of looks at paired data, the same for transports, commands and resampled gates: see `README.md`. */
import { pairsOfLook } from "./pair-times.ts";
import type { Question } from "./verdict.ts";

/** Levels and sizes that all ledgers of a gate share. */
export type Looks = Pick<Question, "alpha" | "step">;

/** Pairs of one cell or value, with what they have shown so far. */
export interface LookLedger {
  /** True where more pairs are needed. */
  readonly isOpen: boolean;
  /** True where it makes the gate red, whatever else is found. */
  readonly isRed: boolean;
  /** True where failures ended it, so that no look is taken. */
  readonly isInvalid: boolean;
  /** Returns true where a look now would leave it open, if there were time for ever. */
  staysOpen(looks: Looks): boolean;
  /** Ends the search for what nobody asked for: the gate is red whatever it finds. */
  endExtras(): void;
  /** Takes a look at the data. @param affordable further pairs that the budget allows */
  look(looks: Looks, affordable: number): void;
}

/** Pairs of one kind of gate: how they are run, and how many more the budget allows. */
export interface LookedAt<Kind extends LookLedger> {
  readonly ledgers: readonly Kind[];
  readonly looks: Looks;
  /** Number of pairs that ran. */
  readonly ran: number;
  /** Number of pairs that the budget allowed a ledger in all. */
  most: number;
  /** Returns how many more pairs of the wanted ledgers fit into the budget; 0 where none is wanted. */
  affordable(wanted: (ledger: Kind) => boolean): number;
  /** Runs so many pairs of each open ledger. @returns false where nothing more may run */
  runBlock(look: number, pairs: number): Promise<boolean>;
}

/** Looks at the pairs until each ledger is decided or the budget is spent. The pairs of the first look always run. */
export async function lookUntilDecided<Kind extends LookLedger>(gate: LookedAt<Kind>): Promise<void> {
  const { step } = gate.looks;
  for (let look = 1, pairs = step; pairs > 0; look++) {
    if (!(await gate.runBlock(look, pairs))) return;
    const { ledgers, looks } = gate;
    const rest = pairsOfLook(gate.affordable((ledger) => ledger.staysOpen(looks)));
    const all = gate.affordable((ledger) => !ledger.isInvalid);
    gate.most = Math.max(gate.most, gate.ran + Math.max(rest, all));
    for (const ledger of ledgers) if (!ledger.isInvalid) ledger.look(looks, rest);
    if (ledgers.some(({ isRed }) => isRed)) for (const ledger of ledgers) ledger.endExtras();
    pairs = ledgers.some(({ isOpen }) => isOpen) ? Math.min(step, rest) : 0;
  }
}
