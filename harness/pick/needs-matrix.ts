/** Each mechanism of a report against each need: what it can do, and what shows it. */
import { type Requirement, requirementOf, requirementText } from "../../scenarios/need.ts";
import { NEEDS } from "../../scenarios/needs/index.ts";
import { type OpenNeed, qualify, refute } from "../../scenarios/qualify.ts";
import type { Capabilities } from "../../transports/contract/capabilities.ts";
import { evidenceOf } from "../results/evidence.ts";
import type { Report, TransportRecord } from "../results/model.ts";
import { excludedIn } from "../results/standings.ts";

/**
 * Standing of one mechanism towards one need. The mechanism cannot: `cannot` by its record, `refuted` by a check of
 * this run. It can: `shown` by checks of this run, `record` by its record only. Open: `machine` where this machine
 * cannot run the mechanism or the check, `run` where this run did not examine it.
 */
export interface NeedStanding {
  readonly kind: "cannot" | "refuted" | "shown" | OpenNeed["kind"];
  readonly reason: string;
}

export interface NeedColumn {
  /** Need with its value, as it is typed. */
  readonly need: string;
  readonly sentence: string;
  readonly isAsked: boolean;
}

export interface NeedsRow {
  readonly transport: string;
  /** One standing for each column. */
  readonly standings: readonly NeedStanding[];
}

export interface NeedsMatrix {
  /** Needs of the question first, then the others with the values that they have by default. */
  readonly columns: readonly NeedColumn[];
  /** Candidates of the question; without a question, all mechanisms of the report. */
  readonly candidates: readonly NeedsRow[];
  readonly others: readonly NeedsRow[];
}

/** Fields that needs read. A record of an older report may lack some, and then states nothing. */
const STATED: readonly (keyof Capabilities)[] = [
  ...(["platforms", "languages", "auth", "maxClients", "maxMessageBytes", "maxInFlight", "ordering"] as const),
  ...(["delivery", "rendezvous", "peerLoss", "backpressure", "persistent", "modes", "patterns"] as const),
];

export function needsMatrix(report: Pick<Report, "transports" | "checks" | "question" | "candidates">): NeedsMatrix {
  const { transports, question, candidates } = report;
  const asked = (question?.needs ?? []).flatMap((text) => requirementOf(text, NEEDS) ?? []);
  const isAsked = (name: string): boolean => asked.some(({ need }) => need.name === name);
  const rest = NEEDS.filter(({ name }) => !isAsked(name)).map((need) => ({ need, value: need.standard }));
  const requirements = [...asked, ...rest];
  const evidence = evidenceOf(report);
  const records = transports.filter(({ baseline, capabilities }) => !baseline && isComplete(capabilities));
  const rows = records.map((record) => ({
    transport: record.id,
    standings: requirements.map((requirement) => standingOf(record, requirement, evidence)),
  }));
  const isCandidate = ({ transport }: NeedsRow): boolean =>
    candidates === undefined || candidates.some((each) => each.transport === transport);
  return {
    columns: requirements.map(({ need, value }) => ({
      need: requirementText({ need, value }),
      sentence: need.sentence(value),
      isAsked: isAsked(need.name),
    })),
    candidates: rows.filter(isCandidate),
    others: [...rows.filter((row) => !isCandidate(row)), ...leftOut(report, requirements)],
  };
}

/** True where capabilities state all that needs and the pick read. */
export function isComplete(capabilities: Partial<Capabilities> | undefined): boolean {
  return STATED.every((field) => capabilities?.[field] !== undefined);
}

function standingOf(
  record: TransportRecord,
  requirement: Requirement,
  evidence: ReturnType<typeof evidenceOf>,
): NeedStanding {
  const [excluded] = qualify([record], [requirement]).excluded;
  if (excluded !== undefined) return { kind: "cannot", reason: excluded.reason };
  const { candidates, excluded: refuted } = refute([record], [requirement], evidence);
  if (refuted[0] !== undefined) return { kind: "refuted", reason: refuted[0].reason };
  const [open] = candidates[0]?.open ?? [];
  if (open === undefined) return { kind: "shown", reason: "" };
  const isNotRun = open.kind === "run" && !record.available;
  return isNotRun ? { kind: "machine", reason: record.reason } : open;
}

/** Returns the mechanisms that a need left out before anything ran: the report has no record of them besides. */
function leftOut(report: Pick<Report, "transports" | "candidates">, requirements: readonly Requirement[]): NeedsRow[] {
  return excludedIn(report).byRecords.map(({ transport, need, reason }) => ({
    transport,
    standings: requirements.map((requirement) =>
      requirementText(requirement) === need
        ? { kind: "cannot", reason }
        : { kind: "run", reason: `left out before the run because of ${need}` },
    ),
  }));
}
