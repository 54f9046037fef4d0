/** CPUs of the two ends: one for both, one for each, or as the scheduler likes. */
export type Placement = "same-cpu" | "two-cpus" | "unpinned";
export const PLACEMENTS: readonly Placement[] = ["same-cpu", "two-cpus", "unpinned"];
