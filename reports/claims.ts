import {
  type ClaimFinding,
  type ClaimPart,
  type ClaimStatus,
  judgeClaims,
  type PartFinding,
  SAME_FACTOR,
} from "../harness/pick/claims.ts";
import {
  count,
  duration,
  durationRange,
  percent,
  quantity,
  quantityRange,
  ratio,
  ratioRange,
  significant,
} from "../harness/results/format.ts";
import type { Report } from "../harness/results/model.ts";

/** Mark and words of each verdict. A mark never stands without the words. */
export const CLAIM_VERDICTS: Readonly<Record<ClaimStatus, { readonly mark: string; readonly word: string }>> = {
  confirmed: { mark: "✓", word: "confirmed" },
  refuted: { mark: "✗", word: "refuted" },
  depends: { mark: "±", word: "depends on a condition" },
  "cannot-tell": { mark: "?", word: "this run cannot tell" },
  "not-comparable": { mark: "–", word: "not comparable here" },
  "not-examined": { mark: "·", word: "not examined" },
};

export const CLAIMS_NOTE: string =
  "Each verdict holds for this machine and follows only from the figures of this report. A published time is " +
  "comparable only on the machine of its source; a ratio of two times, or an order of magnitude, may hold on other " +
  `machines. A measured ratio within a factor of ${SAME_FACTOR} of the published one confirms it, because compilers, ` +
  "kernels and CPUs change ratios too; for an order of magnitude, the factor is 10. Intervals are 95 % intervals of " +
  "ratios within the same rounds, so about one in 20 of these verdicts " +
  "may be wrong by chance. If a run cannot tell, a longer --budget narrows the intervals.";

/** Judged claim in words. */
export interface ClaimLines {
  readonly id: string;
  readonly status: ClaimStatus;
  readonly mark: string;
  readonly text: string;
  /** Verdict with its reason: `depends on the size of the object`. */
  readonly verdict: string;
  /** One line for each part: its figures, the claimed range, and whether it holds. */
  readonly parts: readonly string[];
  /** Id, source, date and hardware. */
  readonly origin: string;
}

/** Returns the claims of a report in words; `ids` as in `judgeClaims`. */
export function claimLines(report: Report, ids?: readonly string[]): readonly ClaimLines[] {
  return judgeClaims(report, ids).map((finding): ClaimLines => {
    const { claim, status, parts } = finding;
    const isSame = new Set(parts.map((part) => part.status)).size === 1;
    return {
      ...{ id: claim.id, status, text: claim.text, mark: CLAIM_VERDICTS[status].mark },
      verdict: verdictText(finding),
      parts: parts.flatMap((part) => partText(part, !isSame)),
      origin: [claim.id, claim.source, claim.date, claim.hardware].filter((each) => each !== undefined).join("; "),
    };
  });
}

/** Counts the verdicts: `26 claims tested: 9 confirmed, 8 refuted, …`. */
export function claimsSummary(lines: readonly ClaimLines[]): string {
  const counts = Object.entries(CLAIM_VERDICTS).flatMap(([status, { word }]) => {
    const found = lines.filter((line) => line.status === status).length;
    return found === 0 ? [] : [`${found} ${status === "depends" && found > 1 ? "depend on a condition" : word}`];
  });
  return `${count(lines.length, "claim")} tested: ${counts.join(", ")}`;
}

function verdictText({ claim, status, parts }: ClaimFinding): string {
  const own = parts.filter((part) => part.status === status);
  if (status === "depends") return `depends on ${claim.dependsOn}`;
  if (status === "not-comparable")
    return `not comparable here because ${[...new Set(own.map(({ reason }) => reason))].join("; ")}`;
  if (status === "not-examined") return `not examined: ${whatLacks(own)}`;
  return CLAIM_VERDICTS[status].word;
}

/** Names the parts without a result, and states the reasons of those that failed. */
function whatLacks(parts: readonly PartFinding[]): string {
  const nameOf = ({ part }: PartFinding): string =>
    part.kind === "ratio" ? `${part.where} (${namesOf(part).join(" and ")})` : part.where;
  const lacking = parts.filter(({ reason }) => reason === undefined).map(nameOf);
  const failed = parts.flatMap((part) => (part.reason === undefined ? [] : [`${nameOf(part)}: ${part.reason}`]));
  return [...(lacking.length > 0 ? [`this run has no result for ${lacking.join(", ")}`] : []), ...failed].join("; ");
}

const WORDS: Readonly<Record<PartFinding["status"], string>> = {
  holds: "holds",
  fails: "does not hold",
  "cannot-tell": "this run cannot tell",
  "not-comparable": "not comparable",
  "not-examined": "not examined",
};

/** Returns the line of a part; none if the verdict contains it already. */
function partText(finding: PartFinding, withWord: boolean): string[] {
  const { part, status, figure, reason } = finding;
  const word = withWord ? `: ${WORDS[status]}` : "";
  if (status === "not-examined") return [];
  if (part.kind === "check") {
    const result = status === "holds" ? "passed" : status === "fails" ? `failed: ${reason}` : WORDS[status];
    return [`check ${part.where}: ${result}`];
  }
  if (figure === undefined) return withWord ? [`${part.where}${word}, because ${reason}`] : [];
  return [`${part.where}: ${figuresText(finding, part)}; claimed ${rangeText(part)}${word}`];
}

function figuresText({ figure, figures }: PartFinding, part: Exclude<ClaimPart, { kind: "check" }>): string {
  const { value = Number.NaN, interval } = figure ?? {};
  if (part.kind === "figure") {
    const range = interval === undefined ? "" : ` (${spanText(part.metric, interval, value)})`;
    return `${part.cell.transport} ${valueText(part.metric, value)}${range}`;
  }
  const names = namesOf(part);
  const both = figures?.map((each, at) => `${names[at]} (${valueText(part.metric, each.value)})`) ?? names;
  const range = interval === undefined ? " (fewer than 6 rounds in common)" : ` (${ratioRange([...interval])})`;
  return `${both.join(" to ")}: ${ratio(value)}${range}`;
}

/** Names both cells of a ratio by what distinguishes them. */
function namesOf({ one, other }: Extract<ClaimPart, { kind: "ratio" }>): readonly [string, string] {
  const nameOf = (cell: typeof one): string =>
    [cell.transport, cell.codec, one.benchmark === other.benchmark ? undefined : cell.benchmark]
      .filter((each) => each !== undefined)
      .join(" ");
  return [nameOf(one), nameOf(other)];
}

type Metric = Extract<ClaimPart, { kind: "figure" }>["metric"];

function valueText(metric: Metric, value: number): string {
  if (metric === "rate") return `${quantity(value)}/s`;
  return metric === "idle-cpu" ? `${percent(value)} of a CPU` : duration(value);
}

function spanText(metric: Metric, [low, high]: readonly [number, number], value: number): string {
  if (metric === "rate") return quantityRange([low, high], value);
  return metric === "idle-cpu" ? `${percent(low)} to ${percent(high)}` : durationRange([low, high], value);
}

function rangeText({ kind, claimed: { low, high }, metric }: Exclude<ClaimPart, { kind: "check" }>): string {
  const show = (value: number): string => (kind === "ratio" ? `${significant(value)}×` : valueText(metric, value));
  if (high === Number.POSITIVE_INFINITY)
    return kind === "ratio" && low === 1 ? "more than 1×" : `at least ${show(low)}`;
  return low === 0 ? `at most ${show(high)}` : `${show(low)} to ${show(high)}`;
}
