import type { Decided } from "../harness/decision/evidence.ts";
import { judge, optionsOf, rivalsOf } from "../harness/decision/verdict.ts";
import { grounds } from "../harness/decision/words.ts";
import { type Candidate, type FullQuestion, type Out, withDefaults } from "../harness/pick/candidates.ts";
import { METRICS } from "../harness/pick/metric.ts";
import { questionOfPick } from "../harness/pick/pick.ts";
import { costOf, figuresText, shareOf, timesAs } from "../harness/pick/words.ts";
import { typed } from "../harness/results/command-line.ts";
import { bytes, count, duration, mixText } from "../harness/results/format.ts";
import { machineSentence } from "../harness/results/machine-sentence.ts";
import type { CheckResult } from "../harness/results/model.ts";
import { compareRounds } from "../harness/results/ranking.ts";
import { markdownCode as code, markdownText as text } from "./markdown-text.ts";
import { ruledOutByNeeds } from "./ruled-out.ts";

/** Facts that a record states beside its evidence. */
export interface RecordFrame {
  /** Path of the record, as the command of a recheck names it. */
  readonly path: string;
  readonly evidenceName: string;
  readonly sha256: string;
  /** Value of `--transport` of a gate: the id of the pick, or the path of its module. */
  readonly gated: string;
}

/**
 * Writes the pick of a report as a decision record, in the sections of MADR 4.0 (adr.github.io/madr). The status is
 * `proposed`, since people decide.
 */
export function renderAdr(evidence: Decided, frame: RecordFrame): string {
  const question = withDefaults(questionOfPick(evidence.pick));
  const out: Out = { ruledOut: [], notExamined: [] };
  const options = optionsOf(evidence, question, out);
  const chosen = [...options].find(
    ([, { name, mode }]) => name === evidence.pick.transport && mode === evidence.pick.mode,
  );
  const title = chosen?.[0] ?? evidence.pick.transport;
  const rivals = rivalsOf(options, title, question);
  const sections = [
    `---\nstatus: proposed\ndate: ${evidence.startedAt.slice(0, 10)}\n---`,
    `# Use ${text(title)} between two processes of one machine`,
    context(evidence, question),
    ["## Considered Options", [...options.keys()].map((name) => `* ${code(name)}`).join("\n")].join("\n\n"),
    decision(evidence, title),
    `### Consequences\n\n${consequences(evidence, question, title, rivals).join("\n")}`,
    confirmation(evidence, question, title, rivals, frame),
    prosAndCons(options, evidence, question, out),
    more(evidence, frame),
  ];
  return `${sections.filter((part) => part !== "").join("\n\n")}\n`;
}

function context({ question: asked, pick, environment }: Decided, question: FullQuestion): string {
  const { workload } = pick;
  const sizes = workload.mix === undefined ? question.payloads.map(bytes).join(" and ") : mixText(workload.mix);
  const load = [
    `${sizes} requests`,
    ...(workload.codec === undefined ? [] : [`in ${workload.codec}`]),
    `from ${count(workload.clients ?? 1, "client")}`,
    ...(workload.ratePerSecond ? [`at ${workload.ratePerSecond} a second`] : []),
    `with a server in ${question.peer}`,
  ].join(" ");
  const workNs = question.assumedWorkNs + question.measuredWorkNs;
  const work = workNs === 0 ? "without work" : `with ${duration(workNs)} of work`;
  const waits = question.modes.map(code).join(" or ");
  const needs = asked.needs.length === 0 ? "none" : asked.needs.map(code).join(", ");
  return [
    "## Context and Problem Statement",
    "Two processes on one machine send each other requests. Which IPC mechanism do they use?",
    [
      `* Needs: ${needs} (profile ${code(asked.profile)})`,
      `* Workload: ${text(load)}; placement ${code(question.placement)}, waiting ${waits}`,
      `* Measure: ${METRICS[question.optimize].noun}; two options are compared within the same rounds, so their ` +
        "ratio may differ from the quotient of their medians",
      `* A difference matters if it is more than ${shareOf(question)} of the time of a request ${work}`,
      `* Machine: ${text(machineSentence(environment))}; ipcmark ${text(environment.ipcmark)}`,
    ].join("\n"),
  ].join("\n\n");
}

function decision({ pick }: Decided, title: string): string {
  const { verdict, fastest } = pick;
  const isFastest = fastest === pick.transport || fastest === undefined || fastest === null;
  const because =
    verdict === "alone"
      ? "nothing else could be compared"
      : isFastest
        ? "no option is shown to be faster, and any simpler one is slower by an amount that matters"
        : `it is simpler than ${fastest}, the fastest option, whose advantage is not shown to matter`;
  return `## Decision Outcome\n\nChosen option: "${text(title)}", because ${text(because)}.\n\n${text(pick.sentence)}`;
}

/** Returns what each check found about the pick, and what the run leaves open. */
function consequences(evidence: Decided, question: FullQuestion, title: string, rivals: readonly string[]): string[] {
  const { pick, checks, candidates = [] } = evidence;
  const own = checks.filter(({ transport }) => transport === pick.transport);
  const cases = own.filter(({ kind, status }) => kind === "conformance" && status === "passed").length;
  const standing = candidates.find(({ transport }) => transport === pick.transport);
  const open = standing?.status === "in" ? standing.open : [];
  const judgement = judge(evidence, question, title, rivals);
  const unproven = { ...judgement, against: judgement.against.filter(({ outcome }) => outcome !== "holds") };
  return [
    ...(cases === 0 ? [] : [`* Good, because it passed ${count(cases, "conformance case")} of the contract`]),
    ...own.filter(isWorthALine).map(findingOf),
    ...open.map(({ need, reason }) => `* Bad, because nothing has shown the need ${code(need)}: ${text(reason)}`),
    ...(pick.flips ?? []).map(({ sentence }) => `* Neutral, because ${text(sentence)}`),
    ...(unproven.against.length === 0 ? [] : grounds(unproven, question)).map(
      (sentence) => `* Bad, because a recheck may end undecided: ${text(sentence)} A longer run would settle this.`,
    ),
  ];
}

/** True unless it is a case of the contract that passed or does not apply: those are counted, not listed. */
function isWorthALine({ kind, status }: CheckResult): boolean {
  return kind === "scenario" || !["passed", "not-applicable"].includes(status);
}

const WITHOUT_RESULT = {
  unavailable: "this machine could not examine",
  "not-examined": "this run did not examine",
  "not-applicable": "no claim of it is examined by",
} as const;

function findingOf({ status, scenario, title, reason = "no reason recorded" }: CheckResult): string {
  const check = `${code(scenario)} (${text(title)})`;
  if (status === "passed") return `* Good, because it passed ${check}`;
  if (status === "failed") return `* Bad, because it failed ${check}: ${text(reason)}`;
  return `* Neutral, because ${WITHOUT_RESULT[status]} ${check}: ${text(reason)}`;
}

const quoted = (path: string): string => (/\s/.test(path) ? `"${path}"` : path);

function confirmation(
  { pick: { mode, workload }, startedFrom }: Decided,
  question: FullQuestion,
  title: string,
  rivals: readonly string[],
  { path, gated }: RecordFrame,
): string {
  const messages = workload.recorded === undefined ? [] : [`--messages ${quoted(workload.recorded.name)}`];
  const gate = [
    `--base main --transport ${gated}`,
    ...messages,
    ...(workload.mix !== undefined || messages.length > 0 ? [] : [`--payload ${question.payloads.join(" ")}`]),
    `--placement ${question.placement} --mode ${mode}`,
  ];
  const recheck = [quoted(path), ...messages];
  const lines = [typed("gate", gate, startedFrom), typed("recheck", recheck, startedFrom)].map((words) =>
    words.join(" "),
  );
  const hasLoad = (workload.clients ?? 1) > 1 || (workload.ratePerSecond ?? null) !== null;
  const sends = hasLoad ? "; it sends the requests of one client, one after the other" : "";
  const measured = [title, ...rivals].map(code).join(", ");
  return [
    "### Confirmation",
    `The first command fails when a change of the code makes the chosen option slower${sends}. ` +
      `The second measures the options that decided again (${measured}). ` +
      "It ends with 0 if the decision still holds, 20 if another option wins, 21 if the run " +
      "cannot tell, and 22 if the conditions have changed.",
    ["```sh", ...lines, "```"].join("\n"),
  ].join("\n\n");
}

function prosAndCons(
  options: ReadonlyMap<string, Candidate>,
  { pick, ...evidence }: Decided,
  question: FullQuestion,
  out: Out,
): string {
  const [best] = options;
  const own = [...options].map(([title, candidate], index): string => {
    const { show, noun, more } = METRICS[question.optimize];
    const figures = `its ${noun} is ${figuresText(candidate.rows, show)}`;
    const found = best === undefined ? undefined : compareRounds(candidate.rounds, best[1].rounds);
    const times = found === undefined || index === 0 ? "" : `, ${timesAs(found, more, 2, best?.[0])}`;
    const isBehind = (found?.interval?.[0] ?? 0) > 1;
    const cost = costOf(candidate);
    const failed = evidence.checks.filter((check) => check.transport === candidate.name && check.status === "failed");
    return [
      `### ${text(title)}`,
      "",
      `* ${index === 0 ? "Good" : isBehind ? "Bad" : "Neutral"}, because ${text(figures + times)}`,
      ...(cost === undefined ? [] : [`* Neutral, because it costs ${text(cost)}`]),
      ...failed.map(findingOf),
    ].join("\n");
  });
  const { ruledOut } = pick;
  const absent = [
    ...ruledOutByNeeds(evidence).map((line) => `* ${text(line)}`),
    ...ruledOut.map(({ transport, reason }) => `* ${code(transport)} is ruled out: ${text(reason)}`),
    ...out.notExamined.map(({ transport, reason }) => `* ${code(transport)} was not examined here: ${text(reason)}`),
  ];
  const others = [...pick.alternatives, ...(pick.otherServers ?? [])].map(({ sentence }) => `* ${text(sentence)}`);
  const apart = others.length === 0 ? [] : [`### Not ranked with these\n\n${others.join("\n")}`];
  const rest = absent.length === 0 ? [] : [`### Not considered\n\n${absent.join("\n")}`];
  return ["## Pros and Cons of the Options", ...own, ...apart, ...rest].join("\n\n");
}

function more(evidence: Decided, { evidenceName, sha256 }: RecordFrame): string {
  const { environment, warnings, commandLine } = evidence;
  return [
    "## More Information",
    [
      `* Evidence: [${text(evidenceName)}](${encodeURI(evidenceName)}), SHA-256 \`${sha256}\``,
      `* Fingerprint: \`${environment.fingerprint}\` (${text(machineSentence(environment))})`,
      `* Command: ${code(commandLine)}; seed ${evidence.seed}`,
      ...warnings.map((warning) => `* Warning of the run: ${text(warning.text)}`),
    ].join("\n"),
  ].join("\n\n");
}
