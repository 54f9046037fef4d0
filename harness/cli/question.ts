import type { Check } from "../../scenarios/check.ts";
import { checksOf, type Requirement, requirementText } from "../../scenarios/need.ts";
import type { Profile } from "../../scenarios/profile.ts";
import { PROFILES } from "../../scenarios/profiles/index.ts";
import type { Workload } from "../../scenarios/workload.ts";
import { CHECKS } from "../driver/checks/catalog.ts";
import { UsageError } from "../results/exit-codes.ts";
import type { Question } from "../results/question.ts";
import { chooseChecks } from "./check.ts";
import { combineNeeds, parseNeed } from "./needs.ts";
import type { MeasureOptions } from "./options.ts";
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
  const workload = withCodec(workloadOf(options, profile.workload), options);
  const ofNeeds = new Set(requirements.flatMap(checksOf));
  const isExtra = ({ id, quick }: Check): boolean => quick !== true && !ofNeeds.has(id);
  const checksOfPick = new Set(ofProfile.filter(isExtra).map(({ id }) => id));
  const named = new Set([...ofNeeds, ...checksOfPick]);
  return {
    profile,
    requirements,
    workload,
    fansOut:
      requirements.some(({ need }) => need.name === "fan-out") &&
      isThroughput(options) &&
      !asksForMore(workload) &&
      workload.codec === null,
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

/** True unless a time is asked for: a published message has no reply, so times are those of round trips. */
function isThroughput({ optimize }: MeasureOptions): boolean {
  return optimize === undefined || optimize === "throughput";
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
