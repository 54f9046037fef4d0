import { basename, dirname, resolve } from "node:path";
import { Command, Option } from "commander";
import { type Base, chooseBase, openBase } from "../../ci/gate/base.ts";
import { judgeBudgets } from "../../ci/gate/budgets.ts";
import { GATED_PAYLOADS, GATED_TRANSPORTS, type GateCell } from "../../ci/gate/cells.ts";
import { type CommandGateRequest, commandSides, runCommandGate } from "../../ci/gate/command-gate.ts";
import { DRIFT_TOLERANCE } from "../../ci/gate/drift.ts";
import { type Checkout, checkoutOf } from "../../ci/gate/git.ts";
import { HistoryRun } from "../../ci/gate/history-run.ts";
import { junitOf } from "../../ci/gate/junit.ts";
import { foreignFile, listing, loadedRecord } from "../../ci/gate/loaded.ts";
import { METRICS, type Metric } from "../../ci/gate/metrics.ts";
import { exitCodeOf, type GateResult, type LoadedRecord } from "../../ci/gate/result.ts";
import { type Found, type GateRequest, runGate } from "../../ci/gate/run.ts";
import { limitsFor, readSettings, refuseUnmeant, type Settings, withAccepted } from "../../ci/gate/settings.ts";
import { summaryOf } from "../../ci/gate/summary.ts";
import { DEFAULT_RULE, type GateRule, type Limits } from "../../ci/gate/verdict.ts";
import { budgetLines, tableOf, verdictSentence } from "../../ci/gate/words.ts";
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import { ffiFloor } from "../../transports/posix/index.ts";
import { inSession } from "../coordinator/session.ts";
import { note } from "../process/note.ts";
import { describeEnvironment } from "../results/environment.ts";
import { UsageError } from "../results/exit-codes.ts";
import { count } from "../results/format.ts";
import type { Placement } from "../results/model.ts";
import { ensureWritable, store } from "../results/store.ts";
import { chooseCells } from "./arms.ts";
import { reportDrift } from "./gate-drift.ts";
import { type PairedUp, pairUp, refusedRow } from "./gate-sides.ts";
import { refuseTooLarge } from "./measure.ts";
import { appendStepSummary, print, printJson, printWarnings } from "./output.ts";
import { runWarnings, startRun } from "./run.ts";
import { unknownName } from "./suggest.ts";
import { resolveForTimes } from "./transports.ts";
import { each, parseCount, parseDuration, parseMode, parsePercent, parsePlacement, parseSize } from "./values.ts";
import { warnBeforeRun } from "./warn-before-run.ts";

interface GateOptions {
  readonly baseDir?: string;
  readonly base?: string;
  readonly baseSetup?: string;
  readonly transport?: readonly string[];
  readonly payload?: readonly number[];
  readonly placement?: readonly Placement[];
  readonly mode?: readonly WaitMode[];
  readonly pairs: number;
  readonly budget: number;
  readonly messages?: number;
  readonly metric?: readonly Metric[];
  readonly minEffect?: number;
  readonly tolerance?: number;
  readonly strict?: boolean;
  /** Lists of a configuration, see `ci/gate/settings.ts`. */
  readonly limits?: unknown;
  readonly budgets?: unknown;
  readonly accept?: unknown;
  readonly seed?: number;
  readonly json?: boolean;
  readonly out: string;
  readonly junit?: string;
  readonly cmd?: string;
  readonly cmdSeconds: number;
  readonly history?: string;
  readonly drift?: string;
}

/** Smallest number of pairs with which a first look can pass: the exact bound needs 7. */
const LEAST_PAIRS = 8;
const BUDGET_MS = 180_000;

export function gateCommand(): Command {
  const option = (flags: string, text: string, parse: (value: string) => unknown): Option =>
    new Option(flags, text).argParser(parse as (value: string) => never);
  return new Command("gate")
    .description(
      "test whether this checkout is slower than the base: " +
        "exits 0 (no), 20 (yes), 21 (cannot decide) or 22 (something did not run)",
    )
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
    )
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
    )
    .addOption(
      option(
        "--pairs <n>",
        "pairs of trials between two looks at the data",
        parseCount("--pairs", LEAST_PAIRS, 500),
      ).default(10),
    )
    .addOption(
      option("--messages <n>", "messages per trial (default: calibrated)", parseCount("--messages", 1, 10_000_000)),
    )
    .addOption(
      option("--budget <time>", "longest time of all looks, such as 90s or 5m", parseDuration).default(BUDGET_MS, "3m"),
    )
    .addOption(
      new Option(
        "--metric <what...>",
        `${METRICS.join(", ")} (default: p50; on one CPU also p99, where the machine is quiet enough)`,
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
    )
    .option("--strict", "fail also if only the base or only the head has a transport")
    .addOption(
      option("--seed <n>", "seed of the coin flips (default: random, printed)", parseCount("--seed", 0, 2 ** 32 - 1)),
    )
    .option("--json", "print only the result, as JSON, on stdout")
    .option("--out <dir>", "where gate.json goes", "ipcmark-out")
    .option("--junit <file>", "also write JUnit XML")
    .option("--history <file>", "also append one line of JSON for each cell, for --drift")
    .addOption(
      new Option(
        "--drift <file>",
        "instead of measuring, look for slow drift in the file of --history; " +
          `--tolerance is then the accepted growth (default with --drift: ${DRIFT_TOLERANCE * 100}%)`,
      ).conflicts(["base", "baseDir", "cmd", "transport", "history", "junit"]),
    )
    .action((options: GateOptions) => {
      if (options.drift === undefined) return gate(options);
      return reportDrift(options.drift, { ...options, tolerance: options.tolerance ?? DRIFT_TOLERANCE });
    });
}

function parseMetric(text: string): Metric {
  const found = METRICS.find((metric) => metric === text);
  if (found === undefined) throw new UsageError(unknownName("metric", text, METRICS));
  return found;
}

/** Rule of this gate, and the limits that were given for it. */
interface Limiting {
  readonly rule: GateRule;
  readonly typed: Partial<Limits>;
  readonly settings: Settings;
}

function limitingOf({ minEffect, tolerance, ...options }: GateOptions): Limiting {
  const typed = {
    ...(minEffect === undefined ? {} : { minEffect }),
    ...(tolerance === undefined ? {} : { tolerance }),
  };
  const rule = { ...DEFAULT_RULE, ...typed };
  if (rule.tolerance <= rule.minEffect) {
    throw new UsageError(
      `--tolerance must be above --min-effect, and ${rule.tolerance * 100}% is not above ${rule.minEffect * 100}%`,
    );
  }
  return { rule, typed, settings: readSettings(options, options.cmd === undefined ? "transports" : "command") };
}

async function gate(options: GateOptions): Promise<void> {
  const limiting = limitingOf(options);
  ensureWritable(options.out, ["gate.json"]);
  if (options.junit !== undefined) {
    const file = resolve(options.junit);
    ensureWritable(dirname(file), [basename(file)], "--junit");
  }
  const run = startRun(options.seed);
  const transports = options.cmd === undefined ? (options.transport ?? GATED_TRANSPORTS) : [];
  const { candidates, refused } = await resolveForTimes(transports, true);
  const cells = chooseCells(["round-trip"], options.payload ?? GATED_PAYLOADS);
  if (options.transport !== undefined) refuseTooLarge(candidates, options.payload ?? []);
  const choice = chooseBase(options);
  await warnBeforeRun(candidates, run, { measures: true });
  let soFar: (() => Found) | undefined;
  let loaded: LoadedRecord | undefined;
  let base: Base | undefined;
  let checkouts: { readonly base: Checkout; readonly head: Checkout } | undefined;
  const resultOf = ({ rows, pairs, looks, pairMs, cBaseline }: Found, complete: boolean): GateResult => ({
    complete,
    startedAt: run.startedAt.toISOString(),
    base: base?.name ?? options.baseDir ?? options.base ?? "",
    commits: { base: checkouts?.base.commit ?? null, head: checkouts?.head.commit ?? null },
    dirty: checkouts?.head.isDirty ?? false,
    environment: { ...describeEnvironment(run.cpu, ffiFloor()), loadAverage1: run.loadAverage1 },
    seed: run.seed,
    rule: limiting.rule,
    durationMs: Math.round(performance.now() - run.startedMs),
    rows: withAccepted(rows, limiting.settings, new Date().toISOString().slice(0, 10)),
    budgets: judgeBudgets(limiting.settings.budgets, { pairs, ...(cBaseline === undefined ? {} : { cBaseline }) }),
    pairs,
    ...(looks === undefined ? {} : { looks }),
    ...(pairMs === undefined ? {} : { pairMs }),
    ...(cBaseline === undefined ? {} : { cBaseline }),
    strict: options.strict === true,
    ...(loaded === undefined ? {} : { loaded }),
    warnings: [...(base?.warnings ?? []), ...runWarnings(run)],
  });
  const history = options.history === undefined ? undefined : await HistoryRun.begin(options.history);
  const found = await inSession(
    async (session): Promise<Found> => {
      const opened = await openBase(choice, session);
      base = opened;
      checkouts = { base: await checkoutOf(opened.directory, opened.commit), head: await checkoutOf(opened.head) };
      const obstacle = (): string | undefined => {
        loaded = loadedRecord(opened, session);
        return foreignFile(opened, session.place);
      };
      const limits = { pairs: options.pairs, budgetMs: options.budget, rule: limiting.rule };
      if (options.cmd !== undefined) {
        note(`gate of ${options.cmd} against ${opened.name}; seed ${run.seed}`);
        const request: CommandGateRequest = {
          ...limits,
          command: options.cmd,
          sides: commandSides(opened, session.place),
          limitsOf: (cell) => limitsFor(cell, "value", limiting),
          limitMs: options.cmdSeconds * 1000,
          seed: run.seed,
          signal: session.interrupted,
          obstacle,
          onBegin: (found) => {
            soFar = found;
          },
        };
        return runCommandGate(request, run.progress);
      }
      const paired = await pairUp(candidates, opened, options, cells);
      // The cells of a module that does not load are not known.
      if (refused.length === 0) refuseUnmeant(limiting.settings, declaredCells(paired, cells));
      const { sides } = paired;
      const others = [...refused.map(refusedRow), ...paired.others];
      if (sides.length + others.length === 0)
        throw new UsageError("no transport matches this --mode and --placement; choose different values");
      note(`gate against ${opened.name}: ${declared(sides, cells.length)}; seed ${run.seed}`);
      if (sides.length === 0) return { rows: others, pairs: [] };
      const request: GateRequest = {
        sides: sides.map((each) => listing(each, session)),
        cells,
        ...limits,
        metrics: options.metric,
        limitsOf: (cell, metric) => limitsFor(cell, metric, limiting),
        budgets: limiting.settings.budgets,
        seed: run.seed,
        ...(options.messages === undefined ? {} : { messages: options.messages }),
        obstacle,
        onBegin: (found) => {
          soFar = () => withOthers(found(), others);
        },
      };
      return withOthers(await runGate(session, request, run.progress), others);
    },
    () => publishPartial(resultOf(soFar?.() ?? { rows: [], pairs: [] }, false), options),
    run.crashes,
    true,
  );
  const result = resultOf(found, true);
  publish(result, options);
  await history?.end(result);
}

function withOthers(found: Found, others: Found["rows"]): Found {
  return { ...found, rows: [...others, ...found.rows] };
}

/** Formats `2 mechanisms, 1 cell each`. */
function declared(sides: PairedUp["sides"], sizes: number): string {
  const mechanisms = new Set(sides.map(({ head }) => head.transport.id)).size;
  const each = (sides.length * sizes) / Math.max(1, mechanisms);
  const cells = Number.isInteger(each) ? `${count(each, "cell")} each` : `${sides.length * sizes} cells in all`;
  return `${count(mechanisms, "mechanism")}, ${cells}`;
}

function declaredCells({ sides, others }: PairedUp, cells: readonly { readonly payloadBytes: number }[]): GateCell[] {
  const measured = sides.flatMap(({ head: { transport, mode, placement } }) =>
    cells.map(({ payloadBytes }) => ({ transport: transport.id, mode, placement, payloadBytes })),
  );
  return [...measured, ...others.map(({ cell }) => cell)];
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
  if (options.json) printJson(result);
  else print([tableOf(result.rows), ...budgetLines(result.budgets)].join("\n"));
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
