/** Gates resampled from stored pairs of the same code: `npm run bench:gate`. */

import { type Gated, Ledger } from "../../../ci/gate/ledger.ts";
import { type LookedAt, type Looks, lookUntilDecided } from "../../../ci/gate/looks.ts";
import { limitsOf } from "../../../ci/gate/metrics.ts";
import { pairsIn } from "../../../ci/gate/pair-times.ts";
import { exitCodeOf, type GateRow } from "../../../ci/gate/result.ts";
import { DEFAULT_RULE } from "../../../ci/gate/verdict.ts";
import type { Cell } from "../../coordinator/arm.ts";
import type { PairedArm, PairSide } from "../../coordinator/pairs.ts";

/** p50 and p99 of both sides of one pair, ns. */
export type StoredPair = readonly [base: number, head: number, baseP99: number, headP99: number];

/** Pairs of one collecting run, in the order in which they were measured. */
export interface StoredRun {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly machine: string;
  /** `busy`: with a busy loop on each CPU. `noisy`: at rest, but measured while the compiler was not held. */
  readonly condition: "quiet" | "busy" | "noisy";
  /** Time of one pair of an arm with all its cells, ms. */
  readonly pairMs: number;
  /** Time of the gate besides its pairs, such as that of the calibration, ms. */
  readonly startMs: number;
  readonly cells: Readonly<Record<string, readonly StoredPair[]>>;
}

/** Change of the head that is put into the pairs of a cell. */
export type Injection = (pair: StoredPair) => StoredPair;

/** Makes all messages slower by this share. */
export function slower(share: number): Injection {
  return ([base, head, baseP99, headP99]) => [base, head * (1 + share), baseP99, headP99 * (1 + share)];
}

/** Makes 2 % of the messages take ten times the median: p99 lies among them. */
export const withTail: Injection = ([base, head, baseP99, headP99]) => [
  base,
  head,
  baseP99,
  Math.max(headP99, 10 * head),
];

export interface SimulatedGate {
  readonly exitCode: number;
  readonly durationMs: number;
  readonly rows: readonly GateRow[];
}

export interface GateOptions {
  readonly runs: readonly StoredRun[];
  /** Names of the cells in which the head is changed. */
  readonly changed: ReadonlyMap<string, Injection>;
  readonly budgetMs: number;
  readonly random: () => number;
  /** Cells that the gate has; default: all. */
  readonly cells?: readonly string[];
}

const STEP = 10;
const MESSAGES = 2000;

/**
 * Runs the rule on pairs of stored runs. Each cell goes through them from a random place on, since neighbours in time
 * are alike. The sides of each pair are exchanged by a coin, as the order of real ones is.
 */
export async function simulateGate(options: GateOptions): Promise<SimulatedGate> {
  const gate = new StoredPairs(options);
  await lookUntilDecided(gate);
  const rows = gate.ledgers.flatMap((ledger) => ledger.rows({ ...gate.looks, most: gate.most }));
  return { exitCode: exitCodeOf({ rows, budgets: [], strict: false }), durationMs: gate.durationMs, rows };
}

/** Stored pairs as those of a gate, whose times are those of one stored run. */
class StoredPairs implements LookedAt<Ledger> {
  ran = 0;
  most = 0;
  durationMs: number;
  readonly ledgers: readonly Ledger[];
  readonly looks: Looks;
  readonly #cells: readonly SimulatedCell[];
  readonly #pairMs: number;
  readonly #budgetMs: number;

  constructor({ runs, changed, budgetMs, random, cells: wanted }: GateOptions) {
    const run = runs[Math.floor(random() * runs.length)] as StoredRun;
    const names = wanted ?? Object.keys(run.cells);
    this.#cells = names.map((name) => simulatedCell(name, pairsFrom(runs, name, random), changed.get(name)));
    this.ledgers = this.#cells.map(({ ledger }) => ledger);
    const judged = this.ledgers.reduce((sum, { metrics }) => sum + metrics, 0);
    this.looks = { alpha: DEFAULT_RULE.alpha / judged, step: STEP };
    this.durationMs = run.startMs;
    this.#pairMs = run.pairMs;
    this.#budgetMs = budgetMs;
  }

  affordable(wanted: (ledger: Ledger) => boolean): number {
    return pairsIn(this.#budgetMs - this.durationMs, this.#roundMs(wanted));
  }

  runBlock(_look: number, count: number): Promise<boolean> {
    for (let pair = 0; pair < count; pair++) {
      this.durationMs += this.#roundMs(({ isOpen }) => isOpen);
      this.ran++;
      for (const { ledger, next } of this.#cells) if (ledger.isOpen) ledger.add(this.ran, next());
    }
    return Promise.resolve(true);
  }

  #roundMs(isWanted: (ledger: Ledger) => boolean): number {
    const arms = new Set(this.#cells.filter(({ ledger }) => isWanted(ledger)).map(({ arm }) => arm));
    return arms.size * this.#pairMs;
  }
}

interface SimulatedCell {
  readonly arm: string;
  readonly ledger: Ledger;
  readonly next: () => { readonly base: PairSide; readonly head: PairSide; readonly headFirst: boolean };
}

function simulatedCell(name: string, stored: () => StoredPair, injection: Injection | undefined): SimulatedCell {
  const [transport = "", bytes = ""] = [name.split(" ")[0], name.split(" ").at(-2)];
  const cell = { transport, mode: "event", placement: "same-cpu", payloadBytes: Number(bytes) } as const;
  const gated = (["p50", "p99"] as const).map((metric): Gated => {
    return { metric, isExtra: metric === "p99", ...limitsOf(metric, DEFAULT_RULE, {}) };
  });
  // A ledger only keeps both.
  const ledger = new Ledger({} as PairedArm, {} as Cell, cell, gated);
  const side = (p50: number, p99: number): PairSide => ({ p50, p99, messageNs: p50, cpuNs: null, messages: MESSAGES });
  return {
    arm: name.slice(0, name.indexOf(")") + 1),
    ledger,
    next: () => {
      const pair = stored();
      const [base, head, baseP99, headP99] = injection === undefined ? pair : injection(pair);
      return { base: side(base, baseP99), head: side(head, headP99), headFirst: false };
    },
  };
}

function pairsFrom(runs: readonly StoredRun[], name: string, random: () => number): () => StoredPair {
  const all = runs.flatMap(({ cells }) => cells[name] ?? []);
  let at = Math.floor(random() * all.length);
  return () => {
    const [base, head, baseP99, headP99] = all[at++ % all.length] as StoredPair;
    return random() < 0.5 ? [base, head, baseP99, headP99] : [head, base, headP99, baseP99];
  };
}

/**
 * Returns the 95 % interval of a share by Wilson's score (1927), which holds near 0 and 1 too.
 *
 * @param found number of those counted
 */
export function wilson(found: number, of: number): readonly [number, number] {
  const z = 1.96;
  const share = found / of;
  const centre = share + z ** 2 / (2 * of);
  const half = z * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  const scale = 1 + z ** 2 / of;
  return [Math.max(0, (centre - half) / scale), Math.min(1, (centre + half) / scale)];
}
