import { ABSENT, bytes, duration, quantity } from "../harness/results/format.ts";
import { hasNodeClient } from "../harness/results/languages.ts";
import type { Environment, Measurement, Report } from "../harness/results/model.ts";
import { isUnnamed, MODE_LABELS, PLACEMENT_ORDER, placementTitle } from "./labels.ts";
import { missingText } from "./missing.ts";

export const PAIRS_NOTE =
  "Round trips of each size with the distance to the farther end of their 95 % interval, then for the smallest size " +
  "CPU time of both ends and one-way messages. Each client measures with its own clock. A row contains the " +
  "interpreter of each end: compare rows of one mechanism. A pick and all other tables are for clients in Node.";

/** Width of a half interval; most are no wider. */
const HALF_WIDTH = 5;

/** Rows of one mechanism that differ in the languages of the two ends. */
export interface PairLine {
  /** Client and server with their versions: `python 3.11.2 → node 22.12.0`. */
  readonly name: string;
  /** How the client and the server wait: `blocking → event loop`. */
  readonly waits: string;
  /** Texts in the order of the columns after `waits`; undefined where there is a reason instead. */
  readonly cells?: readonly string[];
  readonly reason?: string;
}

/** Pairs of languages of all mechanisms under one placement. */
export interface PairTable {
  readonly title: string;
  /** Columns behind the name and the waits. */
  readonly columns: readonly string[];
  readonly mechanisms: readonly { readonly transport: string; readonly lines: readonly PairLine[] }[];
}

/** Returns a table per placement of the mechanisms that were measured with a client in another language. */
export function pairTables(report: Pick<Report, "measurements" | "environment">): PairTable[] {
  const { measurements, environment } = report;
  return PLACEMENT_ORDER.flatMap((placement) => {
    const here = measurements.filter((row) => row.placement === placement && isOfPairs(row));
    const ids = new Set(here.filter((row) => !hasNodeClient(row)).map(({ transport }) => transport));
    const rows = here.filter(({ transport }) => ids.has(transport));
    if (rows.length === 0) return [];
    const sizes = [...new Set(rows.map(({ payloadBytes }) => payloadBytes))].toSorted((a, b) => a - b);
    const mechanisms = [...ids].map((transport) => ({
      transport,
      lines: linesOf(
        rows.filter((row) => row.transport === transport),
        sizes,
        environment,
      ),
    }));
    return [{ title: placementTitle(placement, environment), columns: columnsOf(sizes), mechanisms }];
  });
}

function isOfPairs({ benchmark, inFlight, codec }: Measurement): boolean {
  return (benchmark === "round-trip" || benchmark === "throughput") && inFlight === 1 && codec === "raw";
}

/** The sizes of round trips, then the costs of the smallest size. */
function columnsOf(sizes: readonly number[]): string[] {
  return [...sizes.map((size) => `${bytes(size)} ±`), "CPU", "one way"];
}

function linesOf(rows: readonly Measurement[], sizes: readonly number[], environment: Environment): PairLine[] {
  const pairs = Map.groupBy(rows, (row) => JSON.stringify([languages(row), row.mode]));
  return [...pairs.values()]
    .toSorted((a, b) => rankOf(a[0] as Measurement) - rankOf(b[0] as Measurement))
    .map((pair) => lineOf(pair, sizes, environment));
}

function lineOf(pair: readonly Measurement[], sizes: readonly number[], environment: Environment): PairLine {
  const first = pair[0] as Measurement;
  const roundTrips = sizes.map((size) => pair.find((row) => row.model === "ping-pong" && row.payloadBytes === size));
  const measured = pair.filter((row) => row.status === "measured");
  const known = measured[0] ?? first;
  const ends = { name: namesOf(known, environment), waits: waitsOf(first) };
  if (measured.length === 0) return { ...ends, reason: missingText(first) };
  const smallest = roundTrips[0];
  const oneWay = measured.find((row) => row.model === "stream" && row.payloadBytes === sizes[0]);
  return {
    ...ends,
    cells: [
      ...roundTrips.map(timeOf),
      smallest?.status === "measured" ? duration(smallest.cpuNsPerMessage) : ABSENT,
      oneWay?.messagesPerSecond ? `${quantity(oneWay.messagesPerSecond)}/s` : ABSENT,
    ],
  };
}

/** Formats a p50: `19.2 µs  ±5 %`. */
function timeOf(row: Measurement | undefined): string {
  if (row?.status !== "measured" || row.latencyNs === undefined) return ABSENT;
  const { p50 } = row.latencyNs;
  const { p50: interval } = row.interval;
  if (interval === undefined) return `${duration(p50)} ${ABSENT.padStart(HALF_WIDTH)}`;
  const half = Math.ceil((100 * Math.max(interval[1] - p50, p50 - interval[0])) / p50);
  return `${duration(p50)} ${`±${half} %`.padStart(HALF_WIDTH)}`;
}

const languages = ({ client, peer }: Measurement): readonly [string, string] => [
  client?.language ?? "node",
  peer.language,
];

/** Both on Node first, both in another language last. */
const rankOf = (row: Measurement): number =>
  languages(row).reduce((rank, language) => 2 * rank + Number(!isUnnamed(language)), 0);

function namesOf({ client, peer }: Measurement, { node }: Environment): string {
  return [client ?? { language: "node", version: node }, peer]
    .map(({ language, version }) => `${language} ${version}`.trim())
    .join(" → ");
}

function waitsOf({ client, peer, mode }: Measurement): string {
  const own = MODE_LABELS[mode];
  return [
    client === undefined ? own : MODE_LABELS.blocking,
    isUnnamed(peer.language) ? own : MODE_LABELS.blocking,
  ].join(" → ");
}
