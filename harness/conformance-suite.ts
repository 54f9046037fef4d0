import { fileURLToPath } from "node:url";
import type { Check } from "../scenarios/check.ts";
import { SCENARIOS } from "../scenarios/checks/index.ts";
import { CONFORMANCE } from "../scenarios/conformance/index.ts";
import { PROGRAM } from "../transports/contract/capabilities.ts";
import type { Place, Transport } from "../transports/contract/transport.ts";
import { ProcessSupervisor } from "./coordinator/process-supervisor.ts";
import { silent } from "./coordinator/progress.ts";
import { runChecks } from "./coordinator/run-checks.ts";
import { loadTransport } from "./process/load-transport.ts";
import type { TransportReference } from "./process/messages.ts";
import { createPlace, removePlace, sweepDeadPlaces } from "./process/place.ts";
import type { CheckResult } from "./results/model.ts";

/** Time limit for each test of {@link conformanceTests}: the first waits for the whole suite, 5 to 30 s. */
export const CONFORMANCE_TIMEOUT_MS = 300_000;

/** One promise of the contract, for any test runner. */
export interface ConformanceTest {
  /** The promise as a sentence; unique in its suite. */
  readonly name: string;
  /** @throws Error with what was seen instead when the promise does not hold */
  run(): Promise<ConformanceVerdict>;
}

/**
 * `not-applicable`: the transport makes no such claim. `unavailable`: this machine cannot run the transport or has too
 * little of something. `not-examined`: this run did not try, since other checks had shown that it would only wait. A
 * test runner shows all three as skipped.
 */
export type ConformanceVerdict =
  | { readonly status: "passed" }
  | { readonly status: "not-applicable" | "not-examined" | "unavailable"; readonly reason: string };

/**
 * Lists the conformance cases of the contract as tests of a transport of your own; the same cases that `ipcmark check`
 * runs. For an existing server, whose protocol is not ours, it lists the scenarios instead, since no case can apply.
 * Nothing runs before the first `run()`. That one runs all of them in processes of their own, which import `module`.
 * Nothing is left behind. The last test fails if none of the others examined anything. A recipe for `node:test` and
 * Vitest stands in `transports/README.md`.
 *
 * @param module path or `file:` URL of the module whose default export is the transport or a list that has it
 */
export function conformanceTests(transport: Transport, module: string | URL): ConformanceTest[] {
  const path = String(module).startsWith("file:") ? fileURLToPath(module) : String(module);
  const tests = checkTests(
    { id: transport.id, module: path },
    transport.program === undefined ? CONFORMANCE : SCENARIOS,
  );
  return [...tests, somethingExamined(transport.id, tests)];
}

/** Fails where every other test is skipped: most test runners end with 0 then, as if the promises held. */
function somethingExamined(id: string, tests: readonly ConformanceTest[]): ConformanceTest {
  return {
    name: "At least one of these promises could be examined here",
    async run() {
      const verdicts = await Promise.allSettled(tests.map(({ run }) => run()));
      const skipped = verdicts.flatMap((one) =>
        one.status === "rejected" || one.value.status === "passed" ? [] : [one.value],
      );
      const [first] = skipped;
      if (first === undefined || skipped.length < tests.length) return { status: "passed" };
      throw new Error(`nothing about ${id} was examined: ${first.status}: ${first.reason}`);
    },
  };
}

/** Makes a test of each check. The first `run()` starts all checks; each other one waits for its own result. */
export function checkTests(reference: TransportReference, checks: readonly Check[]): ConformanceTest[] {
  let running: Promise<Outcome> | undefined;
  return checks.map(({ id, title }) => ({
    name: title,
    async run() {
      running ??= checkIfAvailable(reference, checks);
      const outcome = await running;
      if ("unavailable" in outcome) return { status: "unavailable", reason: outcome.unavailable };
      const result = outcome.results.find(({ scenario }) => scenario === id);
      if (result?.status === "passed") return { status: "passed" };
      const { reason = "it has no result", error: stack } = result ?? {};
      if (result === undefined || result.status === "failed")
        throw Object.assign(new Error(reason), stack && { stack });
      return { status: result.status, reason };
    },
  }));
}

type Outcome = { readonly unavailable: string } | { readonly results: readonly CheckResult[] };

async function checkIfAvailable(reference: TransportReference, checks: readonly Check[]): Promise<Outcome> {
  const transport = await loadTransport(reference);
  const probed = await transport.probe();
  if (!probed.available) return { unavailable: probed.reason };
  await sweepDeadPlaces();
  return { results: await checkTransport(reference, checks) };
}

/** Runs checks of one transport as `ipcmark check` does. */
export function checkTransport(reference: TransportReference, checks: readonly Check[]): Promise<CheckResult[]> {
  return withSupervisor(async (supervisor, place) => {
    const transport = await loadTransport(reference);
    const peerLanguage = transport.program === undefined ? "node" : PROGRAM;
    return runChecks(supervisor, place, [{ transport, reference, peerLanguage }], checks, silent);
  });
}

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
