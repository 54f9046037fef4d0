import { bytes, count, duration } from "../harness/results/format.ts";
import type { MeasuredRow, Report, ServerMemory } from "../harness/results/model.ts";
import { isShared, perClient } from "../harness/results/server-memory.ts";
import { rowName } from "./labels.ts";

/** Returns a line for each mechanism whose server was started for its costs: time to the first reply, and memory. */
export function serverCosts({ measurements }: Pick<Report, "measurements">): string[] {
  const rows = measurements.filter((row) => row.status === "measured").filter(isCost);
  return [...Map.groupBy(rows, rowName)].map(([name, own]) => `${name}: ${own.map(costText).join("; ")}`);
}

const isCost = ({ model }: MeasuredRow): boolean => model === "cold-start" || model === "clients-memory";

function costText({ latencyNs, serverMemory, clients, trials }: MeasuredRow): string {
  if (serverMemory !== undefined) return memoryText(serverMemory, clients);
  const starts = trials.reduce((sum, trial) => sum + (trial.status === "valid" ? (trial.latencyNs?.count ?? 0) : 0), 0);
  return `first reply ${duration(latencyNs?.p50)} after the start (${count(starts, "start")})`;
}

function memoryText(memory: ServerMemory, clients: number): string {
  const each = perClient(memory, clients);
  if (isShared(memory)) return `one server: ${bytes(memory.one.privateBytes)} + ${bytes(each.privateBytes)} a client`;
  return `a process a client: ${bytes(each.privateBytes)}, ${Math.round(each.threads)} threads`;
}
