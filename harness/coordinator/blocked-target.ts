import type { Check } from "../../scenarios/check.ts";
import type { BlockedSide } from "../process/blocked.ts";

/** Number of checks that may find one side blocked or silent; each of them costs several seconds. */
const ENOUGH = 2;

/** Checks of one target that ended because a thread was blocked, or because it answered nothing. */
export class BlockedTarget {
  readonly #found = new Map<BlockedSide, { readonly id: string; readonly reason: string }[]>();

  add(side: BlockedSide, { id }: Check, reason: string): void {
    this.#found.set(side, [...(this.#found.get(side) ?? []), { id, reason }]);
  }

  /** Returns why the other checks of the target are not run; undefined while they are. */
  get reason(): string | undefined {
    const enough = [...this.#found.values()].find((found) => found.length >= ENOUGH);
    if (enough === undefined) return undefined;
    const what = enough[0]?.reason.split(": ", 1)[0];
    const where = enough.map(({ id }) => id).join(" and ");
    return `${what}, seen in ${where}; mend that, or select single checks by --scenario`;
  }
}
