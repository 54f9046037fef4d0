import { BENCHMARKS } from "../../scenarios/benchmarks/index.ts";
import { type Arm, type Cell, placeArm } from "../coordinator/arm.ts";
import { silent } from "../coordinator/progress.ts";
import { measure } from "../coordinator/run-measurements.ts";
import { inSession } from "../coordinator/session.ts";
import { loadTransport } from "../process/load-transport.ts";
import type { TransportReference } from "../process/messages.ts";
import type { MeasuredRow, Placement } from "../results/model.ts";

export interface BenchCells {
  readonly references: readonly TransportReference[];
  readonly placement: Placement;
  readonly benchmark: string;
  readonly variant?: Cell["variant"];
  readonly trials: number;
  readonly messages: number;
  readonly seed: number;
}

/** Measures as a user's run does: one row per reference, in their order. @throws Error when one is not measured */
export async function measureCells(wanted: BenchCells): Promise<MeasuredRow[]> {
  const arms: Arm[] = [];
  for (const reference of wanted.references) {
    const transport = await loadTransport(reference);
    const placement = { placement: wanted.placement, peerLanguage: "node", mode: "event" } as const;
    const placed = placeArm({ transport, reference, version: "", ...placement });
    if ("reason" in placed) throw new Error(`${reference.id}: ${placed.reason}`);
    arms.push(placed.arm);
  }
  const benchmark = BENCHMARKS.find(({ name }) => name === wanted.benchmark);
  if (benchmark === undefined) throw new Error(`no benchmark ${wanted.benchmark}`);
  const cells = [{ benchmark, variant: wanted.variant ?? {}, payloadBytes: 64 }];
  const stopRule = { rule: "fixed", effort: "default", trials: wanted.trials, strict: false } as const;
  const { messages, seed } = wanted;
  const { measurements } = await inSession(({ supervisor, place }) =>
    measure(supervisor, place, { arms, cells, stopRule, messages, seed, controls: false }, silent),
  );
  return measurements.map((row) => {
    if (row.status !== "measured") throw new Error(`${row.transport}: ${row.status}, ${row.reason}`);
    return row;
  });
}
