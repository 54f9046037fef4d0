import { ABSENT, duration, percent, recordedText } from "../harness/results/format.ts";
import type { GroupFigures, MeasuredRow, Report } from "../harness/results/model.ts";
import { CLASS_LABELS, classOf, PLACEMENT_ORDER, placementTitle, rowName } from "./labels.ts";
import { missingText } from "./missing.ts";

export const RECORDED_NOTE =
  "Latencies of the recorded messages, replayed in their order in whole passes, every byte of every reply compared. " +
  "Medians over trials, with the distance to the farther end of their 95 % interval. A p99 needs 2000 messages in " +
  "all trials and 300 in each.";

/** Latencies of all messages, or of one group. */
export interface RecordedLine {
  readonly name: string;
  /** Texts: share of the messages, p50, p99. */
  readonly cells: readonly [share: string, p50: string, p99: string];
}

/** One mechanism: all messages, then each group. */
export interface RecordedRow {
  readonly transport: string;
  readonly all: RecordedLine;
  readonly groups: readonly RecordedLine[];
}

/** Mechanisms with the same messages, placement, way of waiting, clients and rate. */
export interface RecordedTable {
  readonly title: string;
  readonly rows: readonly RecordedRow[];
  /** Mechanisms without figures, such as one for which a message is too large. */
  readonly missing: readonly { readonly transport: string; readonly reason: string }[];
}

/** Returns a table for each placement, class and load in which recorded messages were replayed. */
export function recordedTables({ measurements, environment }: Report): RecordedTable[] {
  const rows = measurements.filter(({ recorded }) => recorded !== undefined);
  const titled = Map.groupBy(rows, (row) => {
    const { recorded, placement, mode, peer, clients, ratePerSecond, codec } = row;
    const waits = CLASS_LABELS[classOf(mode, peer?.language)];
    const load = [clients > 1 ? `${clients} clients` : "", ratePerSecond === null ? "" : `${ratePerSecond}/s`];
    const about = recorded === undefined ? "" : `${recordedText(recorded)} (SHA-256 ${recorded.sha256.slice(0, 12)}…)`;
    const where = placementTitle(placement, environment);
    return [about, where, waits, codec === "raw" ? "" : codec, ...load].filter(Boolean).join(" · ");
  });
  return [...titled]
    .map(([title, found]) => ({
      title,
      rank: PLACEMENT_ORDER.indexOf(found[0]?.placement ?? "unpinned"),
      rows: found
        .filter((row) => row.status === "measured")
        .toSorted((a, b) => p50Of(a) - p50Of(b))
        .map(rowOf),
      missing: found
        .filter((row) => row.status !== "measured")
        .map((row) => ({ transport: rowName(row), reason: missingText(row) })),
    }))
    .toSorted((a, b) => a.rank - b.rank);
}

const p50Of = ({ latencyNs }: MeasuredRow): number => latencyNs?.p50 ?? Number.POSITIVE_INFINITY;

function rowOf(row: MeasuredRow): RecordedRow {
  const { latencyNs, interval, groups = [] } = row;
  const total = latencyNs?.count ?? 0;
  const all = latencyNs === undefined ? ([ABSENT, ABSENT] as const) : timesOf({ latencyNs, interval });
  return {
    transport: rowName(row),
    all: { name: "all", cells: ["", ...all] },
    groups: groups.map((group) => ({
      name: group.name,
      cells: [percent(group.latencyNs.count / Math.max(1, total)), ...timesOf(group)],
    })),
  };
}

function timesOf({
  latencyNs,
  interval = {},
}: Pick<GroupFigures, "latencyNs" | "interval">): readonly [string, string] {
  return [timeOf(latencyNs.p50, interval.p50), timeOf(latencyNs.p99, interval.p99)];
}

/** Formats a quantile: `19.2 µs ±5 %`. */
function timeOf(value: number | undefined, interval: readonly [number, number] | undefined): string {
  if (value === undefined) return ABSENT;
  if (interval === undefined) return duration(value);
  const half = Math.ceil((100 * Math.max(interval[1] - value, value - interval[0])) / value);
  return `${duration(value)} ${`±${half} %`.padStart(6)}`;
}
