import {
  ABSENT,
  count,
  duration,
  durationRange,
  quantity,
  quantityRange,
  ratio,
  ratioRange,
} from "../harness/results/format.ts";
import { ofNodeClients } from "../harness/results/languages.ts";
import type { CheckResult, Report } from "../harness/results/model.ts";
import { type Block, blocksOf, type MissingRow, type PlainRow, sizeOfBlock } from "./blocks.ts";
import { type ChangeLine, changesText } from "./changes.ts";
import { checkRowName, checkSummary } from "./check-groups.ts";
import { claimLines, claimsSummary } from "./claims.ts";
import { CLASS_LABELS, MODE_LABELS, noPickReason, OTHER_SERVER, placementTitle, quickNote } from "./labels.ts";
import { markdownCode as code, markdownText as text } from "./markdown-text.ts";
import { missingText, p99Text } from "./missing.ts";
import { pairTables } from "./pairs.ts";

/** Largest summary. `$GITHUB_STEP_SUMMARY` refuses more than 1 MiB a step; the rest is left to other writers. */
const LIMIT_BYTES = 960 * 1024;
const STANDINGS = { best: "best", tied: "not distinguishable", behind: "", unknown: "too few rounds to tell" } as const;

/** Writes a summary for a pull request or a CI step: verdict, failures, folded tables. Always under 1 MiB. */
export function renderMarkdown(whole: Report): string {
  const report = ofNodeClients(whole);
  const parts = [
    verdict(report),
    claims(report),
    changes(report),
    checks(report),
    ...tables(report),
    ...pairs(whole),
    foot(report),
  ].filter((part) => part !== "");
  const kept: string[] = [];
  let size = 0;
  for (const part of parts) {
    size += Buffer.byteLength(part) + 2;
    if (size > LIMIT_BYTES) {
      kept.push("_Cut here: the rest does not fit into a summary. report.json and report.html are complete._");
      break;
    }
    kept.push(part);
  }
  return `${kept.join("\n\n")}\n`;
}

function verdict(report: Report): string {
  const { pick, warnings, measurements } = report;
  const lines = ["## ipcmark"];
  if (pick) lines.push("", `**${text(pick.sentence)}**`);
  else if (measurements.length > 0 && report.claims === undefined)
    lines.push("", `**No pick: ${noPickReason(report)}.**`);
  if (pick?.ties?.length && pick.verdict !== "cannot-tell")
    lines.push("", `Not distinguishable from it at 95 %: ${pick.ties.map(code).join(", ")}.`);
  if (pick?.alternatives?.length || pick?.otherServers?.length) lines.push("");
  for (const other of pick?.alternatives ?? [])
    lines.push(`- ${MODE_LABELS[other.mode] ?? text(other.mode)}: ${code(other.transport)}. ${text(other.sentence)}`);
  for (const other of pick?.otherServers ?? []) lines.push(`- ${OTHER_SERVER}: ${text(other.sentence)}`);
  for (const warning of [quickNote(report), ...warnings.map((one) => one.text)].filter(Boolean))
    lines.push("", `> ${text(warning)}`);
  return lines.join("\n");
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
  return `**${text(claimsSummary(lines))}**\n\n${tableOf(["claim", "verdict", "figures"], rows)}`;
}

/** Writes what changed since the report of `--against`. */
function changes({ against }: Report): string {
  if (against === undefined) return "";
  const { head, sentences, changed, notToldApart, notComparable } = changesText(against);
  const others = notComparable.map(({ name, cell, reason }) => [code(name), text(cell), text(reason)]);
  return [
    `**${text(head)}**`,
    ...sentences.map(text),
    ...(changed.length === 0 ? [] : [tableOf(CHANGE_HEAD, changed.map(changeCells))]),
    ...folded("not told apart", CHANGE_HEAD, notToldApart.map(changeCells)),
    ...folded("not comparable", ["mechanism", "cell", "not comparable because"], others),
  ].join("\n\n");
}

const CHANGE_HEAD = ["mechanism", "cell", "before", "now", "now / before", "rounds", "verdict"];

function changeCells({ name, cell, before, now, ratio: times, pairing, verdict: found }: ChangeLine): string[] {
  return [code(name), text(cell), before, now, times, pairing, found];
}

function folded(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const summary = `${count(rows.length, "cell")} ${title}`;
  return [`<details><summary>${summary}</summary>\n\n${tableOf(head, rows)}\n\n</details>`];
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function checks(report: Report): string {
  if (report.checks.length === 0) return "";
  const failed = report.checks.filter((check) => check.status === "failed");
  return [`**Checks:** ${checkSummary(report)}`, ...failed.map(failure)].join("\n");
}

function failure(check: CheckResult): string {
  const reason = text(check.reason ?? check.error ?? "no reason recorded");
  return `- ✗ ${code(checkRowName(check))} ${code(check.scenario)}: ${reason}`;
}

/** Writes one table per block; those of the pick's placement and class are open, since the verdict rests on them. */
function tables(report: Report): string[] {
  const { pick } = report;
  return blocksOf(report).map((block) => {
    const title = [
      placementTitle(block.placement, report.environment ?? {}),
      CLASS_LABELS[block.waits] ?? block.mode,
      [block.benchmark, block.variant].filter(Boolean).join(", "),
      sizeOfBlock(block),
    ].filter(Boolean);
    const open = block.placement === pick?.placement && block.mode === pick?.mode ? " open" : "";
    return `<details${open}><summary>${text(title.join(" · "))}</summary>\n\n${table(block)}\n\n</details>`;
  });
}

/** Writes a folded table of the pairs of languages for each placement. */
function pairs(report: Report): string[] {
  return pairTables(report).map(({ title, columns, mechanisms }) => {
    const head = ["mechanism", "client → server", "waits", ...columns];
    const rows = mechanisms.flatMap(({ transport, lines }) =>
      lines.map(({ name, waits, cells, reason = "" }) => [
        code(transport),
        ...[name, waits, ...(cells ?? [reason, ...Array<string>(columns.length - 1).fill(ABSENT)])].map(text),
      ]),
    );
    const lines = [head, head.map((_, at) => (at < 3 ? "---" : "--:")), ...rows];
    const body = lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
    return `<details><summary>${text(`pairs of languages · ${title}`)}</summary>\n\n${body}\n\n</details>`;
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
  const lines = [head, head.map((_, at) => (at === 0 || at === 7 ? "---" : "--:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
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

function foot(report: Report): string {
  const { cpuModel, cpus, node, kernel } = report.environment ?? {};
  const facts = [cpuModel, cpus && count(cpus, "CPU"), kernel, node && `Node ${node}`, `seed ${report.seed}`];
  return `<sub>${facts.filter(Boolean).map(String).map(text).join(" · ")}</sub>`;
}
