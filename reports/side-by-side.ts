import { count, duration, quantity, ratio } from "../harness/results/format.ts";
import { ofNodeClients } from "../harness/results/languages.ts";
import type { Environment, Report } from "../harness/results/model.ts";
import { type Block, blocksOf, type PlainRow, type RankedRow, sizeOfBlock } from "./blocks.ts";
import { CLASS_LABELS, interruption, noPickReason, PLACEMENT_LABELS } from "./labels.ts";

/** One report, and the name that tells its machine apart from the others. */
export interface MachineReport {
  readonly name: string;
  readonly report: Report;
}

/** One kind of cells; each machine has a column of its own, and no figure of two machines is compared. */
export interface SideBySideTable {
  readonly title: string;
  /** Transports by name, never by figure: that would rank across machines. Cells are in the order of the machines. */
  readonly rows: readonly (readonly [transport: string, ...cells: string[]])[];
}

/** How to read the tables; stands above them in every format. */
export const READ_BY_COLUMN =
  "Read each column by itself. Times of two machines are not compared, and no mechanism is ranked across machines. " +
  "The multiple in brackets is that of the best of the same column.";

const ABSENT = "–";

/** Returns the tables of several machines; a cell has its figure and its multiple of the best of the same machine. */
export function sideBySide(machines: readonly MachineReport[]): SideBySideTable[] {
  const columns = machines.map(
    ({ report }) => new Map(blocksOf(ofNodeClients(report)).map((one) => [titleOf(one), one])),
  );
  const titles = [...new Set(columns.flatMap((blocks) => [...blocks.keys()]))];
  return titles.map((title) => {
    const cells = columns.map((blocks) => cellsOf(blocks.get(title)));
    const names = [...new Set(cells.flatMap((column) => [...column.keys()]))].sort();
    return { title, rows: names.map((name) => [name, ...cells.map((column) => column.get(name) ?? ABSENT)] as const) };
  });
}

function titleOf(block: Block): string {
  const { placement, waits, benchmark, variant, metric } = block;
  const what = metric === "p50" ? "median" : "messages per second";
  const parts = [
    PLACEMENT_LABELS[placement] ?? placement,
    CLASS_LABELS[waits],
    benchmark,
    variant,
    sizeOfBlock(block),
    what,
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

function cellsOf(block: Block | undefined): Map<string, string> {
  if (block === undefined) return new Map();
  const figure = (value: number | null | undefined): string =>
    block.metric === "p50" ? duration(value) : `${quantity(value)}/s`;
  const plain = ({ cell }: PlainRow): number | null | undefined =>
    block.metric === "p50" ? cell.latencyNs?.p50 : cell.messagesPerSecond;
  return new Map([
    ...block.ranked.map((row) => [row.name, `${figure(row.value)} ${standingOf(row)}`] as const),
    ...block.baselines.map((row) => [row.name, `${figure(plain(row))} (baseline)`] as const),
    ...block.missing.map(({ name, cell }) => [name, cell.status] as const),
  ]);
}

function standingOf({ ratio: times, standing }: RankedRow): string {
  const marks = { best: "", behind: "", tied: " tie", unknown: " ?" } as const;
  return `(${ratio(times)}${marks[standing]})`;
}

/** Returns the identity of a machine in one line; never a host name. */
export function machineLine({ cpuModel, cpus, platform, kernel, node }: Environment): string {
  const system = [platform, /^\d+\.\d+/.exec(kernel ?? "")?.[0]].filter(Boolean).join(" ");
  return [cpuModel, cpus && count(cpus, "CPU"), system, node && `Node ${node}`].filter(Boolean).join(", ");
}

/** Returns the answer of one machine: its sentence, or why it has none. */
export function answerOf(report: Report): string {
  const partial = interruption(report);
  if (report.question === undefined && report.pick === null) return "no pick was asked for";
  if (report.pick === null) return `no pick: ${noPickReason(report)}`;
  return partial === undefined ? report.pick.sentence : `${report.pick.sentence} (${partial})`;
}

/** Returns sentences on what keeps the machines from being read side by side as they are. */
export function cautions(machines: readonly MachineReport[]): string[] {
  const found: string[] = [];
  const questions = new Set(machines.map(({ report }) => JSON.stringify(report.question ?? null)));
  if (questions.size > 1)
    found.push("the machines were asked different questions, so their picks answer different ones");
  const versions = [...new Set(machines.map(({ report }) => report.environment.ipcmark))];
  if (versions.length > 1) found.push(`the reports are of different versions of ipcmark: ${versions.join(", ")}`);
  for (const [index, { name, report }] of machines.entries()) {
    const print = report.environment.fingerprint;
    const twin = machines.slice(0, index).find((other) => other.report.environment.fingerprint === print);
    if (print !== undefined && twin !== undefined)
      found.push(`${twin.name} and ${name} have the same hardware and setting: they may be one machine`);
  }
  return found;
}
