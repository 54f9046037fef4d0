import type { Check } from "../../scenarios/check.ts";
import type { Place } from "../../transports/contract/transport.ts";
import type { DriverStart } from "../process/messages.ts";
import { oneLine } from "../process/rules.ts";
import type { CheckResult } from "../results/model.ts";
import { BlockedTarget } from "./blocked-target.ts";
import {
  type Batch,
  type CheckTarget,
  compete,
  LANES,
  type Plan,
  planChecks,
  plannedChecks,
  predictMs,
  typicalMs,
} from "./check-plan.ts";
import type { ProcessSupervisor } from "./process-supervisor.ts";
import type { Progress } from "./progress.ts";

const DEFAULT_TIMEOUT_MS = 20_000;
/** Time that a driver may take beside a check, to start or to clean up. */
const SLACK_MS = 20_000;

/**
 * Runs the checks of every target in drivers of their own. First come those that may run beside others, a few drivers
 * at a time, then those that must be alone. A driver that dies fails the check it was in, and a fresh driver goes on.
 *
 * @param onBegin gets a function that returns the results so far
 * @returns results in the order of targets, and within one in that of checks, whichever ended first
 */
export async function runChecks(
  supervisor: ProcessSupervisor,
  place: Place,
  targets: readonly CheckTarget[],
  checks: readonly Check[],
  progress: Progress,
  onBegin: (soFar: () => CheckResult[]) => void = () => {},
): Promise<CheckResult[]> {
  const plan = planChecks(targets, checks);
  const results = new Map(targets.map((target) => [target, new Map<Check, CheckResult>()]));
  const blocked = new Map(targets.map((target) => [target, new BlockedTarget()]));
  const inOrder = (): CheckResult[] =>
    [...results.values()].flatMap((own) => checks.flatMap((check) => own.get(check) ?? []));
  onBegin(inOrder);
  progress.begin(plannedChecks(plan), predictMs(plan));
  const clock = new Forecast(plan);
  const run = async (batches: readonly Batch[], atATime: number): Promise<void> => {
    await inLanes(atATime, batches, async (batch) => {
      const { target } = batch;
      await checkTarget(supervisor, place, batch, blocked.get(target) as BlockedTarget, (result, check) => {
        const own = results.get(target);
        const isFirst = own?.has(check) === false;
        own?.set(check, result);
        if (!isFirst) return;
        progress.replan(clock.leftAfter(target, check));
        progress.step(`${target.transport.id}: ${result.scenario}`);
      });
    });
  };
  await run(plan.together, LANES);
  await run(plan.alone, 1);
  progress.end();
  return inOrder();
}

/** Estimates the time left, by the figures of the plan and by their accuracy so far. */
class Forecast {
  readonly #startedMs = performance.now();
  readonly #totalMs: number;
  #doneMs = 0;

  constructor(plan: Plan) {
    this.#totalMs = predictMs(plan);
  }

  leftAfter({ transport }: CheckTarget, check: Check): number {
    this.#doneMs += check.alone ? typicalMs(check, transport) : typicalMs(check, transport) / LANES;
    const elapsedMs = performance.now() - this.#startedMs;
    // The first few checks show the start of processes rather than the pace.
    const pace = this.#doneMs < 2000 ? 1 : elapsedMs / this.#doneMs;
    return Math.max(0, this.#totalMs - this.#doneMs) * Math.max(0.3, pace);
  }
}

/** Runs `count` batches at a time, in order; one that competes with a running one waits for its end. */
async function inLanes(count: number, batches: readonly Batch[], work: (batch: Batch) => Promise<void>): Promise<void> {
  const queue = [...batches];
  const running = new Map<Batch, Promise<unknown>>();
  while (queue.length > 0) {
    const free = running.size < count;
    const at = free ? queue.findIndex((batch) => ![...running.keys()].some((other) => compete(batch, other))) : -1;
    const [batch] = at < 0 ? [] : queue.splice(at, 1);
    if (batch === undefined) await Promise.race(running.values());
    else {
      const settled = work(batch).finally(() => running.delete(batch));
      running.set(batch, settled);
    }
  }
  await Promise.all(running.values());
}

/**
 * Runs the checks of one target. A crash of the driver, a blocked thread, or a result that is not due, fails one check;
 * a fresh driver goes on with the next. After the second blocked thread of one side the other checks are not run.
 * Output on standard output fails the last check, since its origin is unclear. When two results come for one check, at
 * least one is forged. That check fails too, so `onResult` may be called again with a replacement.
 */
async function checkTarget(
  supervisor: ProcessSupervisor,
  place: Place,
  { target, checks }: Batch,
  blocked: BlockedTarget,
  onResult: (result: CheckResult, check: Check) => void,
): Promise<void> {
  let done = 0;
  while (done < checks.length && blocked.reason === undefined) {
    let crash: string | undefined;
    const report = (result: CheckResult, check: Check): void => {
      onResult(crash === undefined ? result : failedBy(crash, result), check);
      crash = undefined;
    };
    // The last result waits until the driver has ended, since no later result would report a crash.
    let reportLast = (): void => {};
    let disputed: Check | undefined;
    const outcome = await supervisor.run({
      start: startOf(target, place, checks.slice(done)),
      pin: [],
      timeoutMs: limitOf(checks[done]),
      nextTimeoutMs: () => limitOf(checks[done]),
      onResult: (message) => {
        if (message.type !== "check") return `reported a ${message.type} instead of a check`;
        const { type: _type, id, ...rest } = message;
        const due = checks[done];
        if (due === undefined || id !== due.id) {
          const answered = checks.slice(0, done).find((check) => check.id === id);
          disputed = answered ?? (due === undefined ? checks.at(-1) : undefined);
          return answered === undefined
            ? `reported the check ${oneLine(id)}, which was not due`
            : `reported ${id} twice`;
        }
        done++;
        const result = { ...describe(target, due), ...rest };
        if (done === checks.length) reportLast = () => report(result, due);
        else report(result, due);
        return undefined;
      },
      onCrash: (what) => {
        crash = what;
      },
    });
    if (outcome.status === "done" && outcome.printed !== undefined) {
      crash ??=
        `printed on standard output, which belongs to the program (${oneLine(outcome.printed, 80)}); ` +
        "print to stderr";
    }
    const reason = outcome.status === "failed" ? outcome.reason : "the driver ended without a result";
    if (outcome.status === "failed" && done === checks.length && disputed === undefined)
      crash ??= `its driver did not end: ${reason}`;
    reportLast();
    const status = outcome.status === "failed" && outcome.shortage ? "unavailable" : "failed";
    for (const check of [disputed, checks[done]]) {
      if (check === undefined) continue;
      report({ ...describe(target, check), status, reason, notes: {}, durationMs: 0 }, check);
    }
    if (outcome.status === "failed" && outcome.blocked !== undefined)
      blocked.add(outcome.blocked, checks[done] ?? (checks.at(-1) as Check), reason);
    done++;
  }
  for (const check of checks.slice(done)) {
    const absent = { status: "not-examined", reason: blocked.reason ?? "", notes: {}, durationMs: 0 } as const;
    onResult({ ...describe(target, check), ...absent }, check);
  }
}

function startOf(target: CheckTarget, place: Place, checks: readonly Check[]): DriverStart {
  return {
    type: "start",
    transport: target.reference,
    mode: target.transport.capabilities.modes[0],
    place,
    peerPin: [],
    peerLanguage: target.peerLanguage,
    peerProgram: target.peerProgram,
    work: { kind: "check", checks: checks.map(({ id }) => id) },
  };
}

/** Returns the time in which a check must have a result; without one, the time in which the driver must end. */
function limitOf(check: Check | undefined): number {
  return (check === undefined ? 0 : (check.timeoutMs ?? DEFAULT_TIMEOUT_MS)) + SLACK_MS;
}

/**
 * Fails a check in which a process crashed, or in which the transport printed on the standard output of its program.
 */
function failedBy(crash: string, result: CheckResult): CheckResult {
  const reason = result.status === "failed" ? `${crash}: ${result.reason ?? ""}` : crash;
  return { ...result, status: "failed", reason };
}

function describe(
  { transport, peerLanguage }: CheckTarget,
  check: Check,
): Pick<CheckResult, "scenario" | "title" | "kind" | "transport" | "peer"> {
  const kind = check.id.startsWith("conformance/") ? "conformance" : "scenario";
  return { scenario: check.id, title: check.title, kind, transport: transport.id, peer: peerLanguage };
}
