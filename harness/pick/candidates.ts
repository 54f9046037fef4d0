import { type Capabilities, PROGRAM, type WaitMode } from "../../transports/contract/capabilities.ts";
import { crashReason } from "../results/crashes.ts";
import { sameOnThisPlatform } from "../results/evidence.ts";
import { sizeName } from "../results/format.ts";
import type { MeasuredRow, Measurement, Placement, Report, ValidTrial } from "../results/model.ts";
import { median } from "../results/quantiles.ts";
import { type Contender, type Rounds, roundsOf } from "../results/ranking.ts";
import type { RequestCosts } from "./materiality.ts";
import { METRICS, type MetricName } from "./metric.ts";

/** Question of a pick, with every default filled in: see {@link withDefaults}. */
export type FullQuestion = Required<Omit<Question, Optional>> & Pick<Question, Optional>;
type Optional = "codec" | "clients" | "ratePerSecond" | "neededClients";

/** Question of a pick. */
export interface Question {
  readonly payloads: readonly number[];
  readonly modes: readonly WaitMode[];
  readonly placement: Placement;
  readonly benchmark: string;
  /** Language of the server. */
  readonly peer: string;
  /** Codec that converts values at both ends; absent: the requests are bytes. */
  readonly codec?: string;
  /**
   * Load of the question, where several loads were measured: number of clients and their rate. Absent: rows of any
   * load.
   */
  readonly clients?: number;
  readonly ratePerSecond?: number | null;
  /** Number of clients that was asked for, where it may be larger than the measured one. */
  readonly neededClients?: number;
  /** Default: p50. */
  readonly optimize?: MetricName;
  /** Share of a request's time above which a difference matters; default 0.1. */
  readonly matters?: number;
  /** Work that a request does beside the exchange and that was not measured, ns; default 0. */
  readonly assumedWorkNs?: number;
  /** Work that the server did in each measured request, ns; default 0. */
  readonly measuredWorkNs?: number;
}

export function withDefaults(question: Question): FullQuestion {
  return { optimize: "p50", matters: 0.1, assumedWorkNs: 0, measuredWorkNs: 0, ...question };
}

/** Parts of a report from which the pick is made. */
export interface Evidence {
  readonly transports: Report["transports"];
  readonly checks: Report["checks"];
  readonly measurements: Report["measurements"];
  readonly crashes?: Report["crashes"];
}

/** Transport with the geometric mean of its costs over the sizes, ns, in each of its `rounds`. */
export interface Candidate extends Contender {
  readonly mode: WaitMode;
  readonly capabilities: Capabilities;
  /** Rows of the question's sizes, in their order. */
  readonly rows: readonly MeasuredRow[];
  readonly costs: RequestCosts;
}

/** Mechanisms that are no candidates, because of what they did or because of what this machine could not do. */
export interface Out {
  readonly ruledOut: { transport: string; reason: string }[];
  readonly notExamined: { transport: string; reason: string }[];
}

/** Returns what may be ranked for a question in these waiting classes; `out` gets the rest, with reasons. */
export function candidatesOf(
  evidence: Evidence,
  question: FullQuestion,
  modes: readonly WaitMode[],
  { ruledOut, notExamined }: Out = { ruledOut: [], notExamined: [] },
): Candidate[] {
  const { cost } = METRICS[question.optimize];
  const candidates: Candidate[] = [];
  for (const record of evidence.transports) {
    if (record.baseline) continue;
    if (!record.available) {
      notExamined.push({ transport: record.id, reason: record.reason });
      continue;
    }
    const crash = crashReason(evidence.crashes ?? [], record.id);
    if (crash !== undefined) {
      ruledOut.push({ transport: record.id, reason: crash });
      continue;
    }
    for (const mode of modes) {
      const rows = rowsOf(evidence, question, record.id, mode);
      if (rows.length === 0) {
        const other = languageMeasured(evidence, record.id, mode);
        const reason =
          other === undefined ? undefined : reasonAgainstServer(evidence, question, record.id, mode, other);
        const inOther = other === undefined ? [] : rowsOf(evidence, { ...question, peer: other }, record.id, mode);
        const unknown = inOther.length === 0 ? undefined : lackOf(inOther, roundsOf(inOther, cost), question);
        if (reason !== undefined) ruledOut.push({ transport: record.id, reason });
        else if (unknown !== undefined) notExamined.push({ transport: record.id, reason: unknown });
        continue;
      }
      const measured = rows.filter((row) => row.status === "measured");
      const reason = reasonAgainst(evidence, record.id, rows);
      const [lacking] = rows.flatMap((row) => (row.status === "unavailable" ? [row] : []));
      const rounds = roundsOf(measured, cost);
      const unknown =
        lacking === undefined ? lackOf(rows, rounds, question) : `${sizeName(lacking)}: ${lacking.reason}`;
      if (unknown !== undefined && failedCheck(evidence, record.id) === undefined) {
        notExamined.push({ transport: record.id, reason: unknown });
        continue;
      }
      if (reason !== undefined) ruledOut.push({ transport: record.id, reason });
      else {
        const costs = costsOf(measured, cost);
        const { capabilities, id: name } = record;
        candidates.push({
          name,
          mode,
          capabilities,
          rows: measured,
          rounds,
          costs,
          typical: median([...rounds.values()]),
        });
      }
    }
  }
  return candidates;
}

/** Returns costs of every size in the rounds in which all of them were measured validly. */
function costsOf(rows: readonly Measurement[], cost: (trial: ValidTrial) => number | undefined): RequestCosts {
  const bySize = rows.map((row) => roundsOf([row], cost));
  const rounds = [...(bySize[0]?.keys() ?? [])];
  return new Map(
    rounds.flatMap((round): [number, number[]][] => {
      const found = bySize.flatMap((size) => size.get(round) ?? []);
      return found.length === rows.length ? [[round, found]] : [];
    }),
  );
}

/** True for a row of the clients and the pace that a question names. */
export function isAtLoad(
  row: Pick<Measurement, "clients" | "ratePerSecond">,
  { clients = row.clients, ratePerSecond = row.ratePerSecond }: Pick<Question, "clients" | "ratePerSecond">,
): boolean {
  return row.clients === clients && row.ratePerSecond === ratePerSecond;
}

/**
 * Returns the rows of the question. A program of the user's is the only server of its transport, so its rows count
 * whatever language was asked for.
 */
function rowsOf({ measurements }: Evidence, question: Question, transport: string, mode: WaitMode): Measurement[] {
  return measurements.filter(
    (row) =>
      row.transport === transport &&
      row.mode === mode &&
      row.placement === question.placement &&
      row.benchmark === question.benchmark &&
      isAtLoad(row, question) &&
      (row.peer.language === question.peer || row.peer.language === PROGRAM) &&
      question.payloads.includes(row.payloadBytes),
  );
}

function languageMeasured({ measurements }: Evidence, transport: string, mode: WaitMode): string | undefined {
  return measurements.find((row) => row.transport === transport && row.mode === mode)?.peer.language;
}

/** True for a language that the question is not about, and whose servers block in a thread. */
export function isOtherLanguage(language: string, { peer }: Question): boolean {
  return language !== peer && language !== PROGRAM && language !== "node";
}

/**
 * Returns why a transport is out that was measured with a server in another language only; undefined where
 * `otherServers` lists it.
 */
function reasonAgainstServer(
  evidence: Evidence,
  question: FullQuestion,
  transport: string,
  mode: WaitMode,
  language: string,
): string | undefined {
  if (!isOtherLanguage(language, question)) return notThatServer(language, question);
  return reasonAgainst(evidence, transport, rowsOf(evidence, { ...question, peer: language }, transport, mode));
}

function notThatServer(measured: string, { peer }: Question): string {
  return (
    `measured only with a server in ${measured}, but the question is about a server in ${peer}; ` +
    `--peer ${peer} measures it`
  );
}

/** Returns why a mechanism must not be picked: it failed a check or lost a message, whatever its speed. */
function reasonAgainst(evidence: Evidence, transport: string, rows: readonly Measurement[]): string | undefined {
  const failed = failedCheck(evidence, transport);
  if (failed !== undefined) return `failed the check ${failed.scenario}: ${failed.reason ?? "no reason given"}`;
  const [unmeasured] = rows.filter((row) => row.status !== "measured");
  if (unmeasured !== undefined) return `${sizeName(unmeasured)}: ${unmeasured.reason}`;
  return undefined;
}

/** Returns what is missing in this run to rank a mechanism that did nothing wrong; undefined where nothing is. */
function lackOf(rows: readonly Measurement[], rounds: Rounds, question: FullQuestion): string | undefined {
  if (rows.some(({ status }) => status !== "measured")) return undefined;
  if (rows.length < question.payloads.length) return "not measured for every size of the workload";
  if (rounds.size > 0) return tooOftenLate(rows, rounds.size);
  const { noun } = METRICS[question.optimize];
  return roundsOf(rows).size === 0 || noun === METRICS.p50.noun
    ? "no round in which every size was measured"
    : `no round of this run gives its ${noun}`;
}

/** Fewest rounds that give an interval. */
const LEAST_ROUNDS = 6;

/**
 * Returns that too few rounds are left, because the clients were too late in the others. The machine was then too slow
 * to show an order.
 */
function tooOftenLate(rows: readonly Measurement[], rounds: number): string | undefined {
  const late = new Set(
    rows.flatMap(({ trials }) => trials.flatMap(({ status, round }) => (status === "refused" ? [round] : []))),
  ).size;
  if (late === 0 || rounds >= LEAST_ROUNDS || rounds + late < LEAST_ROUNDS) return undefined;
  return `the clients kept the rate in ${rounds} of ${rounds + late} rounds, and an order needs ${LEAST_ROUNDS}`;
}

function failedCheck({ checks, transports }: Evidence, transport: string): Evidence["checks"][number] | undefined {
  const ids = sameOnThisPlatform(transports, transport);
  return checks.find((check) => ids.includes(check.transport) && check.status === "failed");
}
