import { Command } from "commander";
import { codecTables, compareTables, pairsTables, partialNote, recordedTables } from "../../reports/terminal/index.ts";
import { CODEC_IDS, type CodecId } from "../../scenarios/benchmark.ts";
import { BENCHMARKS } from "../../scenarios/benchmarks/index.ts";
import { workload } from "../../scenarios/benchmarks/workload.ts";
import { HEADER_BYTES } from "../../transports/contract/frame.ts";
import type { Arm, Cell } from "../coordinator/arm.ts";
import { type MeasureRequest, type MeasureResult, measure } from "../coordinator/run-measurements.ts";
import { inSession } from "../coordinator/session.ts";
import type { StopRule } from "../coordinator/stop-rule.ts";
import { EXIT, IncompleteError, UsageError } from "../results/exit-codes.ts";
import type { Report } from "../results/model.ts";
import { ensureWritable } from "../results/store.ts";
import { chooseArms, chooseCells, defaultPlacements } from "./arms.ts";
import { chooseCodecs, codecCells, codecTable, parseCodec, withCodecs } from "./codecs.ts";
import { refuseWithoutMemory } from "./free-memory.ts";
import { type MeasureOptions, withMeasuring } from "./options.ts";
import { printTables, publish, publishPartial, REPORT_FILES, terminal } from "./output.ts";
import { sizesOf } from "./payloads.ts";
import { noteAbsent, peersFor, whyAbsent } from "./peers.ts";
import { recordedCells, replayedOf, withRecorded } from "./recorded.ts";
import { finishReport, startRun } from "./run.ts";
import { announce, announcePlan, FINISH_MS, stopRuleOf } from "./run-duration.ts";
import { type Candidate, type Chosen, resolveForTimes } from "./transports.ts";
import { each } from "./values.ts";
import { warnBeforeRun } from "./warn-before-run.ts";
import { asksForMore, workloadCells, workloadOf } from "./workload.ts";

/** Time for each codec, kind of value and direction of the codec table, ms. */
const CODEC_TIME_MS = 40;
/** Part of a budget kept for each codec: three kinds of values, two directions, their warm-up. */
const CODEC_RESERVE_MS = 400;

/** Returns why there is nothing to measure: the named ones cannot run here, or no cell of them was asked for. */
export function nothingLeft({ candidates, refused }: Chosen, peers: readonly string[] | undefined): Error {
  return refused.length > 0 || candidates.some((candidate) => whyAbsent(candidate, peers) !== undefined)
    ? new IncompleteError("none of the named transports can be measured here")
    : new UsageError("no transport matches this --mode and --placement; choose different values");
}

export function measureCommand(): Command {
  return withMeasuring(new Command("measure"))
    .description("measure chosen transports, sizes and placements")
    .option(
      "--benchmark <name...>",
      `what to measure: ${BENCHMARKS.map(({ name }) => name).join(", ")} or all (default: the first two)`,
      each(String),
    )
    .option(
      "--codec <name...>",
      `codecs that both ends use: ${CODEC_IDS.join(", ")} or all; adds the benchmark codec-round-trip`,
      each(parseCodec),
    )
    .action(async (typed: MeasureOptions) => {
      const options = { ...typed, replayed: replayedOf(typed) };
      const codecs = chooseCodecs(options.codec, options.benchmark);
      const cells = await cellsFor(options, codecs);
      ensureWritable(options.out, REPORT_FILES);
      const run = startRun(options.seed);
      const chosen = await resolveForTimes(options.transport);
      const { candidates, refused } = chosen;
      refuseTooLarge(candidates, sizesOf(options.payload ?? []));
      const peers = peersFor(options);
      const isIncomplete = noteAbsent(chosen, peers, options.client);
      const placements = options.placement ?? defaultPlacements();
      const { arms: placed, missing } = chooseArms(candidates, {
        placements,
        modes: options.mode,
        peers,
        clients: options.client,
        cells,
      });
      if (placed.length + missing.length === 0) throw nothingLeft(chosen, peers);
      const arms = withRecorded(withCodecs(placed, codecs, cells), options.replayed);
      refuseWithoutMemory(arms, cells);
      const stopRule = stopRuleOf(withoutTable(options, codecs.length), arms, cells);
      await warnBeforeRun(candidates, run, { measures: true });
      const announcedMs = announce(stopRule, arms, cells, run.seed);
      const laterMs = FINISH_MS + codecs.length * CODEC_RESERVE_MS;
      const records = candidates.map(({ record }) => record);
      let soFar: (() => MeasureResult) | undefined;
      const request: MeasureRequest = {
        ...requestOf(options, arms, cells, stopRule, run.seed),
        onPlan: announcePlan({ stopRule, arms, budgetMs: options.budget, announcedMs, laterMs }),
        onBegin: (found) => {
          soFar = found;
        },
      };
      const { measured, table } = await inSession(
        async (session) => ({
          measured: await measure(session.supervisor, session.place, request, run.progress),
          table: await codecTable(session, codecs, arms, CODEC_TIME_MS),
        }),
        () => {
          const report = finishReport(run, records, [], soFar?.() ?? { measurements: [] }, false);
          return publishPartial(options, report, () => printTables(tablesOf(report)));
        },
        run.crashes,
        options.bundle,
      );
      const report = finishReport(run, records, [], {
        ...measured,
        measurements: [...measured.measurements, ...missing],
        ...table,
        warnings: [...refused, ...measured.warnings, ...(table.warnings ?? [])],
      });
      const lacks = report.measurements.some(({ status }) => status === "failed" || status === "unavailable");
      process.exitCode = isIncomplete || lacks ? EXIT.incomplete : EXIT.ok;
      await publish(options, report, () => printTables(tablesOf(report)));
    });
}

/** @throws UsageError as {@link plainCells} */
async function cellsFor(options: MeasureOptions, codecs: readonly CodecId[]): Promise<readonly Cell[]> {
  const plain = options.codec && !options.benchmark ? [] : plainCells(options);
  const { replayed } = options;
  return [...plain, ...(replayed === undefined ? await codecCells(codecs) : recordedCells(replayed.about, codecs))];
}

/** @throws UsageError for clients, a rate, work or a mix beside benchmarks that have none */
function plainCells(options: MeasureOptions): readonly Cell[] {
  const asked = workloadOf(options);
  const { benchmark: names, payload } = options;
  if (!asksForMore(asked)) return chooseCells(names, payload === undefined ? undefined : sizesOf(payload));
  const others = names?.filter((name) => name !== workload.name) ?? [];
  if (others.length > 0) {
    const flags = "--clients, --rate, --work, a mix of --payload and a file of --messages";
    throw new UsageError(
      `${flags} are for the benchmark ${workload.name}, not for ${others.join(", ")}; measure them in another run`,
    );
  }
  return workloadCells(asked);
}

function tablesOf(report: Report): string {
  return [partialNote, compareTables, recordedTables, pairsTables, codecTables]
    .map((text) => text(report, terminal()))
    .filter((text) => text !== "")
    .join("\n\n");
}

/** Subtracts the time of the table of codecs, which comes after the trials, from the budget. */
function withoutTable(options: MeasureOptions, codecs: number): MeasureOptions {
  return options.budget === undefined ? options : { ...options, budget: options.budget - codecs * CODEC_RESERVE_MS };
}

export function requestOf(
  options: MeasureOptions,
  arms: readonly Arm[],
  cells: readonly Cell[],
  stopRule: StopRule,
  seed: number,
): MeasureRequest {
  return {
    arms,
    cells,
    stopRule,
    seed,
    // A budget is the time of the command, so it counts from the start of the process, which is 0 of
    // `performance.now()`.
    ...(options.budget === undefined ? {} : { sinceMs: 0 }),
    ...(options.cBaseline === false || options.limits === false ? {} : { cBaseline: cPayloads(cells) }),
    ...(options.keepAwake ? { keepAwake: true } : {}),
    ...(typeof options.messages === "number" ? { messages: options.messages } : {}),
  };
}

function cPayloads(cells: readonly Cell[]): number[] {
  const found = cells
    .filter(({ benchmark }) => benchmark.model === "ping-pong")
    .map(({ payloadBytes }) => payloadBytes);
  return [...new Set(found)];
}

/** Refuses a size that no named mechanism can carry; mechanisms that were not named get a row with the reason. */
export function refuseTooLarge(candidates: readonly Candidate[], payloads: readonly number[]): void {
  for (const { transport, named } of candidates) {
    const most = transport.capabilities.maxMessageBytes - HEADER_BYTES;
    const tooLarge = payloads.find((payload) => payload > most);
    if (named && tooLarge !== undefined) {
      throw new UsageError(`payload ${tooLarge} is larger than ${transport.id} carries; its limit is ${most} bytes`);
    }
  }
}
