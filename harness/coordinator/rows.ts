import { aggregate } from "../results/aggregate.ts";
import { isBimodal } from "../results/bimodal.ts";
import type { Measurement, Trial, Warning } from "../results/model.ts";
import { driftWarning } from "../results/stationarity.ts";
import { type Arm, type Cell, loadOf } from "./arm.ts";
import type { ArmRecord } from "./record.ts";

type Base = Pick<
  Measurement,
  | "benchmark"
  | "model"
  | "transport"
  | "mode"
  | "placement"
  | "payloadBytes"
  | "inFlight"
  | "clients"
  | "ratePerSecond"
  | "codec"
  | "corpus"
  | "peer"
  | "arrivals"
  | "batched"
>;

function baseOf(
  { transport, mode, placement }: Omit<Arm, "cpus">,
  cell: Cell,
  peer: { readonly language: string; readonly version: string },
): Base {
  const { inFlight, clients, ratePerSecond, arrivals, batched } = loadOf(cell, 0);
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
    ...(ratePerSecond === null ? {} : { arrivals }),
    ...(inFlight > 1 ? { batched } : {}),
  };
}

/** A row for what cannot be measured: a missing row would look like an oversight. */
export function absentRow(arm: Omit<Arm, "cpus">, cell: Cell, reason: string): Measurement {
  return {
    ...baseOf(arm, cell, { language: arm.peerLanguage, version: "" }),
    status: "not-applicable",
    reason,
    messages: null,
    ...aggregate([], cell.payloadBytes),
    trials: [],
    warnings: [],
  };
}

/** The row of one cell, from all its trials. */
export function rowOf(record: ArmRecord, cell: Cell): Measurement {
  const trials = record.trialsOf(cell);
  const messages = record.messages.get(cell) ?? null;
  const lost = trials.filter(({ status }) => status === "valid").reduce((sum, trial) => sum + trial.lost, 0);
  const valid = trials.filter(({ status }) => status === "valid").length;
  return {
    ...baseOf(record.arm, cell, record.peer),
    ...statusOf(record, cell, trials),
    messages,
    ...aggregate(trials, cell.payloadBytes),
    ...(lost > 0 && messages !== null ? { lossShare: lost / (valid * messages) } : {}),
    trials,
    warnings: warningsOf(record.arm, cell, trials),
  };
}

function statusOf(
  record: ArmRecord,
  cell: Cell,
  trials: readonly Trial[],
): { status: Measurement["status"]; reason?: string } {
  const impossible = record.impossible.get(cell);
  if (impossible !== undefined) return { status: "not-applicable", reason: impossible };
  const shortage = record.shortages.get(cell);
  if (shortage !== undefined) return { status: "unavailable", reason: shortage };
  const failure = record.failures.get(cell);
  if (failure !== undefined) return { status: "failed", reason: failure };
  if (trials.length === 0) return { status: "failed", reason: "no trial ran" };
  const refused = trials.find((trial) => trial.refused);
  if (refused !== undefined && trials.every((trial) => trial.refused)) {
    return { status: "not-applicable", reason: `refused: ${refused.reason}` };
  }
  return { status: "measured" };
}

/** A mechanism that answers so much less than it is asked has been left behind by the schedule. */
const FOLLOWED_SHARE = 0.95;

function warningsOf({ transport, mode, placement }: Arm, cell: Cell, trials: readonly Trial[]): Warning[] {
  const valid = trials.filter(({ status }) => status === "valid");
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
  const refused = trials.filter((trial) => trial.refused).length;
  if (refused > 0 && refused < trials.length) {
    warn(
      "schedule-not-kept",
      `refused in ${refused} of ${trials.length} trials: the driver could not keep its schedule there`,
    );
  }
  const achieved = figures.messagesPerSecond;
  if (ratePerSecond !== null && achieved !== null && achieved < FOLLOWED_SHARE * ratePerSecond) {
    warn(
      "beyond-the-knee",
      `beyond the knee: ${Math.round(achieved)} of ${ratePerSecond} replies a second; the latency grows for as long as this goes on`,
    );
  }
  return warnings;
}
