/** Largest error of an announced time, as a share of it. A larger error makes the run announce a new time. */
export const TOLERANCE = 0.15;

/** Remembers the time announced last. @returns a function that is true for a time that needs a new announcement */
export function announcedTime(ms?: number): (ms: number) => boolean {
  let announcedMs = ms;
  return (newMs) => {
    if (announcedMs !== undefined && Math.abs(newMs / announcedMs - 1) <= TOLERANCE) return false;
    announcedMs = newMs;
    return true;
  };
}
