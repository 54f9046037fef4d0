import { clientsMemory } from "../../scenarios/benchmarks/clients-memory.ts";
import { coldStart } from "../../scenarios/benchmarks/cold-start.ts";
import type { Place } from "../../transports/contract/transport.ts";
import type { Measurement } from "../results/model.ts";
import { type Arm, type Cell, cellReason } from "./arm.ts";
import { ArmRecord } from "./arm-record.ts";
import { cellPlans } from "./plan.ts";
import type { ProcessSupervisor } from "./process-supervisor.ts";
import { noteCells } from "./round.ts";
import { rowOf } from "./rows.ts";
import { prepareTrial, runTrial } from "./trial.ts";

/** One start of a server, and what the server side holds with 1 and with 10 clients. */
const CELLS: readonly Cell[] = [coldStart, clientsMemory].map((benchmark) => ({
  benchmark,
  variant: benchmark.variants[0],
  payloadBytes: 64,
}));
/** Time for one arm on a busy machine, ms: a pair of processes, a start, and a child for each of ten clients or one. */
const COST_MS = { child: 3000, shared: 1200 } as const;

/** Returns the time that this takes for an arm, ms. */
export function costMs({ transport }: Pick<Arm, "transport">): number {
  return transport.capabilities.rendezvous === "parent" ? COST_MS.child : COST_MS.shared;
}

/** Measures what the server of an arm costs besides its messages, once: rows with one trial and no interval. */
export async function measureServerCosts(
  supervisor: ProcessSupervisor,
  place: Place,
  arm: Arm,
  seed: number,
): Promise<Measurement[]> {
  const record = new ArmRecord(arm);
  for (const cell of CELLS) {
    const reason = cellReason(arm, cell);
    if (reason !== undefined) record.impossible.set(cell, reason);
  }
  const once = { messages: 1, warmupMessages: 0, warmupMs: 0, plannedMs: costMs(arm) };
  const order = CELLS.filter((cell) => !record.impossible.has(cell)).map((cell) => ({ cell, ...once }));
  if (order.length > 0) {
    const turns = [{ arm, cells: cellPlans(order, () => seed) }] as const;
    const job = { work: { kind: "measure" }, turns, plannedMs: costMs(arm) } as const;
    const outcomes = await runTrial(supervisor, place, await prepareTrial(supervisor, place, job));
    for (const outcome of outcomes.values()) noteCells(record, order, outcome, { round: 1, startedAtMs: 0 });
  }
  return CELLS.map((cell) => rowOf(record, cell));
}
