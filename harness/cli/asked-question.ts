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
  /** Ids of those that only the profile asks for: they concern what the answer may name, and nothing else. */
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
  const base = fansOut || isCodecAsked ? profile.workload : { ...clientsOf(requirements), ...profile.workload };
  const workload = withCodec(workloadOf(options, base), options);
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

/** Returns the clients that are measured for a need: what it names, as far as one machine can run them. */
function clientsOf(requirements: readonly Requirement[]): Partial<Workload> {
  const needed = neededClients(requirements);
  return needed === undefined ? {} : { clients: Math.min(needed, MOST_CLIENTS_OF_A_NEED) };
}

/**
 * True where messages that a server publishes are asked for, and no time: a published message has no reply, so times
 * are those of round trips.
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
