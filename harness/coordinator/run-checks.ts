import { availableParallelism } from "node:os";
import type { Check } from "../../transports/contract/check.ts";
import type { Place, Transport } from "../../transports/contract/transport.ts";
import type { DriverStart, TransportReference } from "../process/messages.ts";
import type { CheckResult } from "../results/model.ts";
import type { Progress } from "./progress.ts";
import type { Brood } from "./run-driver.ts";

const DEFAULT_TIMEOUT_MS = 20_000;
const SLACK_MS = 10_000;
const DEFAULT_TYPICAL_MS = 250;
/** A driver, and the server that healthy checks share. */
const START_MS = 500;

export interface CheckTarget {
  readonly transport: Transport;
  readonly reference: TransportReference;
  readonly peerLanguage: string;
}

/** Checks of one target that one driver runs, one after the other. */
interface Batch {
  readonly target: CheckTarget;
  readonly checks: readonly Check[];
}

interface Plan {
  /** May run beside each other. */
  readonly together: readonly Batch[];
  /** Read clocks or CPU time: nothing else runs meanwhile. */
  readonly alone: readonly Batch[];
}

/** How long {@link runChecks} will take with ordinary mechanisms, ms. */
export function predictChecksMs(targets: readonly CheckTarget[], checks: readonly Check[]): number {
  return predictMs(planChecks(targets, checks));
}

/**
 * Runs the checks of every target in drivers of their own: first those that may run beside others, a few drivers at a
 * time, then those that must be alone. A driver that dies fails the check it was in, and a fresh one goes on.
 */
export async function runChecks(
  brood: Brood,
  place: Place,
  targets: readonly CheckTarget[],
  checks: readonly Check[],
  progress: Progress,
): Promise<CheckResult[]> {
  const plan = planChecks(targets, checks);
  const results = new Map<CheckTarget, CheckResult[]>(targets.map((target) => [target, []]));
  progress.begin(targets.length * checks.length, predictMs(plan));
  const clock = new Forecast(plan);
  const run = async (batches: readonly Batch[], atATime: number): Promise<void> => {
    await inLanes(atATime, batches, async (batch) => {
      const { target } = batch;
      await checkTarget(brood, place, batch, (result, check) => {
        results.get(target)?.push(result);
        progress.replan(clock.leftAfter(target, check));
        progress.step(`${target.transport.id}: ${result.scenario}`);
      });
    });
  };
  await run(plan.together, lanes());
  await run(plan.alone, 1);
  progress.end();
  const position = new Map(checks.map(({ id }, index) => [id, index]));
  const order = ({ scenario }: CheckResult): number => position.get(scenario) ?? 0;
  return [...results.values()].flatMap((own) => own.toSorted((a, b) => order(a) - order(b)));
}

/** One more than there are CPUs: a good part of all checks is waiting. */
function lanes(): number {
  return Math.min(4, availableParallelism()) + 1;
}

/** What is left, by the figures of the plan and by how true they have been so far. */
class Forecast {
  readonly #startedMs = performance.now();
  readonly #totalMs: number;
  #doneMs = 0;

  constructor(plan: Plan) {
    this.#totalMs = predictMs(plan);
  }

  leftAfter({ transport }: CheckTarget, check: Check): number {
    this.#doneMs += check.alone ? typicalMs(check, transport) : typicalMs(check, transport) / lanes();
    const elapsedMs = performance.now() - this.#startedMs;
    // The first few checks say more about starting processes than about the pace.
    const pace = this.#doneMs < 2000 ? 1 : elapsedMs / this.#doneMs;
    return Math.max(0, this.#totalMs - this.#doneMs) * Math.max(0.3, pace);
  }
}

function typicalMs(check: Check, transport: Transport): number {
  return applies(check, transport) ? (check.typicalMs ?? DEFAULT_TYPICAL_MS) : 0;
}

function planChecks(targets: readonly CheckTarget[], checks: readonly Check[]): Plan {
  const batches = (alone: boolean): Batch[] =>
    targets
      .map((target) => ({
        target,
        checks: checks.filter((check) => (check.alone ?? false) === alone && concerns(target, check)),
      }))
      .filter((batch) => batch.checks.length > 0)
      // The longest first, so that no lane is left with it at the end.
      .toSorted((a, b) => batchMs(b) - batchMs(a));
  return { together: batches(false), alone: batches(true) };
}

/** Conformance cases are about the API in this language: a server in another one takes no part in them. */
function concerns({ peerLanguage }: CheckTarget, { id }: Check): boolean {
  return peerLanguage === "node" || !id.startsWith("conformance/");
}

function predictMs({ together, alone }: Plan): number {
  const sum = (batches: readonly Batch[]): number => batches.reduce((total, batch) => total + batchMs(batch), 0);
  const longest = Math.max(0, ...together.map(batchMs));
  return Math.max(longest, sum(together) / lanes()) + sum(alone);
}

function batchMs({ target: { transport }, checks }: Batch): number {
  return checks.reduce((sum, check) => sum + typicalMs(check, transport), START_MS);
}

/** What lacks an event face gets one in the driver; here only the answer matters. */
function applies(check: Check, transport: Transport): boolean {
  const event = transport.event ?? ({} as NonNullable<Transport["event"]>);
  return check.appliesTo(transport.capabilities, { ...transport, event }) === true;
}

async function inLanes<Item>(
  count: number,
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: count }, lane));
}

/** A crash of the driver fails one check; a fresh driver goes on with the next. */
async function checkTarget(
  brood: Brood,
  place: Place,
  { target, checks }: Batch,
  onResult: (result: CheckResult, check: Check) => void,
): Promise<void> {
  let done = 0;
  while (done < checks.length) {
    const left = checks.slice(done);
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
        done++;
        onResult({ ...describe(target, check), ...rest }, check);
      },
    });
    const check = checks[done];
    if (check === undefined) continue;
    done++;
    const reason = outcome.status === "failed" ? outcome.reason : "the driver ended without a result";
    onResult({ ...describe(target, check), status: "failed", reason, notes: {}, durationMs: 0 }, check);
  }
}

function describe(
  { transport, peerLanguage }: CheckTarget,
  check: Check,
): Pick<CheckResult, "scenario" | "title" | "kind" | "transport" | "peer"> {
  const kind = check.id.startsWith("conformance/") ? "conformance" : "scenario";
  return { scenario: check.id, title: check.title, kind, transport: transport.id, peer: peerLanguage };
}
