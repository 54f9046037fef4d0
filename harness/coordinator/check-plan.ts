import { availableParallelism } from "node:os";
import { type Check, unmetNeed } from "../../scenarios/check.ts";
import type { TransportDescription } from "../../transports/contract/transport.ts";
import { spaceIn } from "../../transports/posix/machine-limits.ts";
import type { TransportReference } from "../process/messages.ts";

const DEFAULT_TYPICAL_MS = 10;
/** Time to start a driver and the server that healthy checks share, ms. */
const START_MS = 500;
/** Number of drivers that run side by side: one more than there are CPUs, since checks often wait. */
export const LANES: number = Math.min(4, availableParallelism()) + 1;

export interface CheckTarget {
  readonly transport: TransportDescription;
  readonly reference: TransportReference;
  readonly peerLanguage: string;
  /** Peer program, as in `DriverStart`. */
  readonly peerProgram?: string | undefined;
  /** Ids of checks that are of no use for this target. */
  readonly spared?: ReadonlySet<string>;
}

/** Checks of one target that one driver runs, one after the other. */
export interface Batch {
  readonly target: CheckTarget;
  readonly checks: readonly Check[];
}

export interface Plan {
  /** Batches that may run beside each other, except those that {@link compete}. */
  readonly together: readonly Batch[];
  /** Batches that read clocks or CPU time: nothing else runs meanwhile. */
  readonly alone: readonly Batch[];
}

/** Groups checks into batches, one driver each: those that may run beside others, and those that must be alone. */
export function planChecks(targets: readonly CheckTarget[], checks: readonly Check[]): Plan {
  const batches = (alone: boolean): Batch[] =>
    targets
      .map((target) => ({
        target,
        checks: checks
          .filter((check) => (check.alone ?? false) === alone && concerns(target, check))
          .toSorted((a, b) => Number(a.killsPeer ?? false) - Number(b.killsPeer ?? false)),
      }))
      .filter((batch) => batch.checks.length > 0)
      // The longest batch comes first, so that it is not the last one to run while other lanes are idle.
      .toSorted((a, b) => batchMs(b) - batchMs(a));
  return { together: batches(false), alone: batches(true) };
}

/** True where a check concerns the target and is of use: conformance cases are about the API in this language only. */
function concerns({ peerLanguage, spared }: CheckTarget, { id }: Check): boolean {
  if (spared?.has(id)) return false;
  return peerLanguage === "node" || !id.startsWith("conformance/");
}

/** Predicts the time of `runChecks` with ordinary mechanisms, ms. */
export function predictChecksMs(targets: readonly CheckTarget[], checks: readonly Check[]): number {
  return predictMs(planChecks(targets, checks));
}

/** Returns the number of results that a plan has, of all targets together. */
export function plannedChecks({ together, alone }: Plan): number {
  return [...together, ...alone].reduce((sum, batch) => sum + batch.checks.length, 0);
}

export function predictMs({ together, alone }: Plan): number {
  const sum = (batches: readonly Batch[]): number => batches.reduce((total, batch) => total + batchMs(batch), 0);
  const chains = Map.groupBy(together, (batch) => limitOf(batch) ?? batch).values();
  const longest = Math.max(0, ...[...chains].map(sum));
  return Math.max(longest, sum(together) / LANES) + sum(alone);
}

function batchMs({ target: { transport }, checks }: Batch): number {
  return checks.reduce((total, check) => total + typicalMs(check, transport), START_MS);
}

export function typicalMs(check: Check, transport: TransportDescription): number {
  return applies(check, transport) ? (check.typicalMs ?? DEFAULT_TYPICAL_MS) : 0;
}

/** True where a check applies. A missing event face is added in the driver; here only the answer matters. */
function applies(check: Check, transport: TransportDescription): boolean {
  return unmetNeed(check, { event: {}, ...transport }) === undefined;
}

/** True where both depend on the same limit of the system, so that one could use up what the other needs. */
export function compete(a: Batch, b: Batch): boolean {
  const limit = limitOf(a);
  return limit !== undefined && limit === limitOf(b);
}

/** Size of /dev/shm that holds the rings of several mechanisms with all their clients. */
const ENOUGH_SHM_BYTES = 2 ** 31;

/**
 * Names the limit of the system that a batch depends on. RLIMIT_MSGQUEUE counts all message queues of a user, and two
 * servers with all their clients exceed it. A small /dev/shm has room for the rings of one mechanism.
 */
function limitOf({ target: { transport } }: Batch): string | undefined {
  if (transport.id.startsWith("posix-mq")) return "queues";
  return transport.id.startsWith("shm/") && freeShmBytes() < ENOUGH_SHM_BYTES ? "/dev/shm" : undefined;
}

function freeShmBytes(): number {
  try {
    return spaceIn("/dev/shm").freeBytes;
  } catch {
    return 0;
  }
}
