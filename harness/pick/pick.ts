import type { WaitMode } from "../../transports/contract/capabilities.ts";
import { crashReason } from "../results/crashes.ts";
import { bytes, count, duration } from "../results/format.ts";
import type { MeasuredRow, Measurement, Pick, Placement, Report } from "../results/model.ts";
import { median } from "../results/quantiles.ts";
import { type Contender, compareRounds, type Ranked, rankByRounds, roundsOf } from "../results/ranking.ts";

/** What the pick is for. */
export interface Workload {
  readonly payloads: readonly number[];
  readonly modes: readonly WaitMode[];
  readonly placement: Placement;
  readonly benchmark: string;
  /** Language of the server. */
  readonly peer: string;
}

/** `name` is the transport; `rounds` holds the geometric mean of the payloads' p50, ns. */
interface Candidate extends Contender {
  readonly mode: WaitMode;
  /** Rows of the workload's payloads, in their order. */
  readonly rows: readonly MeasuredRow[];
}

/** The parts of a report the pick is made from. */
export interface Evidence {
  readonly transports: Report["transports"];
  readonly checks: Report["checks"];
  readonly measurements: Report["measurements"];
  readonly crashes?: Report["crashes"];
}

/**
 * Ranks the candidates of one placement and names the fastest that passed every check.
 *
 * The score of a candidate in a round is the geometric mean of its p50 over the payloads. Order and ties come from the ratios of scores
 * within the same rounds (`results/ranking.ts`), as in the tables. Where one candidate has fewer than 6 rounds in common with the best, the
 * run cannot tell which is fastest, and the pick states no order at all.
 */
export function pick(evidence: Evidence, workload: Workload): Pick | null {
  const out: Out = { ruledOut: [], notExamined: [] };
  const [first, ...others] = rankByRounds(candidatesOf(evidence, workload, workload.modes, out));
  if (first === undefined) return null;
  const best = first.row;
  const verdict = verdictOn(others);
  const told = verdict !== "cannot-tell";
  const words = { alone, ahead, tie, "cannot-tell": cannotTell }[verdict];
  return {
    transport: best.name,
    mode: best.mode,
    placement: workload.placement,
    verdict,
    sentence: words(best, others, workload) + notExaminedIn(evidence, workload, out),
    reasons: told ? reasonsFor(best, others, evidence, workload) : [],
    runnerUp: told ? (others[0]?.row.name ?? null) : null,
    ties: others.filter(({ standing }) => standing !== "behind").map(({ row }) => row.name),
    ...out,
    alternatives: told ? alternatives(evidence, workload, best) : [],
    workload: { payloads: workload.payloads, modes: workload.modes, placement: workload.placement },
    ranking: [first, ...others].map(({ row, comparison: { ratio, interval } }) => ({
      transport: row.name,
      mode: row.mode,
      ratio,
      interval,
    })),
  };
}

function verdictOn(others: readonly Ranked<Candidate>[]): NonNullable<Pick["verdict"]> {
  if (others.length === 0) return "alone";
  if (others.some(({ standing }) => standing === "unknown")) return "cannot-tell";
  return others.some(({ standing }) => standing === "tied") ? "tie" : "ahead";
}

/** Mechanisms that are no candidates: by what they did, and by what this machine could not do. */
interface Out {
  readonly ruledOut: { transport: string; reason: string }[];
  readonly notExamined: { transport: string; reason: string }[];
}

function candidatesOf(
  evidence: Evidence,
  workload: Workload,
  modes: readonly WaitMode[],
  { ruledOut, notExamined }: Out,
): Candidate[] {
  const candidates: Candidate[] = [];
  for (const record of evidence.transports) {
    if (record.baseline) continue;
    if (!record.available) {
      notExamined.push({ transport: record.id, reason: record.reason });
      continue;
    }
    const crash = crashReason(evidence.crashes ?? [], record.id);
    if (crash !== undefined) {
      ruledOut.push({ transport: record.id, reason: crash });
      continue;
    }
    for (const mode of modes) {
      const rows = rowsOf(evidence, workload, record.id, mode);
      if (rows.length === 0) {
        const other = languageMeasured(evidence, record.id, mode);
        if (other !== undefined) ruledOut.push({ transport: record.id, reason: notThatServer(other, workload) });
        continue;
      }
      const measured = rows.filter((row) => row.status === "measured");
      const reason = reasonAgainst(evidence, workload, record.id, rows);
      const [lacking] = rows.flatMap((row) => (row.status === "unavailable" ? [row] : []));
      if (lacking !== undefined && failedCheck(evidence, record.id) === undefined) {
        notExamined.push({ transport: record.id, reason: `${bytes(lacking.payloadBytes)}: ${lacking.reason}` });
        continue;
      }
      if (reason !== undefined) ruledOut.push({ transport: record.id, reason });
      else {
        const rounds = roundsOf(measured);
        candidates.push({ name: record.id, mode, rows: measured, rounds, typical: median([...rounds.values()]) });
      }
    }
  }
  return candidates;
}

function rowsOf({ measurements }: Evidence, workload: Workload, transport: string, mode: WaitMode): Measurement[] {
  return measurements.filter(
    (row) =>
      row.transport === transport &&
      row.mode === mode &&
      row.placement === workload.placement &&
      row.benchmark === workload.benchmark &&
      row.peer.language === workload.peer &&
      workload.payloads.includes(row.payloadBytes),
  );
}

function languageMeasured({ measurements }: Evidence, transport: string, mode: WaitMode): string | undefined {
  return measurements.find((row) => row.transport === transport && row.mode === mode)?.peer.language;
}

function notThatServer(measured: string, { peer }: Workload): string {
  return `measured with a server in ${measured} only, and this is for a server in ${peer}; --peer ${peer} measures that`;
}

/** A fast mechanism that failed a check, or lost a message, must not be picked. */
function reasonAgainst(
  evidence: Evidence,
  workload: Workload,
  transport: string,
  rows: readonly Measurement[],
): string | undefined {
  const failed = failedCheck(evidence, transport);
  if (failed !== undefined) return `failed the check ${failed.scenario}: ${failed.reason ?? "no reason given"}`;
  const [unmeasured] = rows.filter((row) => row.status !== "measured");
  if (unmeasured !== undefined) return `${bytes(unmeasured.payloadBytes)}: ${unmeasured.reason}`;
  if (rows.length < workload.payloads.length) return "not measured for every size of the workload";
  return roundsOf(rows).size === 0 ? "no round in which every size was measured" : undefined;
}

function failedCheck({ checks }: Evidence, transport: string): Evidence["checks"][number] | undefined {
  return checks.find((check) => check.transport === transport && check.status === "failed");
}

type Words = (best: Candidate, others: readonly Ranked<Candidate>[], workload: Workload) => string;

const alone: Words = (best, _others, workload) => `${use(best, workload)}; nothing else could be compared.`;

const tie: Words = (best, others, workload) =>
  `${use(best, workload)}, not distinguishable from ${namesOf(others, "tied")} in this run.`;

const ahead: Words = (best, [next], workload) =>
  next === undefined
    ? alone(best, [], workload)
    : `${use(best, workload)}, and ${next.row.name}, the next, takes ${timesAsLong(next, 2)}.`;

/** States no order: not even which median was smallest. */
const cannotTell: Words = (best, others, workload) => {
  const common = others.filter(({ standing }) => standing === "unknown").map(({ comparison }) => comparison.common);
  const [least, most] = [Math.min(...common), Math.max(...common)];
  const rounds = least === most ? count(most, "round") : `${least} to ${most} rounds`;
  return (
    `This run cannot tell which is fastest ${purpose(workload)}: ${best.name} has ${rounds} in common with ${namesOf(others, "unknown")}, ` +
    "and an order needs 6. Give a larger --trials or a longer --budget."
  );
};

function use(best: Candidate, workload: Workload): string {
  return `Use ${best.name} ${purpose(workload)}: its median round trip is ${timesOf(best)}`;
}

function purpose(workload: Workload): string {
  return `for ${sizesOf(workload)} requests with ${PLACEMENT_WORDS[workload.placement]}`;
}

function namesOf(others: readonly Ranked<Candidate>[], which: Ranked<Candidate>["standing"]): string {
  return others
    .filter(({ standing }) => standing === which)
    .map(({ row }) => row.name)
    .join(", ");
}

/** `2.00 times as long (1.95 to 2.05)`: ratio and 95 % interval. */
function timesAsLong({ comparison: { ratio, interval } }: Ranked<Candidate>, digits: number): string {
  return `${ratio.toFixed(digits)} times as long (${interval?.map((end) => end.toFixed(2)).join(" to ")})`;
}

/** Only those that wait as asked: nothing is known of them, so the sentence must not read as if they were worse. */
function notExaminedIn({ transports }: Evidence, { modes }: Workload, { notExamined }: Out): string {
  const wanted = notExamined.filter(({ transport }) =>
    transports.find(({ id }) => id === transport)?.capabilities.modes.some((mode) => modes.includes(mode)),
  );
  if (wanted.length === 0) return "";
  return ` Not examined here: ${[...new Set(wanted.map(({ transport }) => transport))].join(", ")}.`;
}

function sizesOf({ payloads }: Workload): string {
  return payloads.map(bytes).join(" and ");
}

function timesOf({ rows }: Candidate): string {
  return rows.map((row) => duration(row.latencyNs?.p50)).join(" and ");
}

/** What a ratio of scores is of, behind the ratio. */
function overSizes({ payloads }: Workload): string {
  return payloads.length > 1 ? ", over these sizes together" : "";
}

/** `, for 12 µs of CPU per round trip of 64 B`; a cost is told for one size, the first. */
function costOf({ rows: [row] }: Candidate): string | undefined {
  if (row === undefined || row.cpuNsPerMessage === null) return undefined;
  return `${duration(row.cpuNsPerMessage)} of CPU per round trip of ${bytes(row.payloadBytes)}`;
}

const PLACEMENT_WORDS: Readonly<Record<Placement, string>> = {
  "same-cpu": "both ends on one CPU",
  "two-cpus": "the ends on two CPUs",
  unpinned: "the ends wherever the scheduler puts them",
};

function reasonsFor(
  best: Candidate,
  others: readonly Ranked<Candidate>[],
  { checks, transports }: Evidence,
  workload: Workload,
): string[] {
  const passed = checks.filter((check) => check.transport === best.name && check.status === "passed").length;
  const record = transports.find(({ id }) => id === best.name);
  const reasons: string[] = [];
  const slowest = others.at(-1);
  // "1.0 times as long" would say nothing.
  if (slowest?.standing === "behind" && slowest.comparison.ratio >= 1.05) {
    const isFastest = others.every(({ standing }) => standing === "behind");
    const of = `${isFastest ? "fastest of" : "of"} ${others.length + 1} candidates${isFastest ? ";" : ""}`;
    reasons.push(`${of} the slowest, ${slowest.row.name}, takes ${timesAsLong(slowest, 1)}${overSizes(workload)}`);
  }
  const unknown = checks.filter((check) => check.transport === best.name && check.status === "unavailable");
  for (const { scenario, reason } of unknown) reasons.push(`not examined here: ${scenario}: ${reason}`);
  if (passed > 0) reasons.push(`passed all ${passed} checks that apply to it`);
  if (record !== undefined) {
    const { delivery, ordering, peerLoss, languages, platforms } = record.capabilities;
    reasons.push(
      `${delivery} delivery, ${ordering === "fifo" ? "in order" : "unordered"}, peer loss noticed: ${peerLoss}`,
    );
    reasons.push(
      `runs on ${platforms.join(", ")}; spoken by: node${languages.length > 0 ? `, ${languages.join(", ")}` : ""}`,
    );
  }
  const cost = costOf(best);
  if (cost !== undefined) reasons.push(`costs ${cost}, both processes together`);
  return reasons;
}

/** The best of each waiting class that was not asked for, with what its speed costs, where it is faster for sure. */
function alternatives(evidence: Evidence, workload: Workload, best: Candidate): Pick["alternatives"] {
  const others: WaitMode[] = (["event", "blocking", "polling"] as const).filter(
    (mode) => !workload.modes.includes(mode),
  );
  return others.flatMap((mode) => {
    const [first] = rankByRounds(candidatesOf(evidence, workload, [mode], { ruledOut: [], notExamined: [] }));
    if (first === undefined) return [];
    const { name } = first.row;
    const { ratio, interval } = compareRounds(first.row.rounds, best.rounds);
    if (interval === null || interval[1] >= 1) return [];
    const range = `${(1 / interval[1]).toFixed(1)} to ${(1 / interval[0]).toFixed(1)}`;
    const times = `${(1 / ratio).toFixed(1)} times as fast as ${best.name}, ${range}${overSizes(workload)}`;
    const cost = costOf(first.row);
    const sentence = `${CLASS_WORDS[mode]}: ${name} takes ${timesOf(first.row)} (${times})${cost === undefined ? "" : `, for ${cost}`}.`;
    return [{ transport: name, mode, sentence, ratio, interval }];
  });
}

const CLASS_WORDS: Readonly<Record<WaitMode, string>> = {
  event: "In an event loop",
  blocking: "If a thread may block",
  polling: "If each end may burn a CPU",
};
