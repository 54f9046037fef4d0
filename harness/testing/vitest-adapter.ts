import { describe, it } from "vitest";
import type { Check } from "../../scenarios/check.ts";
import { CONFORMANCE_TIMEOUT_MS, checkTests } from "../conformance-suite.ts";
import { loadTransport } from "../process/load-transport.ts";

export { checkTransport, withSupervisor } from "../conformance-suite.ts";

/** Binds checks to Vitest, one test each: the same objects, runner and processes as `npm run check`. */
export function describeChecks(id: string, checks: readonly Check[]): void {
  const reference = { id, module: null };
  describe(id, () => {
    for (const { name, run } of checkTests(reference, checks)) {
      it(name, { timeout: CONFORMANCE_TIMEOUT_MS }, async (context) => {
        const verdict = await run();
        if (verdict.status === "passed") return;
        // A shortage on a machine that has the mechanism must not go unnoticed here.
        const isShortage =
          verdict.status === "unavailable" && (await (await loadTransport(reference)).probe()).available;
        if (isShortage) throw new Error(verdict.reason);
        context.skip(`${verdict.status}: ${verdict.reason}`);
      });
    }
  });
}
