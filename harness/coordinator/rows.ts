import { aggregate } from "../results/aggregate.ts";
import { isBimodal } from "../results/bimodal.ts";
import type { LanguageVersion, Measurement, Row, Trial, UnmeasuredRow, ValidTrial, Warning } from "../results/model.ts";
import { median } from "../results/quantiles.ts";
import { driftWarning } from "../results/stationarity.ts";
import { type Arm, type Cell, loadOf } from "./arm.ts";
import type { ArmRecord } from "./arm-record.ts";

type Base = Omit<Row, "messages" | "trials" | "warnings">;

function baseOf(
  { transport, mode, placement }: Omit<Arm, "cpus">,
  cell: Cell,
  peer: LanguageVersion,
  client: LanguageVersion | undefined,
): Base {
  const { inFlight, clients, ratePerSecond, arrivals, batched, mix, workMicros } = loadOf(cell, 0);
  return {
    benchmark: cell.benchmark.name,
    model: cell.benchmark.model,
    transport: transport.id,
    mode,
    placement,
    payloadBytes: cell.payloadBytes,
    inFlight,
    clients,
    ratePerSecond,
    codec: cell.variant.codec ?? "raw",
    ...(cell.variant.corpus === undefined ? {} : { corpus: cell.variant.corpus }),
    peer,
    ...(client === undefined ? {} : { client }),
    ...(ratePerSecond === null ? {} : { arrivals }),
    ...(inFlight > 1 ? { batched } : {}),
    ...(mix === undefined ? {} : { mix }),
    ...(workMicros === undefined ? {} : { workMicros }),
    ...(cell.variant.recorded === undefined ? {} : { recorded: cell.variant.recorded }),
  };
}

/** Returns a row for what cannot be measured: a missing row would look like an oversight. */
export function absentRow(
  arm: Omit<Arm, "cpus">,
  cell: Cell,
  reason: string,
  status: UnmeasuredRow["status"] = "not-applicable",
): UnmeasuredRow {
  const unknown = (language: string): LanguageVersion => ({ language, version: "" });
  const client = arm.clientLanguage === undefined ? undefined : unknown(arm.clientLanguage);
  return {
    ...baseOf(arm, cell, unknown(arm.peerLanguage), client),
    status,
    reason,
    messages: null,
    trials: [],
    warnings: [],
  };
}

/** Returns the row of one cell, from all its trials. */
export function rowOf(record: ArmRecord, cell: Cell): Measurement {
  const trials = record.trialsOf(cell);
  const messages = record.messages.get(cell) ?? null;
  const valid = trials.filter((trial) => trial.status === "valid");
  const lost = valid.reduce((sum, trial) => sum + trial.lost, 0);
  const row = {
    ...baseOf(record.arm, cell, record.peer, record.client),
    messages,
    trials,
    warnings: warningsOf(record.arm, cell, trials, valid),
  };
  const obstacle = obstacleOf(record, cell, trials);
  if (obstacle !== undefined) return { ...row, ...obstacle };
  return {
    ...row,
    status: "measured",
    ...aggregate(trials, cell.payloadBytes),
    ...(lost > 0 && messages !== null ? { lossShare: lost / (valid.length * messages) } : {}),
  };
}

/** Returns why the cell has no figures; undefined where it has. */
function obstacleOf(
  record: ArmRecord,
  cell: Cell,
  trials: readonly Trial[],
): Pick<UnmeasuredRow, "status" | "reason" | "keptPerSecond"> | undefined {
  const impossible = record.impossible.get(cell);
  if (impossible !== undefined) return { status: "not-applicable", reason: impossible };
  const kept = record.kept.get(cell) ?? keptInRounds(cell, trials);
  if (kept !== undefined) return notKept(cell, kept);
  const shortage = record.shortages.get(cell);
  if (shortage !== undefined) return { status: "unavailable", reason: shortage };
  const failure = record.failures.get(cell);
  if (failure !== undefined) return { status: "failed", reason: failure };
  if (trials.length === 0) return { status: "failed", reason: "no trial ran" };
  const refused = trials.flatMap((trial) => (trial.status === "refused" ? [trial.reason] : []));
  if (refused.length < trials.length) return undefined;
  // The mechanism was not examined: another machine could send as fast.
  if (cell.benchmark.model === "workload") return { status: "unavailable", reason: refused[0] as string };
  return { status: "not-applicable", reason: `refused: ${refused[0]}` };
}

/** Smallest share of requests with replies at which the mechanism follows the schedule. */
const FOLLOWED_SHARE = 0.95;

/** Returns the rate of replies where most rounds did not follow the rate of `workload`, though the calibration did. */
function keptInRounds({ benchmark, variant: { ratePerSecond } }: Cell, trials: readonly Trial[]): number | undefined {
  if (benchmark.model !== "workload" || ratePerSecond === undefined) return undefined;
  const valid = trials.filter((trial) => trial.status === "valid");
  const slow = valid.filter(({ latencyNs: { count, p50 } = NOT_SAMPLED, messagesPerSecond }) => {
    // The last reply comes one latency after the end of the schedule. That is no delay.
    const spanS = count / messagesPerSecond - p50 / 1e9;
    return count < FOLLOWED_SHARE * ratePerSecond * spanS;
  });
  // Where the driver itself was often too late, this run cannot tell which side delayed the other rounds.
  const refused = trials.filter(({ status }) => status === "refused").length;
  if (slow.length <= Math.max(valid.length / 2, refused)) return undefined;
  return Math.floor(median(slow.map(({ messagesPerSecond }) => messagesPerSecond)));
}

const NOT_SAMPLED = { count: 0, p50: 0 };

function notKept({ variant }: Cell, kept: number): Pick<UnmeasuredRow, "status" | "reason" | "keptPerSecond"> {
  const most = kept === 0 ? "kept no rate" : `kept at most ${kept}/s`;
  const reason = `${most} of the ${variant.ratePerSecond}/s that were asked for`;
  return { status: "not-applicable", reason, keptPerSecond: kept };
}

function warningsOf(
  { transport, mode, placement }: Arm,
  cell: Cell,
  trials: readonly Trial[],
  valid: readonly ValidTrial[],
): Warning[] {
  const p50s = valid.flatMap(({ latencyNs }) => (latencyNs === undefined ? [] : [latencyNs.p50]));
  const { ratePerSecond } = loadOf(cell, 0);
  const where = {
    ...{ transport: transport.id, mode, placement },
    ...{ benchmark: cell.benchmark.name, payloadBytes: cell.payloadBytes },
    ...(ratePerSecond === null ? {} : { ratePerSecond }),
  };
  const warnings: Warning[] = [];
  const warn = (id: Warning["id"], text: string): unknown => warnings.push({ id, text, where });
  if (isBimodal(p50s)) {
    warn(
      "bimodal",
      "bimodal: the trials fall into two groups, and the median describes neither; see the points of the single trials",
    );
  }
  const figures = aggregate(valid, cell.payloadBytes);
  const drift = driftWarning(figures.stationarity);
  if (drift !== undefined) warn(drift.id, drift.text);
  const refused = trials.filter(({ status }) => status === "refused").length;
  if (refused > 0 && refused < trials.length) {
    warn(
      "schedule-not-kept",
      `refused in ${refused} of ${trials.length} trials: the driver could not keep its schedule in them`,
    );
  }
  const achieved = figures.messagesPerSecond;
  if (ratePerSecond !== null && achieved !== null && achieved < FOLLOWED_SHARE * ratePerSecond) {
    warn(
      "beyond-the-knee",
      `beyond the knee: ${Math.round(achieved)} replies a second at a rate of ${ratePerSecond}; ` +
        "the latency grows as long as this load lasts",
    );
  }
  return warnings;
}
