import type { Check } from "../../transports/contract/check.ts";
import type { Place, Transport } from "../../transports/contract/transport.ts";
import type { DriverStart, TransportReference } from "../process/messages.ts";
import type { CheckResult } from "../results/model.ts";
import type { Progress } from "./progress.ts";
import type { Brood } from "./run-driver.ts";

const DEFAULT_TIMEOUT_MS = 20_000;
const SLACK_MS = 10_000;

export interface CheckTarget {
  readonly transport: Transport;
  readonly reference: TransportReference;
  readonly peerLanguage: string;
}

/** Runs the checks of every target, each target in a driver of its own; a driver that dies fails the check it was in. */
export async function runChecks(
  brood: Brood,
  place: Place,
  targets: readonly CheckTarget[],
  checks: readonly Check[],
  progress: Progress,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  progress.begin(targets.length, targets.length * 2500);
  for (const target of targets) {
    progress.step(`checking ${target.transport.id}`);
    results.push(...(await checkTarget(brood, place, target, checks)));
  }
  progress.end();
  return results;
}

/** A crash of the driver fails one check; a fresh driver goes on with the next. */
async function checkTarget(
  brood: Brood,
  place: Place,
  target: CheckTarget,
  checks: readonly Check[],
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  while (results.length < checks.length) {
    const left = checks.slice(results.length);
    const start: DriverStart = {
      type: "start",
      transport: target.reference,
      mode: target.transport.capabilities.modes[0],
      place,
      peerPin: [],
      peerLanguage: target.peerLanguage,
      work: { kind: "check", checks: left.map(({ id }) => id) },
    };
    const outcome = await brood.run({
      start,
      pin: [],
      timeoutMs: left.reduce((sum, check) => sum + (check.timeoutMs ?? DEFAULT_TIMEOUT_MS) + SLACK_MS, 0),
      onResult: (message) => {
        const check = message.type === "check" ? checks.find(({ id }) => id === message.id) : undefined;
        if (check === undefined || message.type !== "check") return;
        const { type: _type, id: _id, ...rest } = message;
        results.push({ ...describe(target, check), ...rest });
      },
    });
    const check = checks[results.length];
    if (check === undefined) continue;
    const reason = outcome.status === "failed" ? outcome.reason : "the driver ended without a result";
    results.push({ ...describe(target, check), status: "failed", reason, notes: {}, durationMs: 0 });
  }
  return results;
}

function describe(
  { transport, peerLanguage }: CheckTarget,
  check: Check,
): Pick<CheckResult, "scenario" | "title" | "kind" | "transport" | "peer"> {
  const kind = check.id.startsWith("conformance/") ? "conformance" : "scenario";
  return { scenario: check.id, title: check.title, kind, transport: transport.id, peer: peerLanguage };
}
