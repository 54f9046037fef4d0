import type { HeldResources, ServerMemory } from "./measurement.ts";
import { median } from "./quantiles.ts";

/** Returns the medians over trials, number by number. */
export function medianServerMemory(trials: readonly ServerMemory[]): ServerMemory {
  const of = (pick: (memory: ServerMemory) => HeldResources): HeldResources => {
    const typical = (key: keyof HeldResources): number => median(trials.map((memory) => pick(memory)[key]));
    return {
      processes: typical("processes"),
      privateBytes: typical("privateBytes"),
      descriptors: typical("descriptors"),
      threads: typical("threads"),
    };
  };
  return { one: of(({ one }) => one), all: of(({ all }) => all) };
}

/**
 * Returns what each further client adds: the slope from the first client to the last, and 0 where there is one only.
 *
 * @param clients at least 1
 */
export function perClient({ one, all }: ServerMemory, clients: number): HeldResources {
  const slope = (key: keyof HeldResources): number => (all[key] - one[key]) / Math.max(1, clients - 1);
  return {
    processes: slope("processes"),
    privateBytes: slope("privateBytes"),
    descriptors: slope("descriptors"),
    threads: slope("threads"),
  };
}

/** Returns whether one server has all clients; otherwise each has a process of its own. */
export function isShared({ one, all }: ServerMemory): boolean {
  return all.processes === one.processes;
}
