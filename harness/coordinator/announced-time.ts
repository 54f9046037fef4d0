/** Share of an announced time by which it may be missed before another is announced. */
export const TOLERANCE = 0.15;

/** @returns a function that is true for a time so far from the last announced one that it is announced instead */
export function announcedTime(ms?: number): (ms: number) => boolean {
  let announcedMs = ms;
  return (newMs) => {
    if (announcedMs !== undefined && Math.abs(newMs / announcedMs - 1) <= TOLERANCE) return false;
    announcedMs = newMs;
    return true;
  };
}
