/** What `compare` answers for when nothing else is asked: small and medium requests, both ends in event loops. */
export const DEFAULT_PAYLOADS: readonly number[] = [64, 4096, 65_536];
/** The pick is made over these. */
export const PICK_PAYLOADS: readonly number[] = [64, 4096];
