import { rowsOfPick } from "../../harness/decision/evidence.ts";
import type { Answered } from "../../harness/pick/among.ts";
import { givesSamePick } from "../../harness/pick/same-pick.ts";
import type { Measurement, Report, Trial, TrialFigures } from "../../harness/results/model.ts";

/** Largest report to embed as it is; above it the page opens slowly. Most of its size is histograms of trials. */
const EMBED_LIMIT_BYTES = 12 * 1024 * 1024;

/** Returns the report as the page carries it for download, and a note of what was left out to keep the page small. */
export function embeddable(report: Report): { readonly report: Report; readonly note: string } {
  if (JSON.stringify(report).length <= EMBED_LIMIT_BYTES) return { report, note: "" };
  const note =
    "The histograms of single trials were left out of this copy to keep the page small; report.json has them.";
  return { report: withoutTrialHistograms(report), note };
}

/** Returns a report without the distributions of single trials, which no figure of the page needs. */
export function withoutTrialHistograms(report: Report): Report {
  const lighten = (cells: readonly Measurement[]): Measurement[] =>
    cells.map((cell) => ({ ...cell, trials: cell.trials.map(withoutHistogram) }));
  const { measurements, cBaseline } = report;
  return {
    ...report,
    measurements: lighten(measurements),
    ...(cBaseline === undefined ? {} : { cBaseline: lighten(cBaseline) }),
  };
}

function withoutHistogram(trial: Trial): Trial {
  if (trial.status === "valid") return lighter(trial);
  return trial.evidence === undefined ? trial : { ...trial, evidence: lighter(trial.evidence) };
}

function lighter<Figures extends TrialFigures>({ histogram: _, ...figures }: Figures): Omit<Figures, "histogram"> {
  return figures;
}

/**
 * Returns what the page needs to answer the question of the run again among some of its rows. `none`: the report has no
 * pick. `other`: today's rule does not give its pick, since another version of ipcmark made it.
 */
export function answerable(report: Report): Answered | "none" | "other" {
  const { pick, transports, checks, measurements, crashes, question, candidates } = report;
  if (!pick) return "none";
  const found: Answered = {
    ...{ pick, transports },
    checks: checks.map(({ error: _error, notes: _notes, ...check }) => ({ ...check, notes: {} })),
    measurements: rowsOfPick(measurements, pick),
    ...(crashes === undefined ? {} : { crashes }),
    ...(question === undefined ? {} : { question }),
    ...(candidates === undefined ? {} : { candidates }),
  };
  return givesSamePick(found) ? found : "other";
}
