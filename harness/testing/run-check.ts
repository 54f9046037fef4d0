import { fileURLToPath } from "node:url";
import type { Check } from "../../scenarios/check.ts";
import type { Transport } from "../../transports/contract/transport.ts";
import { silent } from "../coordinator/progress.ts";
import { runChecks } from "../coordinator/run-checks.ts";
import { EVERY_CHECK } from "../driver/checks/catalog.ts";
import type { CheckResult } from "../results/model.ts";
import { withSupervisor } from "./vitest-adapter.ts";

/** `true` with `IPCMARK_TEST_ALL=1`: also run what `npm test` has no time for. */
export const TEST_ALL: boolean = process.env["IPCMARK_TEST_ALL"] === "1";

/** Checks to run on one transport; `module` is relative to the repository, null for the registry. */
export interface Job {
  readonly transport: Transport;
  readonly module: string | null;
  readonly checks: readonly string[];
}

/** Jobs at a time, more than CPUs: checks that fail mostly wait for a message that does not come. */
const LANES = 6;

/** Runs every job by itself, several at a time, and returns the results by id of the transport. */
export async function runJobs(jobs: readonly Job[]): Promise<ReadonlyMap<string, readonly CheckResult[]>> {
  const results = new Map<string, readonly CheckResult[]>();
  const queue = [...jobs];
  await withSupervisor(async (supervisor, place) => {
    const lane = async (): Promise<void> => {
      for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
        const { transport, module } = job;
        const path = module === null ? null : fileURLToPath(new URL(`../../${module}`, import.meta.url));
        const target = { transport, reference: { id: transport.id, module: path }, peerLanguage: "node" };
        results.set(transport.id, await runChecks(supervisor, place, [target], job.checks.map(checkOf), silent));
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  });
  return results;
}

/** Runs the same checks on all of them as `ipcmark check` would. */
export async function runTogether(
  transports: readonly Transport[],
  checks: readonly Check[],
): Promise<ReadonlyMap<string, readonly CheckResult[]>> {
  const targets = transports.map((transport) => ({
    transport,
    reference: { id: transport.id, module: null },
    peerLanguage: "node",
  }));
  const results = await withSupervisor((supervisor, place) => runChecks(supervisor, place, targets, checks, silent));
  return Map.groupBy(results, ({ transport }) => transport);
}

export function checkOf(id: string): Check {
  const check = EVERY_CHECK.find((candidate) => candidate.id === id);
  if (check === undefined) throw new Error(`no check ${id}`);
  return check;
}

export function failedOf(results: readonly CheckResult[] | undefined): string[] {
  return (results ?? []).filter(({ status }) => status === "failed").map(({ scenario }) => scenario);
}
