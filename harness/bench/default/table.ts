import { duration } from "../../results/format.ts";
import { machineSentence } from "../../results/machine-sentence.ts";
import type { Report } from "../../results/model.ts";
import { median } from "../../results/quantiles.ts";
import { phasesOf } from "./cells.ts";
import type { Evidence, Row } from "./evidence.ts";

/** Formats workload, machine and parts of the run time, then one line for each row. */
export function tableOf(evidence: Evidence, rows: readonly Row[], showsCells: boolean): string {
  const lines = [...headOf(evidence), ""];
  const width = (of: (row: Row) => string): number => Math.max(...rows.map((row) => of(row).length));
  const [what, seen, promised] = [width((row) => row.what), width((row) => row.seen), width((row) => row.promised)];
  for (const row of rows) {
    const { letter, verdict, cells } = row;
    const columns = [row.what.padEnd(what), row.seen.padEnd(seen), row.promised.padEnd(promised)];
    lines.push(`${letter}  ${columns.join("  ")}  ${verdict}`);
    if (showsCells && cells !== undefined) lines.push(...cellLines(cells));
  }
  return `${lines.join("\n")}\n`;
}

function headOf(evidence: Evidence): string[] {
  const { plain, reference, busy, slow } = evidence;
  const all = [...plain, ...reference, ...busy, ...slow].map(({ report }) => report);
  const [first] = all.toSorted((a, b) => a.startedAt.localeCompare(b.startedAt));
  if (first === undefined) return ["no runs"];
  const { environment } = first;
  const machines = new Set(all.map((report) => machineSentence(report.environment)));
  const counts = `${plain.length} plain, ${busy.length} with a busy loop on each CPU`;
  const runs = `${counts}, ${slow.length} with a slow copy of unix`;
  return [
    [...machines].join("; and "),
    `load before the start ${environment.loadAverage1.toFixed(2)}; ${first.startedAt.slice(0, 10)}`,
    `runs: ${runs}; ${referenceSentence(reference.map(({ report }) => report))}`,
    ...phaseLine(plain),
    ...controlLine(evidence),
  ];
}

function referenceSentence(reports: readonly Report[]): string {
  const measured = reports.flatMap(({ measurements }) => measurements.filter(({ status }) => status === "measured"));
  if (measured.length === 0) return "no reference";
  const byCount = Map.groupBy(measured, ({ messages }) => messages ?? 0);
  const parts = [...byCount].toSorted(([a], [b]) => b - a).map(([messages, rows]) => `${messages} in ${namesOf(rows)}`);
  return `messages of the reference: ${parts.join("; ")}`;
}

function namesOf(rows: Report["measurements"]): string {
  return [...new Set(rows.map(({ transport }) => transport))].join(", ");
}

function phaseLine(plain: Evidence["plain"]): string[] {
  const all = plain.flatMap(({ report, wallMs }) => phasesOf(report, wallMs) ?? []);
  const names = [...(all[0]?.keys() ?? [])];
  if (names.length === 0) return [];
  const seconds = (name: string): string => (median(all.flatMap((phases) => phases.get(name) ?? [])) / 1000).toFixed(1);
  const rounds = median(plain.map(({ report }) => report.duration?.rounds ?? 0));
  return [`time of a plain run, s: ${names.map((name) => `${name} ${seconds(name)}`).join(", ")}; ${rounds} rounds`];
}

/** Reports the frozen echo: if the machine changed its speed before the reference, the ratios of b and c change. */
function controlLine({ plain, reference }: Evidence): string[] {
  const controls = (runs: Evidence["plain"]): number[] =>
    runs.flatMap(({ report }) => report.controls?.["same-cpu"]?.p50 ?? []);
  const ofReference = controls(reference);
  const ofRuns = controls(plain);
  if (ofReference.length === 0 || ofRuns.length === 0) return [];
  const span = (values: readonly number[]): string =>
    `${duration(Math.min(...values))} to ${duration(Math.max(...values))}`;
  return [`frozen echo, one CPU: ${span(ofRuns)} in the plain runs, ${span(ofReference)} in the reference`];
}

function cellLines(cells: NonNullable<Row["cells"]>): string[] {
  return [...cells].toSorted(([, a], [, b]) => b - a).map(([name, figure]) => `     ${figure.toFixed(3)}  ${name}`);
}
