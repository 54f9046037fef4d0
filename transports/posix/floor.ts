import { libc, posixAvailability } from "./binding.ts";
import type { BindingName } from "./libc.ts";

export type FfiFloor =
  | { readonly binding: BindingName; readonly callNs: number }
  | { readonly binding: "none"; readonly callNs: null; readonly reason: string };

const WARM_UP_CALLS = 2_000;
const BATCHES = 9;
const CALLS_PER_BATCH = 2_000;

/**
 * Measures the cost of a call through the binding in use, ns: the median over batches of `getpid`, which does nothing.
 * It is a visible part of the times of mechanisms with one or two calls per message. Takes about 20 ms.
 */
export function ffiFloor(): FfiFloor {
  const state = posixAvailability();
  if (!state.available) return { binding: "none", callNs: null, reason: state.reason };
  const api = libc();
  for (let i = 0; i < WARM_UP_CALLS; i++) api.getpid();
  const batches: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const startMs = performance.now();
    for (let i = 0; i < CALLS_PER_BATCH; i++) api.getpid();
    batches.push(((performance.now() - startMs) * 1e6) / CALLS_PER_BATCH);
  }
  batches.sort((a, b) => a - b);
  return { binding: api.binding, callNs: Math.round(batches[BATCHES >> 1] as number) };
}
