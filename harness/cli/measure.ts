import { Command } from "commander";
import { compareTables } from "../../reports/terminal/index.ts";
import { DEFAULT_PAYLOADS } from "../../scenarios/profiles/default-workload.ts";
import { HEADER_BYTES } from "../../transports/contract/frame.ts";
import { measure } from "../coordinator/measure.ts";
import type { Measurement } from "../results/model.ts";
import { ensureWritable } from "../results/store.ts";
import { chooseArms, chooseCells, defaultPlacements } from "./arms.ts";
import { EXIT, UsageError } from "./exit-codes.ts";
import { type MeasureOptions, withMeasuring } from "./options.ts";
import { note, print, printJson, storeReport } from "./output.ts";
import { finishReport, startRun } from "./run.ts";
import { inSession } from "./session.ts";
import { type Candidate, resolveTransports } from "./transports.ts";
import { each } from "./values.ts";

const TRIALS = 10;
const MS_PER_CELL_TRIAL = 150;
const MS_PER_TRIAL = 400;

export function measureCommand(): Command {
  return withMeasuring(new Command("measure"), TRIALS)
    .description("measure chosen transports, sizes and placements")
    .option("--benchmark <name...>", "round-trip, throughput (default: both)", each(String))
    .action(async (options: MeasureOptions) => {
      const payloads = options.payload ?? DEFAULT_PAYLOADS;
      const cells = chooseCells(options.benchmark, payloads);
      ensureWritable(options.out);
      const candidates = await resolveTransports(options.transport);
      refuseTooLarge(candidates, payloads);
      const { arms, missing } = chooseArms(candidates, options.placement ?? defaultPlacements(), options.mode, cells);
      const run = startRun(options.seed);
      const budgetMs =
        options.budget ?? (options.trials + 1) * arms.length * (MS_PER_TRIAL + cells.length * MS_PER_CELL_TRIAL);
      note(
        `${arms.length} arms of ${cells.length} cells, ${options.trials} trials each: about ${Math.ceil(budgetMs / 1000)} s; seed ${run.seed}`,
      );
      const measurements = await inSession(({ brood, place }) =>
        measure(
          brood,
          place,
          {
            arms,
            cells,
            trials: options.trials,
            budgetMs,
            seed: run.seed,
            ...(options.messages === undefined ? {} : { messages: options.messages }),
          },
          run.progress,
        ),
      );
      const report = finishReport(
        run,
        candidates.map(({ record }) => record),
        [],
        [...measurements, ...missing],
      );
      if (options.json) printJson(report);
      else print(compareTables(report));
      await storeReport(options.out, report);
      process.exitCode = incomplete(report.measurements, candidates) ? EXIT.incomplete : EXIT.ok;
    });
}

/** A size that no mechanism asked for by name can carry is a mistake of the command line; rows of others say it themselves. */
export function refuseTooLarge(candidates: readonly Candidate[], payloads: readonly number[]): void {
  for (const { transport, named } of candidates) {
    const most = transport.capabilities.maxMessageBytes - HEADER_BYTES;
    const tooLarge = payloads.find((payload) => payload > most);
    if (named && tooLarge !== undefined) {
      throw new UsageError(`payload ${tooLarge} is larger than ${transport.id} carries; its limit is ${most} bytes`);
    }
  }
}

function incomplete(measurements: readonly Measurement[], candidates: readonly Candidate[]): boolean {
  return (
    measurements.some(({ status }) => status === "failed") ||
    candidates.some(({ named, record }) => named && !record.available)
  );
}
