import type { Capabilities } from "../transports/contract/capabilities.ts";
import type { Evidence } from "./evidence.ts";
import { checksOf, type Requirement, requirementText, valueText } from "./need.ts";

/** A mechanism with its capabilities, before it runs. */
export interface Subject {
  readonly id: string;
  readonly capabilities: Capabilities;
}

/** The first requirement that a mechanism does not meet, as the user types it, with the reason. */
export interface Exclusion {
  readonly id: string;
  readonly need: string;
  readonly reason: string;
}

/** Divides mechanisms by their capabilities: those that meet every requirement, and the others with the reason. */
export function qualify<Record extends Subject>(
  records: readonly Record[],
  requirements: readonly Requirement[],
): { readonly candidates: readonly Record[]; readonly excluded: readonly Exclusion[] } {
  const excluded = records.flatMap(({ id, capabilities }) => {
    for (const requirement of requirements) {
      const reason = requirement.need.excludes(capabilities, requirement.value);
      if (reason !== undefined) return [{ id, need: requirementText(requirement), reason }];
    }
    return [];
  });
  const out = new Set(excluded.map(({ id }) => id));
  return { candidates: records.filter(({ id }) => !out.has(id)), excluded };
}

/**
 * A requirement that a candidate meets by its capabilities, but that no check of this run has shown. `machine`: this
 * machine cannot run the check. `run`: this run did not run it. `record`: no check examines it for this mechanism or
 * value.
 */
export interface OpenNeed {
  readonly need: string;
  readonly kind: "machine" | "run" | "record";
  readonly reason: string;
}

export interface Survivor<Record extends Subject> {
  readonly record: Record;
  /** Requirements that checks of this run have shown, as the user types them. */
  readonly shown: readonly string[];
  readonly open: readonly OpenNeed[];
}

/** Divides candidates by the results of checks. Only a failed check or a figure above the value excludes one. */
export function refute<Record extends Subject>(
  candidates: readonly Record[],
  requirements: readonly Requirement[],
  evidence: Evidence,
): { readonly candidates: readonly Survivor<Record>[]; readonly excluded: readonly Exclusion[] } {
  const survivors: Survivor<Record>[] = [];
  const excluded: Exclusion[] = [];
  for (const record of candidates) {
    const findings = requirements.map((requirement) => ({
      need: requirementText(requirement),
      ...find(record.id, requirement, evidence),
    }));
    const against = findings.find(({ kind }) => kind === "refuted");
    if (against !== undefined) excluded.push({ id: record.id, need: against.need, reason: against.reason });
    else {
      const open = findings.flatMap(({ need, kind, reason }) =>
        kind === "shown" || kind === "refuted" ? [] : [{ need, kind, reason }],
      );
      survivors.push({ record, shown: findings.flatMap(({ need, kind }) => (kind === "shown" ? [need] : [])), open });
    }
  }
  return { candidates: survivors, excluded };
}

interface Finding {
  readonly kind: "refuted" | "shown" | OpenNeed["kind"];
  readonly reason: string;
}

function find(id: string, requirement: Requirement, evidence: Evidence): Finding {
  const { need, value } = requirement;
  const verdicts = checksOf(requirement).map((check) => ({ check, ...evidence.verdict(id, check) }));
  const reasonOf = (verdict: (typeof verdicts)[number]): string => ("reason" in verdict ? verdict.reason : "");
  const first = (status: string): (typeof verdicts)[number] | undefined =>
    verdicts.find((verdict) => verdict.status === status);
  const failed = first("failed");
  if (failed !== undefined) return { kind: "refuted", reason: `failed the check ${failed.check}: ${reasonOf(failed)}` };
  const above = aboveValue(id, requirement, evidence);
  if (above !== undefined) return { kind: "refuted", reason: above };
  const lacking = first("unavailable");
  if (lacking !== undefined) return { kind: "machine", reason: `${lacking.check}: ${reasonOf(lacking)}` };
  const missing = first("not-examined");
  if (missing !== undefined) return { kind: "run", reason: `this run has no result of ${missing.check}` };
  const passed = verdicts.filter(({ status }) => status === "passed");
  if (passed.length === 0) {
    const why =
      verdicts[0] === undefined ? "no check examines it here" : `${verdicts[0].check}: ${reasonOf(verdicts[0])}`;
    return { kind: "record", reason: `stated by its record; ${why}` };
  }
  const limits = passed.map(({ check }) => need.examinedUpTo?.[check] ?? Number.POSITIVE_INFINITY);
  const most = Math.max(...limits);
  if (most < value) {
    return { kind: "record", reason: `stated by its record; examined up to ${valueText(need.kind, most)}` };
  }
  return { kind: "shown", reason: "" };
}

function aboveValue(id: string, { need, value }: Requirement, evidence: Evidence): string | undefined {
  if (need.figure === undefined) return undefined;
  const { check, note, scale } = need.figure;
  const noted = evidence.figure(id, check, note);
  if (noted === undefined || noted.value * scale <= value) return undefined;
  return `${check} noted ${valueText(need.kind, noted.value * scale)}`;
}

/** Returns what to give up if none qualifies: the requirement that excludes most, and who qualifies without it. */
export function tightest<Record extends Subject>(
  records: readonly Record[],
  requirements: readonly Requirement[],
): { readonly need: string; readonly excludes: number; readonly without: readonly Record[] } | undefined {
  const counted = requirements.map((requirement) => ({
    need: requirementText(requirement),
    excludes: qualify(records, [requirement]).excluded.length,
    without: qualify(
      records,
      requirements.filter((each) => each !== requirement),
    ).candidates,
  }));
  return counted.toSorted((a, b) => b.excludes - a.excludes || b.without.length - a.without.length)[0];
}
