import { afterAll, beforeAll, describe, it } from "vitest";
import type { Check } from "../../scenarios/check.ts";
import type { Place } from "../../transports/contract/transport.ts";
import { ProcessSupervisor } from "../coordinator/process-supervisor.ts";
import { silent } from "../coordinator/progress.ts";
import { runChecks } from "../coordinator/run-checks.ts";
import { loadTransport } from "../process/load-transport.ts";
import type { TransportReference } from "../process/messages.ts";
import { createPlace, removePlace } from "../process/place.ts";
import type { CheckResult } from "../results/model.ts";

const LIMIT_MS = 300_000;

/** Runs `work` with processes and a private place of its own, as the command line does, and leaves nothing behind. */
export async function withSupervisor<Result>(
  work: (supervisor: ProcessSupervisor, place: Place) => Promise<Result>,
): Promise<Result> {
  const place = await createPlace();
  const supervisor = new ProcessSupervisor(place);
  try {
    return await work(supervisor, place);
  } finally {
    await supervisor.end();
    await removePlace(place);
  }
}

export function checkTransport(reference: TransportReference, checks: readonly Check[]): Promise<CheckResult[]> {
  return withSupervisor(async (supervisor, place) => {
    const transport = await loadTransport(reference);
    return runChecks(supervisor, place, [{ transport, reference, peerLanguage: "node" }], checks, silent);
  });
}

/** Binds checks to Vitest: the same objects, the same runner and the same processes as `npm run check`; one test per check. */
export function describeChecks(id: string, checks: readonly Check[]): void {
  describe(id, () => {
    let results: readonly CheckResult[] = [];
    let unavailable: string | undefined;
    beforeAll(async () => {
      const reference = { id, module: null };
      const probed = await (await loadTransport(reference)).probe();
      if (probed.available) results = await checkTransport(reference, checks);
      else unavailable = probed.reason;
    }, LIMIT_MS);
    afterAll(() => {
      results = [];
    });
    for (const check of checks) {
      it(check.title, (context) => {
        if (unavailable !== undefined) context.skip(`unavailable: ${unavailable}`);
        const result = results.find(({ scenario }) => scenario === check.id);
        if (result?.status === "not-applicable") context.skip(`not applicable: ${result.reason}`);
        if (result?.status !== "passed") throw new Error(result?.error ?? result?.reason ?? "no result");
      });
    }
  });
}
