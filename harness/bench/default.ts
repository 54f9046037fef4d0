/**
 * Judges the figures and the wall time of a default `compare`: `npm run bench:default [-- --runs 10 --keep <dir>]`.
 *
 * Runs the plain command as a user does and judges the reports. Each row has a letter, the figure and the promise.
 *   a  wall time
 *   b  p50 against the same cell with 16,000 messages, one CPU; the same with a busy loop on each CPU
 *   c  CPU per message against the same
 *   d  half-width of the printed interval of p50
 *   e  scatter of the trials of a stream
 *   f  the pick: the same in every run, or a tie by its own words; `unix` and a copy made 20 % slower are told apart
 *   g  coverage of the printed intervals
 *   h  starting a pair of processes, by `bench:start`
 *
 * All parts take about 35 minutes on two CPUs at rest. `--quick` leaves out the runs beside busy loops and those with
 * the slow copy (`--busy` brings the first back), `--only ae` computes these rows only and runs what they need,
 * `--transport <id>...` replaces the ids of a plain `compare`, `--cells` prints the figure of each cell. With `--keep`,
 * reports are added to those of the directory; `--reports <dir>` judges stored reports and runs nothing.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { REGISTRY } from "../../transports/registry.ts";
import { EXIT } from "../results/exit-codes.ts";
import { median } from "../results/quantiles.ts";
import { ensureWritable } from "../results/store.ts";
import { besideBusyLoops } from "./busy-loops.ts";
import { roundTrips } from "./default/cells.ts";
import { compare, measurePair, measureReference } from "./default/commands.ts";
import { COPIED_IDS, type Evidence, LETTERS, type Letter, SLOW_SHARE } from "./default/evidence.ts";
import { rowsOf } from "./default/figures.ts";
import { planReference } from "./default/reference.ts";
import { Reports } from "./default/reports.ts";
import { tableOf } from "./default/table.ts";
import { DELAYS_VARIABLE } from "./fixtures/slow-unix.ts";
import { benchOptions, countOf, refuse } from "./options.ts";

const BUSY_RUNS = 3;
const SLOW_UNIX = fileURLToPath(new URL("./fixtures/slow-unix.ts", import.meta.url));

const values = benchOptions({
  runs: { type: "string", default: "10" },
  quick: { type: "boolean", default: false },
  busy: { type: "boolean", default: false },
  only: { type: "string", default: LETTERS.join("") },
  transport: { type: "string", multiple: true },
  keep: { type: "string" },
  reports: { type: "string" },
  cells: { type: "boolean", default: false },
});
const runs = countOf("runs", values.runs);
const letters = lettersOf(values.only);
const ids = values.transport?.flatMap((text) => text.split(","));
const named = ids === undefined ? [] : ["--transport", ...ids];

function lettersOf(text: string): Letter[] {
  const unknown = [...text].find((letter) => !(LETTERS as readonly string[]).includes(letter));
  if (unknown !== undefined || text === "") refuse(`--only "${text}": rows are ${LETTERS.join("")}; name some of them`);
  return LETTERS.filter((letter) => text.includes(letter));
}

const needs = (...of: readonly Letter[]): boolean => letters.some((letter) => of.includes(letter));
const note = (text: string): boolean => process.stderr.write(`${text}\n`);

async function runPlain(reports: Reports, from: number, to: number): Promise<void> {
  for (let run = from; run <= to; run++) {
    const found = await compare(named);
    reports.add("plain", found);
    note(`plain run ${run} of ${runs}: ${(found.wallMs / 1000).toFixed(1)} s`);
  }
}

async function runReference(reports: Reports): Promise<void> {
  const report = reports.read().plain.at(-1)?.report;
  const planned = report === undefined ? [] : planReference(report);
  for (const part of planned) {
    note(`reference: ${part.transports.join(", ")} (${part.mode}) with ${part.messages} messages`);
    await attempt(async () => reports.add("reference", await measureReference(part)));
  }
}

async function runBusy(reports: Reports): Promise<void> {
  for (let run = 1; run <= Math.min(BUSY_RUNS, runs); run++) {
    const found = await besideBusyLoops(() => compare(named));
    reports.add("busy", found);
    note(`run ${run} beside busy loops: ${(found.wallMs / 1000).toFixed(1)} s`);
  }
}

async function runSlow(reports: Reports): Promise<void> {
  const delays = delaysOf(reports.read());
  if (delays.length === 0) return void note("unix was not measured on one CPU: nothing to make slower");
  const shortlist = REGISTRY.filter((entry) => entry.shortlist).map(({ id }) => id);
  for (let run = 1; run <= runs; run++) {
    const list = ["--transport", ...(ids ?? shortlist), SLOW_UNIX];
    reports.add("slow", await compare(list, { [DELAYS_VARIABLE]: JSON.stringify(delays) }));
    note(`run ${run} of ${runs} with a slow copy of unix`);
  }
}

/** Returns {@link SLOW_SHARE} of the p50 of `unix` on one CPU by size, from the reference, else from the plain runs. */
function delaysOf({ plain, reference }: Evidence): [bytes: number, ns: number][] {
  const rows = (reference.length > 0 ? reference : plain)
    .flatMap(({ report }) => roundTrips(report.measurements, "same-cpu"))
    .filter(({ transport, mode }) => COPIED_IDS.includes(transport) && mode === "event");
  return [...Map.groupBy(rows, ({ payloadBytes }) => payloadBytes)]
    .map(([bytes, same]): [number, number] => {
      const p50Ns = median(same.flatMap(({ latencyNs }) => latencyNs?.p50 ?? []));
      return [bytes, Math.round(SLOW_SHARE * p50Ns)];
    })
    .toSorted(([a], [b]) => a - b);
}

/** Runs a part whose failure costs its own rows only: the results of the others are still printed. */
async function attempt(part: () => Promise<void>): Promise<void> {
  try {
    await part();
  } catch (error) {
    // A signal has set it.
    if (process.exitCode !== undefined) throw error;
    note((error as Error).message);
  }
}

async function runStart(reports: Reports): Promise<void> {
  const pairMs = await measurePair();
  if (pairMs !== null) reports.setPair(pairMs);
}

async function runAll(reports: Reports): Promise<void> {
  if (needs("h")) await attempt(() => runStart(reports));
  const half = Math.ceil(runs / 2);
  if (needs("a", "b", "c", "d", "e", "f", "g")) {
    await runPlain(reports, 1, half);
    // In the middle of the plain runs, so that a slow change of the machine's speed affects both alike.
    if (needs("b", "c")) await runReference(reports);
    await runPlain(reports, half + 1, runs);
  }
  if (needs("b") && (values.busy || !values.quick)) await attempt(() => runBusy(reports));
  if (needs("f") && !values.quick) await attempt(() => runSlow(reports));
}

function judge(evidence: Evidence): void {
  const rows = rowsOf(evidence, letters);
  process.stdout.write(tableOf(evidence, rows, values.cells));
  process.exitCode = rows.some(({ verdict }) => verdict === "MISSED") ? 1 : 0;
}

/** Ends the benchmark with one sentence where the command line names an unusable input. */
function orRefuse<Result>(use: () => Result): Result {
  try {
    return use();
  } catch (error) {
    return refuse((error as Error).message);
  }
}

async function runAndJudge(directory: string): Promise<void> {
  const reports = orRefuse(() => new Reports(directory));
  try {
    await runAll(reports);
    judge(reports.read());
  } catch (error) {
    note((error as Error).message);
    process.exitCode ??= EXIT.incomplete;
  }
}

const { keep, reports: stored } = values;
if (stored !== undefined) {
  if (keep !== undefined) refuse("--reports runs nothing, so it takes no --keep");
  const evidence = orRefuse(() => new Reports(stored).read());
  if (evidence.plain.length === 0) refuse(`--reports "${stored}" holds no reports; name a directory of --keep`);
  judge(evidence);
} else if (keep !== undefined) {
  orRefuse(() => ensureWritable(keep, [], "--keep"));
  await runAndJudge(keep);
} else {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-bench-"));
  await runAndJudge(directory);
  rmSync(directory, { recursive: true, force: true });
}
