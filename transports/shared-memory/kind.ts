import type { Store } from "./store.ts";
import type { WaitKind } from "./waits.ts";

/** One mechanism of this folder: where the segments live and how its processes wait. */
export interface RingKind {
  readonly id: string;
  readonly store: Store;
  readonly wait: WaitKind;
  readonly maxClients: number;
  /** Bytes of each direction of a connection; `options.ringBytes` of an address overrides it. */
  readonly ringBytes: number;
}

/** Returns the name of a slot: derived from the name of the address, so that the names of its slots can be found. */
export const slotName = (name: string, slot: number): string => `${name}-${slot}`;
