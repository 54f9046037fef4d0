/** Lines of the charts over size and load: which cells are on one, where its rows change places, and its knees. */
import { fixedOf } from "../../harness/results/curves.ts";
import type { Curve, Measurement, Placement, ValidTrial } from "../../harness/results/model.ts";
import { median } from "../../harness/results/quantiles.ts";
import { roundsOf } from "../../harness/results/ranking.ts";
import { type Crossing, crossingsOf, crossingText, type Line, type Varied } from "../crossings.ts";
import { variantOf, type WaitClass } from "../labels.ts";

/** Cells that differ in one quantity only, of all mechanisms. */
export interface ViewLine {
  readonly over: Varied;
  readonly placement: Placement;
  readonly mode: WaitClass;
  /** Benchmarks with their variants that the line goes through. */
  readonly benchmarks: readonly string[];
  /** Size of the messages; null where it is what varies. */
  readonly payload: number | null;
  readonly crossings: readonly (Crossing & { readonly text: string })[];
  /**
   * Highest rate that each row followed; null where none. Rows that were not judged are left out. `isHighest`: no
   * higher rate was offered, so the knee is beyond.
   */
  readonly knees: readonly { readonly name: string; readonly rate: number | null; readonly isHighest: boolean }[];
}

/** Cell as the charts draw it; `view.ts` has all of its fields. */
interface Cell {
  readonly name: string;
  readonly baseline: boolean;
  readonly placement: Placement;
  readonly mode: WaitClass;
  readonly benchmark: string;
  readonly payload: number;
  readonly inFlight: number;
  readonly clients: number;
  readonly rate: number | null;
  readonly status: Measurement["status"];
  readonly p50: number | null;
}

interface Entry {
  readonly row: Measurement;
  readonly cell: Cell;
}

const VARIED: readonly Varied[] = ["payload", "rate", "clients", "inFlight"];

export function linesOf(entries: readonly Entry[], curves: readonly Curve[]): ViewLine[] {
  return VARIED.flatMap((over) =>
    [...Map.groupBy(entries, (entry) => keyOf(entry, over)).values()]
      .filter((group) => new Set(group.map(({ cell }) => cell[over])).size > 1)
      .map((group) => lineOf(group, over, curves)),
  );
}

/** Names all that cells of one line share. */
function keyOf({ row, cell }: Entry, over: Varied): string {
  const { placement, mode, payload } = cell;
  const plain = {
    ...row,
    ...(over === "rate" ? { ratePerSecond: null } : {}),
    ...(over === "clients" ? { clients: 1 } : {}),
    ...(over === "inFlight" ? { inFlight: 1 } : {}),
  };
  const isRated = over !== "rate" || cell.rate !== null;
  const shared = [placement, mode, row.benchmark, variantOf(plain), row.arrivals, row.batched, isRated];
  return JSON.stringify(over === "payload" ? shared : [...shared, payload]);
}

function lineOf(group: readonly Entry[], over: Varied, curves: readonly Curve[]): ViewLine {
  const [{ cell: first }] = group as readonly [Entry, ...Entry[]];
  const isLatency = group.some(({ cell }) => cell.p50 !== null);
  const costOf = ({ latencyNs, messagesPerSecond }: ValidTrial): number | undefined =>
    isLatency ? latencyNs?.p50 : 1 / messagesPerSecond;
  const ranked = group.filter(({ cell }) => !cell.baseline && cell.status === "measured");
  const lines = [...Map.groupBy(ranked, ({ cell }) => cell.name)].map(([name, own]) => ({
    name,
    // A cell without a rate is no point of a line over rates.
    points: new Map(own.map(({ row, cell }) => [cell[over] ?? 0, roundsOf([row], costOf)])),
  }));
  return {
    ...{ over, placement: first.placement, mode: first.mode, payload: over === "payload" ? null : first.payload },
    benchmarks: [...new Set(group.map(({ cell }) => cell.benchmark))],
    crossings: fastestFirst(crossingsOf(lines), lines).map((each) => ({ ...each, text: crossingText(over, each) })),
    knees: over === "rate" ? kneesOf(group, curves) : [],
  };
}

/** Sorts by the cost of the row that is ahead first: a change among the fastest concerns most readers. */
function fastestFirst(crossings: readonly Crossing[], lines: readonly Line[]): Crossing[] {
  const costOf = ({ before, from }: Crossing): number => {
    const rounds = lines.find(({ name }) => name === before)?.points.get(from);
    return rounds === undefined ? 0 : median([...rounds.values()]);
  };
  return crossings.toSorted((a, b) => costOf(a) - costOf(b) || a.from - b.from);
}

function kneesOf(group: readonly Entry[], curves: readonly Curve[]): ViewLine["knees"] {
  const found = group.flatMap(({ row, cell }): [string, number | null][] => {
    const curve = curves.find(
      (each) =>
        each.over === "ratePerSecond" &&
        each.transport === row.transport &&
        each.benchmark === row.benchmark &&
        each.mode === row.mode &&
        each.placement === row.placement &&
        each.peer === row.peer.language &&
        each.fixed === fixedOf(row, "ratePerSecond"),
    );
    return curve?.kneePerSecond === undefined ? [] : [[cell.name, curve.kneePerSecond]];
  });
  const highest = Math.max(...group.map(({ cell }) => cell.rate ?? 0));
  return [...new Map(found)].map(([name, rate]) => ({ name, rate, isHighest: rate === highest }));
}
