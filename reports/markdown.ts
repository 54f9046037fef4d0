import { commandAgain } from "../harness/results/command-line.ts";
import {
  ABSENT,
  count,
  duration,
  durationRange,
  oneLine,
  quantity,
  quantityRange,
  ratio,
  ratioRange,
} from "../harness/results/format.ts";
import { ofNodeClients } from "../harness/results/languages.ts";
import type { CheckResult, Report } from "../harness/results/model.ts";
import { type Block, blocksOf, type MissingRow, type PlainRow, sizeOfBlock } from "./blocks.ts";
import { type ChangeLine, type ChangesText, changesText } from "./changes.ts";
import { checkMatrix, checkRowName, checkSummary, countStatus, failedChecks, reasonsByText } from "./check-groups.ts";
import { claimLines, claimsSummary } from "./claims.ts";
import { CODEC_COLUMNS, codecGroups } from "./codec-table.ts";
import {
  baselineIds,
  CLASS_LABELS,
  MODE_LABELS,
  noPickReason,
  OTHER_SERVER,
  placementTitle,
  quickNote,
} from "./labels.ts";
import { folded, markdownCode, markdownText, tableOf } from "./markdown-text.ts";
import { missingText, p99Text } from "./missing.ts";
import { pairTables } from "./pairs.ts";
import { ruledOutByNeeds } from "./ruled-out.ts";
import { firstLines, PULL_REQUEST_BYTES, type Section, sectionsWithin } from "./sections-within.ts";

const STANDINGS = { best: "best", tied: "not distinguishable", behind: "", unknown: "too few rounds to tell" } as const;
/** Largest number of lines in a list, and of characters in one text: neither may fill the summary alone. */
const MOST_LINES = 10;
const MOST_FAILURES = 20;
const LONGEST = 500;
const LONGEST_NAME = 120;
const LONGEST_SENTENCE = 1500;

const text = (value: string): string => markdownText(shortened(value, LONGEST));
const code = (value: string): string => markdownCode(shortened(value, LONGEST_NAME));

function shortened(value: string, most: number): string {
  const line = oneLine(value);
  return line.length <= most ? line : `${line.slice(0, most).toWellFormed()}…`;
}

/**
 * Writes a report as markdown for a pull request or a CI step: verdict, what is out, failures, folded tables. Whole
 * sections are left out from the end where the text would be too large, and named.
 *
 * @param limitBytes size of the text in UTF-8 that is never reached, at least 20,000
 */
export function renderMarkdown(whole: Report, limitBytes: number = PULL_REQUEST_BYTES): string {
  const report = ofNodeClients(whole);
  const changed = report.against && changesText(report.against);
  const sections: Section[] = [
    { name: "the verdict", text: verdict(report) },
    { name: "the run", text: theRun(report) },
    { name: "warnings", text: firstLines(warningLines(report), MOST_LINES).join("\n>\n") },
    { name: "what is out", text: firstLines(outLines(report), MOST_LINES).join("\n") },
    { name: "claims", text: claims(report) },
    { name: "what changed", text: changes(changed) },
    { name: "failed checks", text: checks(report) },
    { name: "checks by mechanism", text: checkTable(report) },
    ...tables(report),
    ...unchanged(changed),
    ...pairs(whole),
    ...codecs(report),
  ];
  return sectionsWithin(sections, limitBytes, "report.json and report.html have all of it.");
}

function verdict(report: Report): string {
  const { pick, measurements } = report;
  const lines = ["## ipcmark"];
  if (pick) lines.push("", `**${markdownText(shortened(pick.sentence, LONGEST_SENTENCE))}**`);
  else if (measurements.length > 0 && report.claims === undefined)
    lines.push("", `**No pick: ${text(noPickReason(report))}.**`);
  if (pick?.ties?.length && pick.verdict !== "cannot-tell")
    lines.push("", `Not distinguishable from the pick at 95 %: ${named(pick.ties)}.`);
  if (pick?.immaterial?.length)
    lines.push("", `Told from the pick, without a difference that is shown to matter: ${named(pick.immaterial)}.`);
  const others = [
    ...(pick?.alternatives ?? []).map(
      ({ mode, transport, sentence }) => `- ${MODE_LABELS[mode] ?? text(mode)}: ${code(transport)}. ${text(sentence)}`,
    ),
    ...(pick?.otherServers ?? []).map(({ sentence }) => `- ${OTHER_SERVER}: ${text(sentence)}`),
  ];
  if (others.length > 0) lines.push("", ...firstLines(others, MOST_LINES));
  return lines.join("\n");
}

/** Lists ids; those beyond the first ones are counted. */
function named(ids: readonly string[]): string {
  const more = ids.length - MOST_LINES;
  return [...ids.slice(0, MOST_LINES).map(code), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

/** Writes machine and seed, and the command that repeats the run. */
function theRun(report: Report): string {
  const { cpuModel, cpus, node, kernel } = report.environment ?? {};
  const facts = [cpuModel, cpus && count(cpus, "CPU"), kernel, node && `Node ${node}`, `seed ${report.seed}`];
  const again = commandAgain(report) ?? "";
  const lines = [`<sub>${facts.filter(Boolean).map(String).map(text).join(" · ")}</sub>`];
  // Never cut: half a command is another command.
  const isShown = again !== "" && again.length <= LONGEST_SENTENCE;
  return [...lines, ...(isShown ? ["", `Again: ${markdownCode(again)}`] : [])].join("\n");
}

function warningLines(report: Report): string[] {
  return [quickNote(report), ...report.warnings.map((one) => one.text)]
    .filter(Boolean)
    .map((line) => `> ${text(line)}`);
}

/** Lists what is no candidate: ruled out by what it did, left out by needs, or not examined by this machine or run. */
function outLines(report: Report): string[] {
  const { ruledOut = [], notExamined = [] } = report.pick ?? {};
  return [
    ...ruledOut.map(({ transport, reason }) => `- ruled out: ${code(transport)}: ${text(reason)}`),
    ...notExamined.map(({ transport, reason }) => `- not examined here: ${code(transport)}: ${text(reason)}`),
    ...ruledOutByNeeds(report).map((line) => `- ${text(line)}`),
  ];
}

/** Writes the claims that the run tested, each with its verdict and figures. */
function claims(report: Report): string {
  const lines = claimLines(report);
  if (lines.length === 0) return "";
  const rows = lines.map(({ text: claim, mark, verdict, parts, origin }) => [
    `${text(claim)}<br><sub>${text(origin)}</sub>`,
    `${mark} ${text(verdict)}`,
    parts.map(text).join("<br>"),
  ]);
  return [`**${text(claimsSummary(lines))}**`, "", tableOf(["claim", "verdict", "figures"], [0, 1, 2], rows)].join(
    "\n",
  );
}

/** Writes what changed since the report of `--against`. */
function changes(found: ChangesText | undefined): string {
  if (found === undefined) return "";
  const { head, sentences, changed } = found;
  const table = changed.length === 0 ? [] : [tableOf(CHANGE_HEAD, CHANGE_TEXTS, changed.map(changeCells))];
  return [`**${text(head)}**`, ...sentences.map(text), ...table].join("\n\n");
}

const CHANGE_HEAD = ["mechanism", "cell", "before", "now", "now / before", "rounds", "verdict"];
const CHANGE_TEXTS = [0, 1, 5, 6];

function changeCells({ name, cell, before, now, ratio: times, pairing, verdict: found }: ChangeLine): string[] {
  return [code(name), text(cell), before, now, times, pairing, found];
}

/** Writes folded tables of the cells that did not change as far as the run shows, and of those not comparable. */
function unchanged(found: ChangesText | undefined): Section[] {
  if (found === undefined) return [];
  const { notToldApart, notComparable } = found;
  const others = notComparable.map(({ name, cell, reason }) => [code(name), text(cell), text(reason)]);
  const section = (title: string, head: readonly string[], texts: readonly number[], rows: string[][]): Section[] => {
    const name = `${count(rows.length, "cell")} ${title}`;
    return rows.length === 0 ? [] : [{ name, text: folded(name, tableOf(head, texts, rows)) }];
  };
  return [
    ...section("not told apart", CHANGE_HEAD, CHANGE_TEXTS, notToldApart.map(changeCells)),
    ...section("not comparable", ["mechanism", "cell", "not comparable because"], [0, 1, 2], others),
  ];
}

function checks(report: Report): string {
  if (report.checks.length === 0) return "";
  const failed = failedChecks(report.checks).map(failure);
  return [`**Checks:** ${checkSummary(report)}`, ...firstLines(failed, MOST_FAILURES)].join("\n");
}

function failure(check: CheckResult): string {
  const reason = text(check.reason ?? check.error ?? "no reason recorded");
  return `- ✗ ${code(checkRowName(check))} ${code(check.scenario)}: ${reason}`;
}

const STATUSES = ["failed", "passed", "not-applicable", "not-examined", "unavailable"] as const;

/** Counts the checks of each mechanism, and gives the reasons of those that this machine could not run. */
function checkTable({ checks: all, transports }: Report): string {
  if (all.length === 0) return "";
  const shown = STATUSES.filter((status) => status !== "not-examined" || countStatus(all, status) > 0);
  const baselines = baselineIds({ transports });
  const matrix = checkMatrix(all).rows.toSorted(
    (a, b) => Number(baselines.has(a.name)) - Number(baselines.has(b.name)),
  );
  const rows = matrix.map(({ name, results }) => [
    code(name),
    ...shown.map((status) => String(countStatus(results.values(), status))),
  ]);
  const reasons = reasonsByText(all, "unavailable").map(
    ({ reason, transports }) => `- unavailable here: ${named(transports)}: ${text(reason)}`,
  );
  const head = ["mechanism", ...shown.map((status) => status.replace("-", " "))];
  const list = reasons.length === 0 ? "" : `\n\n${firstLines(reasons, MOST_LINES).join("\n")}`;
  return folded("checks by mechanism", tableOf(head, [0], rows) + list);
}

/** Writes a table for each block. Those on which the pick rests (its placement and class) are first and unfolded. */
function tables(report: Report): Section[] {
  const { pick } = report;
  const isOpen = ({ placement, mode }: Block): boolean => placement === pick?.placement && mode === pick?.mode;
  const blocks = blocksOf(report).toSorted((a, b) => Number(isOpen(b)) - Number(isOpen(a)));
  return blocks.map((block) => {
    const title = [
      placementTitle(block.placement, report.environment ?? {}),
      CLASS_LABELS[block.waits] ?? block.mode,
      [block.benchmark, block.variant].filter(Boolean).join(", "),
      sizeOfBlock(block),
    ].filter(Boolean);
    const name = title.join(" · ");
    return { name, text: folded(name, table(block), isOpen(block)) };
  });
}

/** Writes a folded table of the pairs of languages for each placement. */
function pairs(report: Report): Section[] {
  return pairTables(report).map(({ title, columns, mechanisms }) => {
    const rows = mechanisms.flatMap(({ transport, lines }) =>
      lines.map(({ name, waits, cells, reason = "" }) => [
        code(transport),
        ...[name, waits, ...(cells ?? [reason, ...Array<string>(columns.length - 1).fill(ABSENT)])].map(text),
      ]),
    );
    const name = `pairs of languages · ${title}`;
    return {
      name,
      text: folded(name, tableOf(["mechanism", "client → server", "waits", ...columns], [0, 1, 2], rows)),
    };
  });
}

/** Writes a folded table of the codecs alone for each kind of value. */
function codecs(report: Report): Section[] {
  const [first, ...columns] = CODEC_COLUMNS;
  return codecGroups(report).map(({ title, lines }) => {
    const rows = lines.map(({ name, unsteady, cells, reason = "" }) => [
      code(name) + (unsteady ? " ⚠" : ""),
      ...(cells ?? [reason, ...Array<string>(columns.length - 1).fill(ABSENT)]).map(text),
    ]);
    const name = `codecs alone · ${title}`;
    return { name, text: folded(name, tableOf([first, ...columns], [0], rows)) };
  });
}

function table(block: Block): string {
  const head = ["transport", "p50", "95 % interval", "p99", "messages/s", "CPU/message", "ratio", ""];
  const rows = [
    ...block.ranked.map((row) => [
      ...numbers(row),
      ranged(ratio(row.ratio), ratioRange(row.interval)),
      STANDINGS[row.standing],
    ]),
    ...block.missing.map((row) => [code(row.name), ...missing(row)]),
    ...block.baselines.map((row) => [...numbers(row), ABSENT, "baseline"]),
  ];
  return tableOf(head, [0, head.length - 1], rows);
}

function numbers({ name, cell, throughput }: PlainRow): string[] {
  const p50 = cell.latencyNs?.p50;
  const rate = throughput.messagesPerSecond;
  return [
    code(name),
    duration(p50),
    p50 === undefined ? ABSENT : durationRange(cell.interval.p50, p50),
    p99Text(cell),
    ranged(quantity(rate), quantityRange(throughput.interval, rate ?? 0)),
    duration(cell.cpuNsPerMessage),
  ];
}

/** Formats a value with its range: `1.08× (1.04–1.12)`. */
function ranged(value: string, range: string): string {
  return range === ABSENT ? value : `${value} (${range})`;
}

function missing({ cell, loads }: MissingRow): string[] {
  return [...Array<string>(6).fill(ABSENT), text(missingText(cell, loads))];
}
