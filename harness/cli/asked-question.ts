import { availableParallelism } from "node:os";
import type { Check } from "../../scenarios/check.ts";
import { checksOf, type Requirement, requirementText } from "../../scenarios/need.ts";
import type { Profile } from "../../scenarios/profile.ts";
import { PROFILES } from "../../scenarios/profiles/index.ts";
import type { Workload } from "../../scenarios/workload.ts";
import { CHECKS } from "../driver/checks/catalog.ts";
import { UsageError } from "../results/exit-codes.ts";
import type { Question } from "../results/question.ts";
import { chooseChecks } from "./check.ts";
import type { MeasureOptions } from "./options.ts";
import { combineNeeds, parseNeed } from "./parse-needs.ts";
import { findProfile } from "./profiles.ts";
import { asksForMore, withCodec, workloadOf } from "./workload.ts";

/** Question of the user, from flags and profile together. */
export interface AskedQuestion {
  readonly profile: Profile;
  readonly requirements: readonly Requirement[];
  readonly workload: Workload;
  /** `true` when the answer is about messages that a server publishes, and not about round trips. */
  readonly fansOut: boolean;
  /** Quick checks, and those that the needs and the profile rest on. */
  readonly checks: readonly Check[];
  /** Ids of the checks that only the profile asks for. They concern only the mechanisms that the answer may name. */
  readonly checksOfPick: ReadonlySet<string>;
  readonly forReport: Question;
}

/** Combines flags and profile; a flag goes before the profile's value. @throws UsageError */
export async function questionOf(options: MeasureOptions): Promise<AskedQuestion> {
  const profile = options.profile === undefined ? PROFILES[0] : await findProfile(options.profile);
  const { needs, ofProfile } = inProfile(options.profile ?? profile.name, () => ({
    needs: profile.needs.map(parseNeed),
    ofProfile: profile.checks.length === 0 ? [] : chooseChecks(profile.checks),
  }));
  const requirements = combineNeeds(options.need ?? [], { name: profile.name, needs });
  const plain = workloadOf(options, profile.workload);
  const isCodecAsked = options.codec !== undefined || plain.codec !== null;
  const fansOut = !isCodecAsked && asksForFanOut(options, requirements, plain);
  const clients = clientsOf(requirements, plain.ratePerSecond !== null);
  const base = fansOut || isCodecAsked ? profile.workload : { ...clients, ...profile.workload };
  const isOfNeed = "clients" in base && options.clients === undefined && !("clients" in profile.workload);
  const typed = workloadOf(options, base);
  const workload = withCodec(isOfNeed ? withLowerRate(typed) : typed, options);
  const ofNeeds = new Set(requirements.flatMap(checksOf));
  const isExtra = ({ id, quick }: Check): boolean => quick !== true && !ofNeeds.has(id);
  const checksOfPick = new Set(ofProfile.filter(isExtra).map(({ id }) => id));
  const named = new Set([...ofNeeds, ...checksOfPick]);
  return {
    profile,
    requirements,
    workload,
    fansOut,
    checks: CHECKS.filter(({ id, quick }) => quick === true || named.has(id)),
    checksOfPick,
    forReport: {
      needs: requirements.map(requirementText),
      profile: profile.name,
      workload,
      checks: CHECKS.filter(({ id, quick }) => quick !== true && named.has(id)).map(({ id }) => id),
    },
  };
}

/** Largest number of client processes that a need starts: they share the CPUs of the machine with the server. */
const MOST_CLIENTS_OF_A_NEED = 8;

/** Returns the number of clients that a need names; `undefined` without such a need. */
export function neededClients(requirements: readonly Requirement[]): number | undefined {
  return requirements.find(({ need }) => need.name === "clients")?.value;
}

/** The same limit per CPU where requests have a schedule. More processes would wait for a CPU and not for a reply. */
const MOST_CLIENTS_PER_CPU_AT_A_RATE = 2;

/** Returns the clients that are measured for a need: what it names, as far as one machine can run them. */
function clientsOf(requirements: readonly Requirement[], hasRate: boolean): Partial<Workload> {
  const needed = neededClients(requirements);
  if (needed === undefined) return {};
  const most = hasRate ? MOST_CLIENTS_PER_CPU_AT_A_RATE * availableParallelism() : MOST_CLIENTS_OF_A_NEED;
  return { clients: Math.min(needed, MOST_CLIENTS_OF_A_NEED, most) };
}

/**
 * Adds half the rate as a second load, where there are several clients with one rate. These clients stand for those of
 * a user. Where this machine is too slow to send at their rate, the answer is the one at the lower rate.
 */
function withLowerRate(workload: Workload): Workload {
  const { clients, ratePerSecond, otherLoads = [] } = workload;
  if (clients === 1 || ratePerSecond === null || ratePerSecond < 2 || otherLoads.length > 0) return workload;
  return { ...workload, otherLoads: [{ clients, ratePerSecond: Math.floor(ratePerSecond / 2) }] };
}

/**
 * True where the question is about messages that a server publishes, and not about times. A published message has no
 * reply, so times are those of round trips.
 */
function asksForFanOut(
  { optimize }: MeasureOptions,
  requirements: readonly Requirement[],
  workload: Workload,
): boolean {
  const isNeeded = requirements.some(({ need }) => need.name === "fan-out");
  return isNeeded && (optimize === undefined || optimize === "throughput") && !asksForMore(workload);
}

/** Adds the name of the profile to errors in its contents, which the user did not type. */
function inProfile<Result>(name: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`profile "${name}": ${error.message}`);
  }
}
