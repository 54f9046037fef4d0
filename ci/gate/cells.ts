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
  readonly payloadBytes: number;
}

/** Value that the command of `--cmd` prints. */
export interface CommandCell {
  readonly name: string;
  readonly unit: string | undefined;
  /** True where a lower value is better. */
  readonly lower: boolean;
}

export type GateCell = TransportCell | CommandCell;

export function nameOf(cell: GateCell): string {
  if ("name" in cell) return cell.unit === undefined ? cell.name : `${cell.name} (${cell.unit})`;
  const { transport, mode, placement, payloadBytes } = cell;
  return `${transport} (${mode}, ${placement}) ${payloadBytes} B`;
}
