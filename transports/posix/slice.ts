/** Longest wait of a slice, ms: after it a blocking call looks whether the other side lives. */
export const SLICE_MS = 50;
