import type { CellMetric, CellName, Figure, Measured, RunEvidence } from "./evidence.ts";

/** Published claim about IPC, as data: its origin, and the measurements and checks that can confirm or refute it. */
export interface Claim {
  /** Stable, unique name, as a value of `--claims`. */
  readonly id: string;
  /** Claim in our words: one sentence, without a full stop. */
  readonly text: string;
  readonly source: string;
  /** Date of the source: `2017-09-11`, `2026`, or `undated`. */
  readonly date: string;
  /** Machine of the source, if it is known. */
  readonly hardware?: string;
  readonly parts: readonly [ClaimPart, ...ClaimPart[]];
  /** Words behind "depends on": the condition that differs between the parts. Without it, all parts must hold. */
  readonly dependsOn?: string;
}

/** Values that a claim allows, both ends included. */
export interface ClaimedRange {
  readonly low: number;
  readonly high: number;
}

/** Part of a claim that one run can test. */
export type ClaimPart = RatioPart | FigurePart | CheckPart;

interface PartBase {
  /** Words that distinguish this part from the others of its claim: `64 B`, `against fifo`. */
  readonly where: string;
}

/** Figure of `one` as a multiple of that of `other`. */
export interface RatioPart extends PartBase {
  readonly kind: "ratio";
  readonly one: CellName;
  readonly other: CellName;
  readonly metric: CellMetric;
  readonly claimed: ClaimedRange;
  /** Reason why ipcmark can never measure this; absent if it can. */
  readonly lacking?: string;
}

/** Figure of one cell. */
export interface FigurePart extends PartBase {
  readonly kind: "figure";
  /**
   * Part of the model name of the CPU on which the figure can be compared: that of the source for a time or a rate,
   * `any` for a share of a CPU, and `any` if the claim is only about the order of magnitude.
   */
  readonly comparableOn: string;
  readonly cell: CellName;
  readonly metric: CellMetric;
  readonly claimed: ClaimedRange;
}

export interface CheckPart extends PartBase {
  readonly kind: "check";
  readonly transport: string;
  /** Language of the server. */
  readonly peer: string;
  /** Id of a check that must pass. */
  readonly check: string;
}

/** `cannot-tell`: the interval has values inside and outside of the claimed range, or there is no interval. */
export type PartStatus = "holds" | "fails" | "cannot-tell" | "not-comparable" | "not-examined";

export interface PartFinding {
  readonly part: ClaimPart;
  readonly status: PartStatus;
  /** Ratio or figure that was measured. */
  readonly figure?: Figure;
  /** Figures of both cells of a ratio. */
  readonly figures?: readonly [one: Figure, other: Figure];
  /** Reason for a status other than `holds`; absent if the figure is the reason. */
  readonly reason?: string;
}

/** `depends`: the claim holds under some of its conditions and fails under others. */
export type ClaimStatus = "confirmed" | "refuted" | "depends" | "cannot-tell" | "not-comparable" | "not-examined";

export interface ClaimFinding {
  readonly claim: Claim;
  readonly status: ClaimStatus;
  readonly parts: readonly PartFinding[];
}

/** Largest factor between a published ratio and a measured one that agree: compilers and CPUs change ratios too. */
export const SAME_FACTOR = 1.5;
/** Largest factor between a published time or rate and a measured one of the same order of magnitude. */
const SAME_ORDER = 10;
/** Smallest advantage that counts: "A beats B" fails if the run shows that the ratio is below this. */
export const NO_ADVANTAGE = 1.1;

export const atLeast = (low: number): ClaimedRange => ({ low, high: Number.POSITIVE_INFINITY });
export const atMost = (high: number): ClaimedRange => ({ low: 0, high });
/** Returns the range that agrees with a published value, or with a published range from `low` to `high`. */
export const about = (low: number, high: number = low): ClaimedRange => ({
  low: low / SAME_FACTOR,
  high: high * SAME_FACTOR,
});

/** Returns the range of values of the same order of magnitude, for a source that names no hardware. */
export const ofOrder = (low: number, high: number = low): ClaimedRange => ({
  low: low / SAME_ORDER,
  high: high * SAME_ORDER,
});

/** Judges a claim by the results of one run only. */
export function judge(claim: Claim, evidence: RunEvidence): ClaimFinding {
  const parts = claim.parts.map((part) => judgePart(part, evidence));
  const mayDepend = claim.dependsOn !== undefined;
  // If a condition does not exist on this machine, the other parts decide.
  const here = mayDepend ? parts.filter(({ status }) => status !== "not-comparable") : parts;
  return { claim, status: statusOf(here.length > 0 ? here : parts, mayDepend), parts };
}

function statusOf(parts: readonly PartFinding[], mayDepend: boolean): ClaimStatus {
  const has = (status: PartStatus): boolean => parts.some((part) => part.status === status);
  if (has("not-examined")) return "not-examined";
  if (has("not-comparable")) return "not-comparable";
  if (has("holds") && has("fails") && mayDepend) return "depends";
  if (has("fails") && !mayDepend) return "refuted";
  if (has("cannot-tell")) return "cannot-tell";
  return has("fails") ? "refuted" : "confirmed";
}

function judgePart(part: ClaimPart, evidence: RunEvidence): PartFinding {
  switch (part.kind) {
    case "check":
      return judgeCheck(part, evidence);
    case "figure":
      return judgeFigure(part, evidence);
    case "ratio":
      return judgeRatio(part, evidence);
  }
}

function judgeCheck(part: CheckPart, evidence: RunEvidence): PartFinding {
  const verdict = evidence.verdict(part.transport, part.check);
  switch (verdict.status) {
    case "passed":
      return { part, status: "holds" };
    case "failed":
      return { part, status: "fails", reason: verdict.reason };
    case "not-examined":
      return { part, status: "not-examined" };
    default:
      return { part, status: "not-comparable", reason: verdict.reason };
  }
}

function judgeRatio(part: RatioPart, evidence: RunEvidence): PartFinding {
  const found = evidence.ratio(part.one, part.other, part.metric);
  if (found.status !== "measured") {
    return part.lacking === undefined ? without(part, found) : { part, status: "not-comparable", reason: part.lacking };
  }
  const [one, other] = [evidence.measured(part.one, part.metric), evidence.measured(part.other, part.metric)];
  const isBoth = one.status === "measured" && other.status === "measured";
  return {
    part,
    status: within(found.figure, part.claimed),
    figure: found.figure,
    ...(isBoth ? { figures: [one.figure, other.figure] as const } : {}),
  };
}

function judgeFigure(part: FigurePart, evidence: RunEvidence): PartFinding {
  const found = evidence.measured(part.cell, part.metric);
  if (found.status !== "measured") return without(part, found);
  const { figure } = found;
  if (part.comparableOn === "any" || evidence.cpuModel.includes(part.comparableOn))
    return { part, status: within(figure, part.claimed), figure };
  const reason = `the source measured on ${part.comparableOn}, and this time depends on the machine`;
  return { part, status: "not-comparable", figure, reason };
}

function without(part: ClaimPart, found: Exclude<Measured, { status: "measured" }>): PartFinding {
  const status = found.status === "unavailable" ? "not-comparable" : "not-examined";
  return { part, status, ...(found.reason === undefined ? {} : { reason: found.reason }) };
}

function within({ interval }: Figure, { low, high }: ClaimedRange): "holds" | "fails" | "cannot-tell" {
  if (interval === undefined) return "cannot-tell";
  const [from, to] = interval;
  // "A beats B" has no upper end, and a ratio of 1 is no advantage.
  const isAboutOrder = low === 1 && high === Number.POSITIVE_INFINITY;
  if (isAboutOrder ? from > 1 : from >= low && to <= high) return "holds";
  return to < low || from > high || (isAboutOrder && to < NO_ADVANTAGE) ? "fails" : "cannot-tell";
}

/** Returns the cells that a claim needs. */
export function cellsOfClaim({ parts }: Claim): readonly CellName[] {
  return parts.flatMap((part): readonly CellName[] => {
    if (part.kind === "ratio") return part.lacking === undefined ? [part.one, part.other] : [];
    return part.kind === "figure" ? [part.cell] : [];
  });
}

/** Returns the checks that a claim needs. */
export function checksOfClaim({ parts }: Claim): readonly CheckPart[] {
  return parts.filter((part) => part.kind === "check");
}
