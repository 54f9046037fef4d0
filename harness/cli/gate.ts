import { basename, dirname, resolve } from "node:path";
import { Command, Option } from "commander";
import { chooseBase } from "../../ci/gate/base.ts";
import { GATED_PAYLOADS, GATED_TRANSPORTS } from "../../ci/gate/cells.ts";
import { DRIFT_TOLERANCE } from "../../ci/gate/drift.ts";
import { HistoryRun } from "../../ci/gate/history-run.ts";
import { junitOf } from "../../ci/gate/junit.ts";
import { METRICS, type Metric } from "../../ci/gate/metrics.ts";
import { exitCodeOf, type GateResult } from "../../ci/gate/result.ts";
import type { Found } from "../../ci/gate/run.ts";
import { summaryOf } from "../../ci/gate/summary.ts";
import { budgetLines, tableOf, verdictSentence } from "../../ci/gate/words.ts";
import { inSession } from "../coordinator/session.ts";
import { note } from "../process/note.ts";
import { IncompleteError, UsageError } from "../results/exit-codes.ts";
import { ensureWritable, store } from "../results/store.ts";
import { chooseCells } from "./arms.ts";
import { reportDrift } from "./gate-drift.ts";
import { type GateOptions, GateRun, limitingOf } from "./gate-run.ts";
import { refuseTooLarge } from "./measure.ts";
import { appendStepSummary, print, printJson, printWarnings } from "./output.ts";
import { messagesOption, replayedOf } from "./recorded.ts";
import { startRun } from "./run.ts";
import { unknownName } from "./suggest.ts";
import { resolveForTimes } from "./transports.ts";
import { each, parseCount, parseDuration, parseMode, parsePercent, parsePlacement, parseSize } from "./values.ts";
import { warnBeforeRun } from "./warn-before-run.ts";
import { replayCells } from "./workload.ts";

/** Smallest number of pairs with which a first look can pass: the exact bound needs 7. */
const LEAST_PAIRS = 8;
const BUDGET_MS = 180_000;

export function gateCommand(): Command {
  const command = new Command("gate").description(
    "test whether this checkout is slower than the base: " +
      "exits 0 (no), 20 (yes), 21 (cannot decide) or 22 (something did not run)",
  );
  return withOutput(withRule(withCells(withBase(command)))).action((options: GateOptions) => {
    if (options.drift === undefined) return gate(options);
    return reportDrift(options.drift, { ...options, tolerance: options.tolerance ?? DRIFT_TOLERANCE });
  });
}

function option(flags: string, text: string, parse: (value: string) => unknown): Option {
  return new Option(flags, text).argParser(parse as (value: string) => never);
}

/** Adds the options that name the base, and a command to compare. */
function withBase(command: Command): Command {
  return command
    .addOption(new Option("--base-dir <checkout>", "directory with the code to compare with").conflicts("base"))
    .option("--base <ref>", "git ref to compare with, checked out into a worktree with packages of its own")
    .option("--base-setup <command>", "command that prepares the worktree after the install, such as a build")
    .addOption(
      new Option(
        "--cmd <command>",
        "compare the values that a command prints for base and head: a number, or a JSON line for each value with " +
          "name, value, unit and lower (true: lower is better)",
      ).conflicts(["transport", "payload", "placement", "mode", "messages", "metric"]),
    )
    .addOption(
      option("--cmd-seconds <n>", "limit of one run of --cmd, seconds", parseCount("--cmd-seconds", 1, 3600)).default(
        120,
      ),
    );
}

/** Adds the options that choose the cells. */
function withCells(command: Command): Command {
  return command
    .addOption(
      new Option("--transport <id...>", `ids, or paths of modules (default: ${GATED_TRANSPORTS.join(" ")})`).argParser(
        each(String),
      ),
    )
    .addOption(new Option("--payload <bytes...>", "sizes of a message (default: 64 4KiB)").argParser(each(parseSize)))
    .addOption(
      new Option("--placement <where...>", "same-cpu, two-cpus, unpinned (default: same-cpu)").argParser(
        each(parsePlacement),
      ),
    )
    .addOption(
      new Option(
        "--mode <class...>",
        "event, blocking, polling (default: the first that each transport has)",
      ).argParser(each(parseMode)),
    );
}

/** Adds the options of the looks and their limits. */
function withRule(command: Command): Command {
  return command
    .addOption(
      option(
        "--pairs <n>",
        "pairs of trials between two looks at the data",
        parseCount("--pairs", LEAST_PAIRS, 500),
      ).default(10),
    )
    .addOption(messagesOption("messages per trial (default: calibrated)"))
    .addOption(
      option("--budget <time>", "longest time of all looks together, such as 90s or 5m", parseDuration).default(
        BUDGET_MS,
        "3m",
      ),
    )
    .addOption(
      new Option(
        "--metric <what...>",
        `${METRICS.join(", ")} (default: p50; on one CPU also p99, if the machine is quiet enough)`,
      ).argParser(each(parseMetric)),
    )
    .addOption(
      option(
        "--min-effect <percent>",
        "smallest slowdown that is a regression (default: 5%)",
        parsePercent("--min-effect"),
      ),
    )
    .addOption(
      option(
        "--tolerance <percent>",
        "slowdown that must be excluded for a pass (default: 20%)",
        parsePercent("--tolerance"),
      ),
    );
}

/** Adds the options of the verdict and of what is written. */
function withOutput(command: Command): Command {
  return command
    .option("--strict", "fail also if only the base or only the head has a transport")
    .addOption(
      option("--seed <n>", "seed of the coin flips (default: random, printed)", parseCount("--seed", 0, 2 ** 32 - 1)),
    )
    .option("--json", "print only the result, as JSON, on stdout")
    .option("--out <dir>", "folder for gate.json, or with --drift for drift.html", "ipcmark-out")
    .option("--junit <file>", "also write JUnit XML")
    .option("--history <file>", "also append one line of JSON for each cell, for --drift")
    .addOption(
      new Option(
        "--drift <file>",
        "instead of measuring, look for slow drift in the file of --history; " +
          `--tolerance is then the accepted growth (default with --drift: ${DRIFT_TOLERANCE * 100}%)`,
      ).conflicts(["base", "baseDir", "cmd", "transport", "history", "junit"]),
    );
}

function parseMetric(text: string): Metric {
  const found = METRICS.find((metric) => metric === text);
  if (found === undefined) throw new UsageError(unknownName("metric", text, METRICS));
  return found;
}

async function gate(typed: GateOptions): Promise<void> {
  const replayed = replayedOf(typed);
  const options = { ...typed, replayed };
  const limiting = limitingOf(options);
  ensureWritable(options.out, ["gate.json"]);
  if (options.junit !== undefined) {
    const file = resolve(options.junit);
    ensureWritable(dirname(file), [basename(file)], "--junit");
  }
  const run = startRun(options.seed);
  const transports = options.cmd === undefined ? (options.transport ?? GATED_TRANSPORTS) : [];
  const chosen = await resolveForTimes(transports, true);
  const made = chooseCells(["round-trip"], options.payload ?? GATED_PAYLOADS);
  const cells = replayed === undefined ? made : replayCells(replayed.about);
  if (options.transport !== undefined) refuseTooLarge(chosen.candidates, options.payload ?? []);
  const choice = chooseBase(options);
  await warnBeforeRun(chosen.candidates, run, { measures: true });
  const gated = new GateRun(options, limiting, run, { ...chosen, cells });
  const history = options.history === undefined ? undefined : await HistoryRun.begin(options.history);
  const found = await inSession(
    (session) => gated.measure(session, choice).catch(withoutBase),
    () => publishPartial(gated.soFar(), options),
    run.crashes,
    true,
  );
  const result = gated.result(found, true);
  publish(result, options);
  await history?.end(result);
}

/** Makes a base that cannot be prepared a result, which is then published like any other. */
function withoutBase(error: unknown): Found {
  if (error instanceof IncompleteError) return { rows: [], pairs: [], baseFailure: error.message };
  throw error;
}

/** Stores the rows of an interrupted gate, but neither JUnit nor a step summary: they would look like a verdict. */
function publishPartial(result: GateResult, options: GateOptions): () => void {
  const path = store(options.out, "gate.json", `${JSON.stringify(result)}\n`);
  return () => {
    if (options.json) printJson(result);
    else if (result.rows.length > 0) print(tableOf(result.rows));
    printWarnings(result.warnings, options.json);
    note(`interrupted after ${Math.round(result.durationMs / 1000)} s: partial, no verdict\nwritten: ${path}`);
  };
}

function publish(result: GateResult, options: GateOptions): void {
  const table = result.rows.length === 0 ? [] : [tableOf(result.rows)];
  const lines = [...table, ...budgetLines(result.budgets)];
  if (options.json) printJson(result);
  else if (lines.length > 0) print(lines.join("\n"));
  printWarnings(result.warnings, options.json);
  const path = store(options.out, "gate.json", `${JSON.stringify(result)}\n`);
  if (options.junit !== undefined) {
    const file = resolve(options.junit);
    store(dirname(file), basename(file), junitOf(result));
  }
  appendStepSummary(summaryOf(result));
  note(`${verdictSentence(result)}\nwritten: ${path}`);
  process.exitCode = exitCodeOf(result);
}
