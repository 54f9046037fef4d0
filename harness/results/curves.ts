import { hasNodeClient } from "./languages.ts";
import type { Curve, MeasuredRow, Measurement } from "./model.ts";

const VARIABLES = ["payloadBytes", "inFlight", "clients", "ratePerSecond"] as const;
type Variable = (typeof VARIABLES)[number];

/** Smallest number of points of a curve. */
const LEAST_POINTS = 3;
/** Median at the knee, as a multiple of that at the lowest rate. */
const KNEE_FACTOR = 3;
const FOLLOWED_SHARE = 0.95;

/** Makes curves of measured rows (of sizes, not kinds of values) that differ in one variable, three or more each. */
export function curvesOf(measurements: readonly Measurement[]): Curve[] {
  const measured = measurements
    .filter((row) => row.status === "measured")
    .filter((row) => row.corpus === undefined && hasNodeClient(row));
  return VARIABLES.flatMap((over) => {
    const groups = new Map<string, MeasuredRow[]>();
    for (const row of measured) {
      if (row[over] === null) continue;
      const key = JSON.stringify([
        row.benchmark,
        row.transport,
        row.mode,
        row.placement,
        row.peer.language,
        fixedOf(row, over),
      ]);
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    return [...groups.values()].filter(isCurve(over)).map((rows) => curveOf(rows, over));
  });
}

function isCurve(over: Variable): (rows: readonly MeasuredRow[]) => boolean {
  return (rows) => new Set(rows.map((row) => row[over])).size >= LEAST_POINTS;
}

/** Returns all that is fixed on the line of a row, as in `Curve.fixed`. */
export function fixedOf(row: Measurement, over: Variable): string {
  const parts: string[] = [];
  if (over !== "payloadBytes") parts.push(`${row.payloadBytes} B`);
  if (over !== "inFlight" && row.inFlight !== 1) parts.push(`${row.inFlight} in flight`);
  if (over !== "clients" && row.clients !== 1) parts.push(`${row.clients} clients`);
  if (over !== "ratePerSecond" && row.ratePerSecond !== null) parts.push(`${row.ratePerSecond}/s`);
  if (row.arrivals !== undefined) parts.push(row.arrivals);
  if (row.batched) parts.push("batched");
  return parts.join(", ");
}

function curveOf(rows: readonly MeasuredRow[], over: Variable): Curve {
  const first = rows[0] as MeasuredRow;
  const sorted = [...rows].sort((a, b) => (a[over] ?? 0) - (b[over] ?? 0));
  const points = sorted.map((row) => ({
    x: row[over] ?? 0,
    p50: row.latencyNs?.p50 ?? null,
    p99: row.latencyNs?.p99 ?? null,
    interval: row.interval.p50 ?? row.interval.messagesPerSecond ?? null,
    messagesPerSecond: row.messagesPerSecond,
  }));
  const fit = over === "payloadBytes" ? fitLine(points) : undefined;
  return {
    benchmark: first.benchmark,
    transport: first.transport,
    mode: first.mode,
    placement: first.placement,
    peer: first.peer.language,
    over,
    fixed: fixedOf(first, over),
    points,
    ...(fit === undefined ? {} : { fit }),
    ...(over === "ratePerSecond" ? { kneePerSecond: kneeOf(sorted) } : {}),
  };
}

/** Returns the last of ascending rates that was followed, before the median passed {@link KNEE_FACTOR}; else null. */
export function kneeOf(sorted: readonly MeasuredRow[]): number | null {
  const base = sorted[0]?.latencyNs?.p50;
  let knee: number | null = null;
  for (const { ratePerSecond, latencyNs, messagesPerSecond } of sorted) {
    if (base === undefined || ratePerSecond === null || latencyNs === undefined || messagesPerSecond === null) break;
    if (latencyNs.p50 >= KNEE_FACTOR * base || messagesPerSecond < FOLLOWED_SHARE * ratePerSecond) break;
    knee = ratePerSecond;
  }
  return knee;
}

/** Fits cost = a + b * bytes by least squares with weights 1/cost², so that all sizes count alike; not below zero. */
export function fitLine(
  points: readonly { readonly x: number; readonly p50: number | null }[],
): { fixedNs: number; nsPerByte: number } | undefined {
  const known = points.flatMap(({ x, p50 }) => (p50 === null ? [] : [{ x, y: p50, w: 1 / (p50 * p50) }]));
  if (known.length < LEAST_POINTS) return undefined;
  const total = (of: (point: { x: number; y: number; w: number }) => number): number =>
    known.reduce((sum, point) => sum + of(point), 0);
  const w = total((point) => point.w);
  const meanX = total((point) => point.w * point.x) / w;
  const meanY = total((point) => point.w * point.y) / w;
  const slope =
    total((point) => point.w * (point.x - meanX) * (point.y - meanY)) /
    total((point) => point.w * (point.x - meanX) ** 2);
  return { fixedNs: Math.max(0, meanY - slope * meanX), nsPerByte: Math.max(0, slope) };
}
