import type { Arm, Cell } from "../../harness/coordinator/arm.ts";
import { bytes } from "../../harness/results/format.ts";
import type { Placement } from "../../harness/results/model.ts";
import type { WaitMode } from "../../transports/contract/capabilities.ts";

/** Default transports of the gate: mechanisms that are there on every machine. */
export const GATED_TRANSPORTS: readonly string[] = ["unix", "tcp", "fifo", "stdio"];
export const GATED_PAYLOADS: readonly number[] = [64, 4096];
/** Default placement, one CPU: across two, virtual machines add a wake-up that is the host's. */
export const GATED_PLACEMENTS: readonly Placement[] = ["same-cpu"];

/** A cell that the gate has promised to measure. */
export interface TransportCell {
  readonly transport: string;
  readonly mode: WaitMode;
  readonly placement: Placement;
  /** Size of a message; of recorded ones, the mean. */
  readonly payloadBytes: number;
  /** Name of the recorded messages that are replayed; absent: messages are made. */
  readonly recorded?: string;
}

/** Returns the part of a cell that states the size of its messages. */
export function sizeOf({
  payloadBytes,
  variant: { recorded },
}: Cell): Pick<TransportCell, "payloadBytes" | "recorded"> {
  return { payloadBytes, ...(recorded === undefined ? {} : { recorded: recorded.name }) };
}

/** Returns the name of a cell of an arm. */
export function gateCell({ transport, mode, placement }: Arm, cell: Cell): TransportCell {
  return { transport: transport.id, mode, placement, ...sizeOf(cell) };
}

/** Value that the command of `--cmd` prints. */
export interface CommandCell {
  readonly name: string;
  readonly unit: string | undefined;
  /** True where a lower value is better. */
  readonly lower: boolean;
}

/** Module that was named and does not load, so that its cells are not known. */
export interface ModuleCell {
  readonly module: string;
}

export type GateCell = TransportCell | CommandCell | ModuleCell;

export function nameOf(cell: GateCell): string {
  if ("module" in cell) return cell.module;
  if ("name" in cell) return cell.unit === undefined ? cell.name : `${cell.name} (${cell.unit})`;
  const { transport, mode, placement, payloadBytes, recorded = `${payloadBytes} B` } = cell;
  return `${transport} (${mode}, ${placement}) ${recorded}`;
}

/** Returns the name of a row: that of its cell, with the metric where there are several. */
export function rowName({ cell, metric }: { readonly cell: GateCell; readonly metric: string }): string {
  return metric === "value" ? nameOf(cell) : `${nameOf(cell)} ${metric}`;
}

/**
 * True where a name of a configuration means this cell: words out of id, mode, placement and size, such as `unix`,
 * `unix 4KiB` or `unix event same-cpu 64`. What it leaves out matches everything. A value of a command has one name.
 */
export function isMeant(name: string, cell: GateCell): boolean {
  if ("module" in cell) return name === cell.module;
  if ("name" in cell) return name === cell.name;
  const { transport, mode, placement, payloadBytes, recorded = "" } = cell;
  const size = bytes(payloadBytes).replace(" ", "");
  const known = [transport, mode, placement, String(payloadBytes), `${payloadBytes}B`, size, recorded];
  return name.split(/[\s,()]+/).every((word) => word === "" || word === "B" || known.includes(word));
}
