import { basename, dirname, relative, resolve } from "node:path";
import { Command, Option } from "commander";
import { markdownText } from "../../reports/markdown-text.ts";
import type { Workload } from "../../scenarios/workload.ts";
import { changedConditions, fingerprintOf } from "../decision/conditions.ts";
import { type Decided, evidenceFile, evidenceIn, loadEvidence } from "../decision/evidence.ts";
import { type DecisionRecord, loadRecord, renewedText } from "../decision/record.ts";
import { type Judgement, judge, optionsOf, rivalsOf } from "../decision/verdict.ts";
import { remedyOf, sentenceOfRecheck } from "../decision/words.ts";
import { CHECKS } from "../driver/checks/catalog.ts";
import { questionOfPick } from "../pick/pick.ts";
import { note } from "../process/note.ts";
import { EXIT } from "../results/exit-codes.ts";
import { machineSentence } from "../results/machine-sentence.ts";
import type { Report } from "../results/model.ts";
import { ensureWritable, StoreError, store } from "../results/store.ts";
import type { AskedQuestion } from "./asked-question.ts";
import { chooseCandidates } from "./choose-candidates.ts";
import { compare } from "./comparison.ts";
import type { MeasureOptions, SharedOptions } from "./options.ts";
import { print, publish, REPORT_FILES } from "./output.ts";
import { parseNeed } from "./parse-needs.ts";
import { replayedAgain } from "./recorded.ts";
import { startRun } from "./run.ts";
import { parseCount, parseDuration } from "./values.ts";

interface RecheckOptions extends Pick<SharedOptions, "json" | "out" | "seed" | "bundle"> {
  /** Path of the recorded messages with which the decision was made. */
  readonly messages?: string;
  readonly acceptConditions?: boolean;
  readonly budget?: number;
  readonly quick?: boolean;
  readonly thorough?: boolean;
}

export function recheckCommand(): Command {
  return new Command("recheck")
    .description("measure again what decided in a decision record: does the decision still hold on this machine?")
    .argument("<record>", "the record that report --adr has written, such as docs/adr/0004-ipc.md")
    .option("--accept-conditions", "decide even if conditions have changed, and write the new ones into the record")
    .option("--messages <file>", "the recorded messages, if the decision was made with some")
    .addOption(new Option("--budget <time>", "time for the whole run, such as 90s or 5m").argParser(parseDuration))
    .addOption(new Option("--quick", "short windows and at least 6 rounds").conflicts("thorough"))
    .option("--thorough", "at least 30 rounds")
    .option("--json", "print only the report, as JSON, on stdout; its field recheck is the result")
    .option("--out <dir>", "folder for report.json and report.html", "ipcmark-out/recheck")
    .addOption(
      new Option("--seed <n>", "seed of the random order of trials").argParser(parseCount("--seed", 0, 2 ** 32 - 1)),
    )
    .addOption(new Option("--no-bundle", "start every process from the source, which takes longer").hideHelp())
    .action(recheck);
}

async function recheck(path: string, options: RecheckOptions): Promise<void> {
  const record = loadRecord(path);
  const evidence = loadEvidence(path, record.evidence);
  const question = questionOfPick(evidence.pick);
  const compared = optionsOf(evidence, question);
  if (!compared.has(record.chosen))
    throw new StoreError(
      `${path}:${record.chosenLine}: the evidence has no figures of the option "${record.chosen}"; choose one of ` +
        `${[...compared.keys()].join(", ")}, or run compare again and record a new decision (report --adr)`,
    );
  const rivals = rivalsOf(compared, record.chosen, question);
  ensureWritable(options.out, REPORT_FILES);
  if (options.acceptConditions) ensureWritable(dirname(path), [basename(path)], "the folder of the record");
  const subjects = [record.chosen, ...rivals].map((option) => compared.get(option)?.name ?? option);
  const report = await measureAgain(path, evidence, [...new Set(subjects)], options);
  const judgement = judge(report, question, record.chosen, rivals);
  const changed = changedConditions(evidence, report, [...new Set(subjects)]);
  const isAccepted = options.acceptConditions === true;
  const before = judge(evidence, question, record.chosen, rivals);
  const sentence = sentenceOfRecheck(judgement, question, isAccepted ? [] : changed, before);
  process.exitCode = changed.length > 0 && !isAccepted ? EXIT.incomplete : CODES[judgement.outcome];
  const pick = report.pick === null ? null : { ...report.pick, sentence };
  const found = { ...report, pick, recheck: { ...judgement, conditions: changed, sentence } };
  await publish({ ...options, json: options.json === true }, found, () => print(sentence));
  const remedy = remedyOf(judgement);
  if (remedy !== undefined) note(remedy);
  if (changed.length > 0 && !isAccepted)
    note("with --accept-conditions this run decides, and the record gets the new conditions");
  if (isAccepted) renew(record, evidence, report, changed, sentence);
}

const CODES: Readonly<Record<Judgement["outcome"], number>> = {
  holds: EXIT.ok,
  "other-wins": EXIT.regression,
  "cannot-tell": EXIT.inconclusive,
};

/** Checks and measures the chosen option and its rivals, at the sizes and the placement of the decision only. */
async function measureAgain(
  path: string,
  evidence: Decided,
  transports: readonly string[],
  options: RecheckOptions,
): Promise<Report> {
  const question = questionAgain(evidence);
  const names = transports.map((id) => moduleOf(id, evidence, path) ?? id);
  const { messages, ...others } = options;
  const replayed = replayedAgain(evidence.question.workload.recorded, messages);
  const asked = { ...others, ...flagsAgain(evidence), replayed, transport: [...new Set(names)] };
  const run = startRun(options.seed);
  const found = await chooseCandidates(asked.transport, question.requirements, question.workload.peer);
  const isWanted = (id: string): boolean => transports.includes(id);
  const chosen = {
    ...found,
    candidates: found.candidates.filter(({ record }) => isWanted(record.id)),
    standings: found.standings.filter(({ transport }) => isWanted(transport)),
  };
  const only = evidence.pick.workload.benchmark ?? "round-trip";
  return compare({ options: asked, run, chosen, question, only }, () => {});
}

function moduleOf(id: string, { transports }: Decided, record: string): string | undefined {
  const module = transports.find((each) => each.id === id)?.module;
  return module === undefined ? undefined : relative(process.cwd(), resolve(dirname(record), module));
}

/** Returns the flags of `compare` that repeat the question of the evidence, without its workload. */
export function flagsAgain({ pick: { workload } }: Decided): Partial<MeasureOptions> {
  return {
    placement: [workload.placement],
    mode: workload.modes,
    peer: [workload.peer ?? "node"],
    cBaseline: false,
    ...(workload.matters === undefined ? {} : { matters: workload.matters }),
  };
}

/** Returns the question of the evidence, with only the load that decided. */
export function questionAgain({ question, pick }: Decided): AskedQuestion {
  const { clients, ratePerSecond, payloads, mix, benchmark, assumedWorkNs = 0 } = pick.workload;
  const workload: Workload = {
    ...question.workload,
    ...(clients === undefined ? {} : { clients }),
    ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
    payloads: mix === undefined ? payloads : { mix },
    otherLoads: [],
  };
  return {
    profile: {
      name: question.profile,
      why: "",
      needs: question.needs,
      workload,
      typicalWorkMicros: assumedWorkNs / 1000,
      checks: question.checks,
    },
    requirements: question.needs.map(parseNeed),
    workload,
    fansOut: benchmark === "fan-out",
    checks: CHECKS.filter(({ id, quick }) => quick === true || question.checks.includes(id)),
    checksOfPick: new Set(),
    forReport: { ...question, workload },
  };
}

/** Makes this run the evidence of the record, if conditions have changed. */
function renew(
  record: DecisionRecord,
  evidence: Decided,
  report: Report,
  changed: readonly string[],
  sentence: string,
): void {
  if (changed.length === 0) return note("no condition has changed, so the record was not changed");
  const { pick, question } = report;
  if (pick === null || pick.verdict === "cannot-tell" || question === undefined)
    return note("the record was not changed: this run could not tell which option is fastest; give a longer --budget");
  const modules = new Map(
    evidence.transports.flatMap(({ id, module }) => (module === undefined ? [] : [[id, module] as const])),
  );
  const kept = evidenceIn({ ...report, pick, question }, modules);
  const file = evidenceFile(record.path, kept);
  const text = renewedText(record, {
    file,
    fingerprints: { before: fingerprintOf(evidence.environment), now: fingerprintOf(report.environment) },
    machines: { before: machineSentence(evidence.environment), now: machineSentence(report.environment) },
    sentence: markdownText(
      `Conditions accepted on ${report.startedAt.slice(0, 10)}: ${changed.join("; ")}. ${sentence}`.replace(/\.$/, ""),
    ),
  });
  const stored = [
    store(dirname(record.path), file.name, file.text),
    store(dirname(record.path), basename(record.path), text),
  ];
  note(`renewed: ${stored.reverse().join(", ")}`);
}
