import type { WaitMode } from "../../transports/contract/capabilities.ts";
import { crashReason } from "../results/crashes.ts";
import { bytes, duration } from "../results/format.ts";
import { medianInterval } from "../results/intervals.ts";
import type { Interval, Measurement, Pick, Placement, Report } from "../results/model.ts";
import { median } from "../results/quantiles.ts";

/** What the pick is for. */
export interface Workload {
  readonly payloads: readonly number[];
  readonly modes: readonly WaitMode[];
  readonly placement: Placement;
  readonly benchmark: string;
  /** Language of the server. */
  readonly peer: string;
}

interface Candidate {
  readonly transport: string;
  readonly mode: WaitMode;
  /** Rows of the workload's payloads, in their order. */
  readonly rows: readonly Measurement[];
  /** Geometric mean of the payloads' p50 in each round, ns. */
  readonly scores: ReadonlyMap<number, number>;
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
 * The score of a candidate in a round is the geometric mean of its p50 over the payloads, so that no size dominates. Two candidates
 * are compared by the ratio of their scores within the same rounds, which takes out what the machine did between rounds; when the
 * 95 % interval of the median ratio contains 1, they are a tie. All that is said of an order comes from these ratios.
 */
export function pick(evidence: Evidence, workload: Workload): Pick | null {
  const out: Out = { ruledOut: [], notExamined: [] };
  const candidates = candidatesOf(evidence, workload, workload.modes, out);
  const best = fastest(candidates);
  if (best === undefined) return null;
  const others = candidates.filter((candidate) => candidate !== best);
  const compared = others.map((other) => ({ transport: other.transport, mode: other.mode, ...compare(other, best) }));
  const ranking = [
    { transport: best.transport, mode: best.mode, ...compare(best, best) },
    ...compared.toSorted((a, b) => a.ratio - b.ratio),
  ];
  const ties = ranking.slice(1).filter(({ interval }) => interval !== null && interval[0] <= 1);
  const runnerUp = ranking[1];
  return {
    transport: best.transport,
    mode: best.mode,
    placement: workload.placement,
    sentence:
      sentence(
        best,
        workload,
        runnerUp,
        ties.map(({ transport }) => transport),
      ) + notExaminedIn(evidence, workload, out),
    reasons: reasonsFor(best, evidence, workload, ranking),
    runnerUp: runnerUp?.transport ?? null,
    ties: ties.map(({ transport }) => transport),
    ...out,
    alternatives: alternatives(evidence, workload, best),
    workload: { payloads: workload.payloads, modes: workload.modes, placement: workload.placement },
    ranking,
  };
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
      const reason = reasonAgainst(evidence, workload, record.id, rows);
      const lacking = rows.find(({ status }) => status === "unavailable");
      if (lacking !== undefined && failedCheck(evidence, record.id) === undefined) {
        notExamined.push({ transport: record.id, reason: `${bytes(lacking.payloadBytes)}: ${lacking.reason}` });
        continue;
      }
      if (reason !== undefined) ruledOut.push({ transport: record.id, reason });
      else candidates.push({ transport: record.id, mode, rows, scores: scoresOf(rows) });
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
  const unmeasured = rows.find((row) => row.status !== "measured");
  if (unmeasured !== undefined) return `${bytes(unmeasured.payloadBytes)}: ${unmeasured.reason ?? unmeasured.status}`;
  if (rows.length < workload.payloads.length) return "not measured for every size of the workload";
  return scoresOf(rows).size === 0 ? "no round in which every size was measured" : undefined;
}

function failedCheck({ checks }: Evidence, transport: string): Evidence["checks"][number] | undefined {
  return checks.find((check) => check.transport === transport && check.status === "failed");
}

function scoresOf(rows: readonly Measurement[]): Map<number, number> {
  const rounds = new Map<number, number[]>();
  for (const row of rows) {
    for (const { round, status, latencyNs } of row.trials) {
      if (status === "valid" && latencyNs !== undefined)
        rounds.set(round, [...(rounds.get(round) ?? []), latencyNs.p50]);
    }
  }
  const complete = [...rounds].filter(([, values]) => values.length === rows.length);
  return new Map(complete.map(([round, values]) => [round, geometricMean(values)]));
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function typical({ scores }: Candidate): number {
  return median([...scores.values()]);
}

/**
 * Who, compared with each of the others, comes off best in the worst case: whoever is ahead of all of them, where there is one. (Medians of
 * ratios need not be transitive, so there may be none.)
 */
function fastest(candidates: readonly Candidate[]): Candidate | undefined {
  const worst = (one: Candidate): number =>
    Math.max(1, ...candidates.filter((other) => other !== one).map((other) => compare(one, other).ratio));
  return candidates.toSorted((a, b) => worst(a) - worst(b) || typical(a) - typical(b))[0];
}

function compare(candidate: Candidate, best: Candidate): { ratio: number; interval: Interval | null } {
  const ratios = [...candidate.scores].flatMap(([round, score]) => {
    const reference = best.scores.get(round);
    return reference === undefined ? [] : [score / reference];
  });
  if (ratios.length === 0) return { ratio: typical(candidate) / typical(best), interval: null };
  return { ratio: median(ratios), interval: medianInterval(ratios) ?? null };
}

function sentence(
  best: Candidate,
  workload: Workload,
  runnerUp: { readonly transport: string; readonly ratio: number } | undefined,
  ties: readonly string[],
): string {
  const times = timesOf(best);
  const where = `for ${sizesOf(workload)} requests with ${PLACEMENT_WORDS[workload.placement]}`;
  const start = `Use ${best.transport} ${where}: its median round trip is ${times}`;
  if (runnerUp === undefined) return `${start}; nothing else could be compared.`;
  if (ties.length > 0) return `${start}, not distinguishable from ${ties.join(", ")} in this run.`;
  return `${start}, and ${runnerUp.transport}, the next, takes ${runnerUp.ratio.toFixed(2)} times as long.`;
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
  { checks, transports }: Evidence,
  workload: Workload,
  ranking: Pick["ranking"],
): string[] {
  const passed = checks.filter((check) => check.transport === best.transport && check.status === "passed").length;
  const record = transports.find(({ id }) => id === best.transport);
  const reasons: string[] = [];
  const slowest = ranking.at(-1);
  // Ties have no slowest among them, and "1.0 times as long" would say nothing.
  if (slowest !== undefined && slowest.ratio >= 1.05 && (slowest.interval === null || slowest.interval[0] > 1)) {
    reasons.push(
      `fastest of ${ranking.length} candidates; the slowest, ${slowest.transport}, takes ${slowest.ratio.toFixed(1)} times as long${overSizes(workload)}`,
    );
  }
  const unknown = checks.filter((check) => check.transport === best.transport && check.status === "unavailable");
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

/** The best of each waiting class that was not asked for, with what its speed costs. */
function alternatives(evidence: Evidence, workload: Workload, best: Candidate): Pick["alternatives"] {
  const others: WaitMode[] = (["event", "blocking", "polling"] as const).filter(
    (mode) => !workload.modes.includes(mode),
  );
  return others.flatMap((mode) => {
    const first = fastest(candidatesOf(evidence, workload, [mode], { ruledOut: [], notExamined: [] }));
    if (first === undefined) return [];
    const { ratio } = compare(first, best);
    const times = ratio <= 1 ? `${(1 / ratio).toFixed(1)} times as fast` : `${ratio.toFixed(1)} times as slow`;
    const cost = costOf(first);
    const text =
      `${CLASS_WORDS[mode]}: ${first.transport} takes ${timesOf(first)} (${times} as ${best.transport}${overSizes(workload)})` +
      `${cost === undefined ? "" : `, for ${cost}`}.`;
    return [{ transport: first.transport, mode, sentence: text }];
  });
}

const CLASS_WORDS: Readonly<Record<WaitMode, string>> = {
  event: "In an event loop",
  blocking: "If a thread may block",
  polling: "If each end may burn a CPU",
};
