import { bytes, count, duration, oneLine, significant } from "../harness/results/format.ts";
import type { HeldResources, MeasuredRow, Measurement, ServerMemory } from "../harness/results/model.ts";
import { isRough } from "../harness/results/quantiles.ts";
import { isShared, perClient } from "../harness/results/server-memory.ts";

/** Returns the text of a row without a time or a rate: the reason, or what was measured instead. */
export function missingText(cell: Measurement, loads?: string): string {
  if (cell.status !== "measured") {
    const at = loads === undefined ? "" : ` at ${loads}`;
    return `${cell.status.replace("-", " ")}${at}: ${oneLine(cell.reason)}`;
  }
  if (cell.serverMemory !== undefined) return serverMemoryText(cell.serverMemory, cell.clients);
  return typeof cell.idleCpuShare === "number"
    ? `${significant(cell.idleCpuShare * 100)} % of one CPU while idle (both processes together)`
    : "no value";
}

/** Describes the memory of the server side: `one server: 14 MiB with 1 client, and 12 KiB for each more`. */
export function serverMemoryText(memory: ServerMemory, clients: number): string {
  const each = perClient(memory, clients);
  const held = ({ descriptors, threads }: HeldResources): string => {
    const parts = [[descriptors, "descriptor"] as const, [threads, "thread"] as const];
    return parts
      .flatMap(([value, noun]) => (Math.round(value) === 0 ? [] : [count(Math.round(value), noun)]))
      .join(", ");
  };
  const more = [bytes(each.privateBytes), held(each)].filter(Boolean).join(", ");
  if (!isShared(memory)) return `a process for each client: ${more} each (of ${clients} clients)`;
  return `one server: ${bytes(memory.one.privateBytes)} with 1 client, and ${more} for each more (${clients} clients)`;
}

/** Reason why a measured row has no p99. */
export const NO_P99 =
  "p99 –: a p99 needs 2000 messages over all trials, and this run had time for fewer; give a longer --budget.";

/** Meaning of `~` before a p99. */
export const ROUGH_P99 =
  "~: fewer than 100 samples are above this p99, so it is rough; " +
  "give a longer --budget (10000 messages over all trials are enough).";

/** True where the p99 of a row comes from so few messages that it is marked. */
export function hasRoughP99({ latencyNs }: Pick<MeasuredRow, "latencyNs">): boolean {
  return latencyNs?.p99 !== undefined && latencyNs.count !== undefined && isRough(0.99, latencyNs.count);
}

/** Formats a p99: `84.0 µs`, `~84.0 µs` where rough, `–` where there is none. */
export function p99Text(cell: Pick<MeasuredRow, "latencyNs">): string {
  return (hasRoughP99(cell) ? "~" : "") + duration(cell.latencyNs?.p99);
}
