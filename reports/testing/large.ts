import type { Measurement, Report, Trial } from "../../harness/results/model.ts";
import { randomFrom } from "../../harness/results/random.ts";
import { PLACEMENT_ORDER } from "../labels.ts";
import { fixtureReport } from "./fixture.ts";

const SIZES = 12;
const MECHANISMS = 45;
const TRIALS = 20;

/** Builds a report of 45 mechanisms, 12 sizes and 3 placements, larger than any run: for the time a page takes. */
export function largeReport(): Report {
  const small = fixtureReport({ trials: TRIALS, placements: ["two-cpus"], payloads: [64] });
  const model = small.transports.find(({ id }) => id === "unix") as Report["transports"][number];
  const cells = small.measurements.filter(({ transport }) => transport === "unix");
  const random = randomFrom(3);
  const ids = Array.from({ length: MECHANISMS }, (_, at) => `mechanism-${at + 1}`);
  const measurements = PLACEMENT_ORDER.flatMap((placement) =>
    ids.flatMap((transport, at) =>
      Array.from({ length: SIZES }, (_, size) => 16 * 2 ** size).flatMap((payloadBytes) =>
        cells.map((cell): Measurement => {
          const factor = (1 + at / 20) * (1 + payloadBytes / (20_000 + 1000 * (at % 7)));
          return { ...scaled(cell, factor, random), transport, placement, payloadBytes };
        }),
      ),
    ),
  );
  return {
    ...small,
    transports: ids.map((id) => ({ ...model, id })),
    checks: ids.flatMap((transport) =>
      small.checks.filter((check) => check.transport === "unix").map((check) => ({ ...check, transport })),
    ),
    measurements,
  };
}

/** Multiplies the times of a cell, each trial with a scatter of its own. The histogram stays: only its size counts. */
function scaled(cell: Measurement, factor: number, random: () => number): Measurement {
  if (cell.status !== "measured") return cell;
  const { latencyNs, messagesPerSecond } = cell;
  const trials = cell.trials.map((trial): Trial => {
    if (trial.status !== "valid") return trial;
    const own = factor * (0.97 + 0.06 * random());
    const times = trial.latencyNs && { latencyNs: { ...trial.latencyNs, p50: trial.latencyNs.p50 * own } };
    return { ...trial, ...times, messagesPerSecond: trial.messagesPerSecond / own };
  });
  const times = latencyNs && { latencyNs: { ...latencyNs, p50: latencyNs.p50 * factor } };
  return { ...cell, ...times, trials, messagesPerSecond: (messagesPerSecond ?? 0) / factor };
}
