import { basename, dirname, resolve } from "node:path";
import { Command, Option } from "commander";
import { type Base, type BaseReference, chooseBase, inBase, openBase } from "../../ci/gate/base.ts";
import { GATED_PAYLOADS, GATED_PLACEMENTS, GATED_TRANSPORTS, nameOf } from "../../ci/gate/cells.ts";
import { commandSides, runCommandGate } from "../../ci/gate/command-gate.ts";
import { DRIFT_TOLERANCE } from "../../ci/gate/drift.ts";
import { HistoryRun } from "../../ci/gate/history-run.ts";
import { junitOf } from "../../ci/gate/junit.ts";
import { foreignFile, listing, loadedRecord } from "../../ci/gate/loaded.ts";
import {
  evidenceWords,
  exitCodeOf,
  type GateResult,
  type GateRow,
  type LoadedRecord,
  verdictSentence,
} from "../../ci/gate/result.ts";
import { type GateRequest, runGate, type Sides } from "../../ci/gate/run.ts";
import { summaryOf } from "../../ci/gate/summary.ts";
import { DEFAULT_RULE } from "../../ci/gate/verdict.ts";
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import { type Arm, placeArm } from "../coordinator/arm.ts";
import { inSession } from "../coordinator/session.ts";
import { type Inspection, inspectModule } from "../process/inspection.ts";
import { note } from "../process/note.ts";
import { EXIT, UsageError } from "../results/exit-codes.ts";
import type { Placement } from "../results/model.ts";
import { ensureWritable, store } from "../results/store.ts";
import { chooseCells } from "./arms.ts";
import { warnBeforeRun } from "./before-run.ts";
import { reportDrift } from "./gate-drift.ts";
import { refuseTooLarge } from "./measure.ts";
import { appendStepSummary, print, printJson, printWarnings } from "./output.ts";
import { runWarnings, startRun } from "./run.ts";
import { type Candidate, resolveForTimes } from "./transports.ts";
import { each, parseCount, parseMode, parsePercent, parsePlacement, parseSize } from "./values.ts";

interface GateOptions {
  readonly baseDir?: string;
  readonly base?: string;
  readonly baseSetup?: string;
  readonly transport?: readonly string[];
  readonly payload?: readonly number[];
  readonly placement?: readonly Placement[];
  readonly mode?: readonly WaitMode[];
  readonly pairs: number;
  readonly messages?: number;
  readonly minEffect: number;
  readonly tolerance: number;
  readonly seed?: number;
  readonly json?: boolean;
  readonly out: string;
  readonly junit?: string;
  readonly cmd?: string;
  readonly cmdSeconds: number;
  readonly history?: string;
  readonly drift?: string;
}

/** Smallest number of pairs with which the exact test reaches its level: 2^-8 is 0.4 %. */
const LEAST_PAIRS = 8;

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
        'gate what a command prints on both sides: one number, or lines {"name", "value", "unit", "lower"} of JSON',
      ).conflicts(["transport", "payload", "placement", "mode", "messages"]),
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
        "pairs of trials in the first stage; the second stage has twice as many",
        parseCount("--pairs", LEAST_PAIRS, 500),
      ).default(10),
    )
    .addOption(
      option("--messages <n>", "messages per trial (default: calibrated)", parseCount("--messages", 1, 10_000_000)),
    )
    .addOption(
      option("--min-effect <percent>", "smallest slowdown that is a regression", parsePercent).default(
        DEFAULT_RULE.minEffect,
        "5%",
      ),
    )
    .addOption(
      option("--tolerance <percent>", "slowdown that must be excluded for a pass", parsePercent).default(
        DEFAULT_RULE.tolerance,
        "20%",
      ),
    )
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
          `--tolerance is the growth that is accepted (then ${DRIFT_TOLERANCE * 100}%)`,
      ).conflicts(["base", "baseDir", "cmd", "transport", "history", "junit"]),
    )
    .action((options: GateOptions, command: Command) => {
      if (options.drift === undefined) return gate(options);
      const isTyped = command.getOptionValueSource("tolerance") !== "default";
      return reportDrift(options.drift, { ...options, tolerance: isTyped ? options.tolerance : DRIFT_TOLERANCE });
    });
}

async function gate(options: GateOptions): Promise<void> {
  if (options.tolerance <= options.minEffect) {
    throw new UsageError(
      "--tolerance must be above --min-effect, and " +
        `${options.tolerance * 100}% is not above ${options.minEffect * 100}%`,
    );
  }
  ensureWritable(options.out, ["gate.json"]);
  if (options.junit !== undefined) {
    const file = resolve(options.junit);
    ensureWritable(dirname(file), [basename(file)], "--junit");
  }
  const run = startRun(options.seed);
  const transports = options.cmd === undefined ? (options.transport ?? GATED_TRANSPORTS) : [];
  const { candidates, refused } = await resolveForTimes(transports);
  const cells = chooseCells(["round-trip"], options.payload ?? GATED_PAYLOADS);
  if (options.transport !== undefined) refuseTooLarge(candidates, options.payload ?? []);
  const choice = chooseBase(options);
  await warnBeforeRun(candidates, run, { measures: true });
  const rule = { ...DEFAULT_RULE, minEffect: options.minEffect, tolerance: options.tolerance };
  let soFar: (() => GateRow[]) | undefined;
  let loaded: LoadedRecord | undefined;
  let base: Base | undefined;
  const resultOf = (rows: readonly GateRow[], complete: boolean): GateResult => {
    const name = base?.name ?? options.baseDir ?? options.base ?? "";
    const durationMs = Math.round(performance.now() - run.startedMs);
    const warnings = [...(base?.warnings ?? []), ...runWarnings(run)];
    const files = loaded === undefined ? {} : { loaded };
    return { complete, base: name, seed: run.seed, rule, durationMs, rows, ...files, warnings };
  };
  const history = options.history === undefined ? undefined : await HistoryRun.begin(options.history);
  const rows = await inSession(
    async (session) => {
      const opened = await openBase(choice, session);
      base = opened;
      const onBegin = (found: () => GateRow[]): void => {
        soFar = found;
      };
      const obstacle = (): string | undefined => {
        loaded = loadedRecord(opened, session.place);
        return foreignFile(opened, session.place);
      };
      if (options.cmd !== undefined) {
        note(`gate of ${options.cmd} against ${opened.name}; seed ${run.seed}`);
        const { cmd: command, pairs, cmdSeconds } = options;
        const sides = commandSides(opened, session.place);
        const limits = { pairs, rule, limitMs: cmdSeconds * 1000, seed: run.seed, signal: session.interrupted };
        return runCommandGate({ command, sides, ...limits, obstacle, onBegin }, run.progress);
      }
      const { sides, missing } = await pairUp(candidates, opened, options, cells);
      if (sides.length + missing.length === 0)
        throw new UsageError("no transport matches this --mode and --placement; choose different values");
      note(`gate against ${opened.name}: ${sides.length} arms of ${cells.length} cells; seed ${run.seed}`);
      if (sides.length === 0) return missing;
      const request: GateRequest = {
        sides: sides.map((each) => listing(each, session.place)),
        cells,
        pairs: options.pairs,
        rule,
        seed: run.seed,
        ...(options.messages === undefined ? {} : { messages: options.messages }),
        obstacle,
        onBegin: (found) => onBegin(() => [...missing, ...found()]),
      };
      return [...missing, ...(await runGate(session, request, run.progress))];
    },
    () => publishPartial(resultOf(soFar?.() ?? [], false), options),
    run.crashes,
  );
  publish(resultOf(rows, true), options);
  await history?.end(rows);
  if (refused.length > 0 && process.exitCode === EXIT.ok) process.exitCode = EXIT.incomplete;
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

/** Returns both sides of every declared arm; a cell that one side cannot run is a row, never an omission. */
async function pairUp(
  candidates: readonly Candidate[],
  base: Base,
  options: GateOptions,
  cells: ReturnType<typeof chooseCells>,
): Promise<{ sides: Sides[]; missing: GateRow[] }> {
  const sides: Sides[] = [];
  const missing: GateRow[] = [];
  const bases = await inspectBases(candidates, base);
  for (const { transport, reference, record } of candidates) {
    const modes = options.mode ?? transport.capabilities.modes.slice(0, 1);
    for (const mode of transport.capabilities.modes.filter((each) => modes.includes(each))) {
      for (const placement of options.placement ?? GATED_PLACEMENTS) {
        const absent = (reason: string): void => {
          for (const { payloadBytes } of cells) {
            missing.push({
              cell: { transport: transport.id, mode, placement, payloadBytes },
              outcome: "missing",
              reason,
              notes: [],
            });
          }
        };
        if (!record.available) {
          absent(`head: ${record.reason}`);
          continue;
        }
        const head = placeArm({ transport, reference, version: record.version, mode, placement, peerLanguage: "node" });
        const other = bases.get(transport.id) ?? { reason: "it was not looked at" };
        if ("reason" in head) absent(head.reason);
        else if ("reason" in other) absent(`base: ${other.reason}`);
        else sides.push({ head: head.arm, base: { ...head.arm, ...other } });
      }
    }
  }
  return { sides, missing };
}

type BaseSide = Pick<Arm, "transport" | "reference"> | { readonly reason: string };

/** Finds the same ids in the base, whose code runs in separate processes: one for its registry, one for each module. */
async function inspectBases(candidates: readonly Candidate[], base: Base): Promise<ReadonlyMap<string, BaseSide>> {
  const references = candidates.filter(({ record }) => record.available).map((each) => inBase(each.reference, base));
  const sides = new Map<string, BaseSide>();
  for (const [module, wanted] of Map.groupBy(references, (reference) => reference.module)) {
    const ids = wanted.map(({ id }) => id);
    const inspected = await inspectModule(module, ids).catch((error: Error) => ({ reason: error.message }));
    for (const reference of wanted) sides.set(reference.id, baseSide(reference, inspected));
  }
  return sides;
}

function baseSide(reference: BaseReference, inspected: Inspection | { readonly reason: string }): BaseSide {
  if ("reason" in inspected) return inspected;
  const found = inspected.found.find(({ transport }) => transport.id === reference.id);
  if (found === undefined) {
    return { reason: inspected.defects[0] ?? `${reference.module} exports no transport named ${reference.id}` };
  }
  const { transport, availability } = found;
  return availability.available ? { transport, reference } : { reason: availability.reason };
}

function publish(result: GateResult, options: GateOptions): void {
  if (options.json) printJson(result);
  else print(tableOf(result.rows));
  printWarnings(result.warnings, options.json);
  const path = store(options.out, "gate.json", `${JSON.stringify(result)}\n`);
  if (options.junit !== undefined) {
    const file = resolve(options.junit);
    store(dirname(file), basename(file), junitOf(result));
  }
  appendStepSummary(summaryOf(result));
  note(`${verdictSentence(result.rows)}\nwritten: ${path}`);
  process.exitCode = result.rows.length === 0 ? EXIT.incomplete : exitCodeOf(result.rows);
}

const WORDS: Readonly<Record<GateRow["outcome"], string>> = {
  "not-slower": "not slower",
  regression: "SLOWER",
  undecided: "cannot decide",
  missing: "DID NOT RUN",
  broken: "BROKEN",
  new: "new",
  gone: "gone",
};

function tableOf(rows: readonly GateRow[]): string {
  const names = rows.map(({ cell }) => nameOf(cell));
  const wide = Math.max(...names.map((name) => name.length));
  return rows
    .map(({ outcome, reason, screen, confirm, notes }, index) => {
      const evidence = confirm ?? screen;
      const found = evidence === undefined ? (reason ?? "") : `head/base ${evidenceWords(evidence)}`;
      const rest = notes.length === 0 ? "" : `; ${notes.join("; ")}`;
      return `${(names[index] ?? "").padEnd(wide)}  ${WORDS[outcome].padEnd(13)}  ${found}${rest}`;
    })
    .join("\n");
}
