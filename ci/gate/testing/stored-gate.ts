/** Synthetic record of a gate for tests: no number in it was measured. */
import type { Cell } from "../../../harness/coordinator/arm.ts";
import type { PairedArm, PairSide } from "../../../harness/coordinator/pairs.ts";
import { fixtureReport } from "../../../reports/testing/fixture.ts";
import { judgeBudgets } from "../budgets.ts";
import type { TransportCell } from "../cells.ts";
import { type Gated, Ledger } from "../ledger.ts";
import type { GateResult, GateRow, PairRecord } from "../result.ts";
import { DEFAULT_RULE } from "../verdict.ts";

const P50: Gated = { metric: "p50", isExtra: false, minEffect: 0.05, tolerance: 0.2 };
const P99: Gated = { metric: "p99", isExtra: true, minEffect: 0.2, tolerance: 0.5 };
const PAIRS = 20;

/** Slowdown of the head, and how far the logarithms of the pairs scatter. */
const CELLS: readonly { readonly transport: string; readonly slowdown: number; readonly scatter: number }[] = [
  { transport: "unix", slowdown: 0.01, scatter: 0.03 },
  { transport: "tcp", slowdown: 0.12, scatter: 0.03 },
  { transport: "fifo", slowdown: 0.06, scatter: 0.35 },
  { transport: "stdio", slowdown: 4, scatter: 0.05 },
];

function side(ns: number): PairSide {
  return { p50: ns, p99: 2.5 * ns, messageNs: 1.1 * ns, cpuNs: null, messages: 2000 };
}

function ledgerOf({ transport, slowdown, scatter }: (typeof CELLS)[number], at: number): Ledger {
  const name: TransportCell = { transport, mode: "event", placement: "same-cpu", payloadBytes: 64 };
  const ledger = new Ledger({} as PairedArm, {} as Cell, name, [P50, P99]);
  for (let round = 1; round <= PAIRS; round++) {
    const noise = Math.exp(scatter * Math.sin(round * 2.4 + at));
    const [base, head] = [side(18_000 + 100 * round), side((18_000 + 100 * round) * (1 + slowdown) * noise)];
    ledger.add(round, { base, head, headFirst: round % 2 === 0 });
  }
  return ledger;
}

/** Returns a record with a pass, two regressions, a cell that scatters, one that is broken, and one that is new. */
export function storedGateFixture(): GateResult {
  const looks = { alpha: DEFAULT_RULE.alpha / 8, step: PAIRS, most: 2 * PAIRS };
  const ledgers = CELLS.map(ledgerOf);
  for (const ledger of ledgers) ledger.look(looks, 0);
  const shm: TransportCell = { transport: "shm/futex", mode: "blocking", placement: "two-cpus", payloadBytes: 4096 };
  const lost = [1, 2].map((round): PairRecord => ({ round, reason: "head: lost 3 messages", headAlone: true }));
  const pairs = [...ledgers.map(({ name, pairs }) => ({ cell: name, pairs })), { cell: shm, pairs: lost }];
  const added = { ...shm, transport: "tls" };
  const rows: readonly GateRow[] = [
    { cell: added, metric: "p50", outcome: "new", reason: "only the head exports it", notes: [] },
    { cell: shm, metric: "p50", outcome: "broken", reason: "head: lost 3 messages", notes: [] },
    ...ledgers.flatMap((ledger) => ledger.rows(looks)),
  ];
  return {
    complete: true,
    startedAt: "2026-11-28T06:00:00.000Z",
    base: "HEAD~1 (4d7a3f3a40d5)",
    commits: { base: "4d7a3f3a40d59aca69451040e0c00a99196b93e6", head: "4a8ceb8a4f324afaea627c3bfa010547f232ce3d" },
    dirty: true,
    environment: fixtureReport({ trials: 1, placements: ["same-cpu"], payloads: [64] }).environment,
    seed: 7,
    rule: DEFAULT_RULE,
    durationMs: 41_200,
    rows,
    budgets: judgeBudgets(
      [
        { cell: "unix", metric: "p50", most: { ns: 25_000 } },
        { cell: "tcp", metric: "p50", most: { factor: 1.05, of: "unix" } },
      ],
      { rows, pairs },
    ),
    pairs,
    strict: false,
    looks,
    pairMs: 900,
    loaded: { base: ["transports/unix.ts"], head: ["transports/unix.ts"], harness: ["harness/rpc/client.ts"] },
    warnings: [{ id: "uncommitted-changes", text: "the head has changes that are not committed", where: {} }],
  };
}
