import { type LockSteps, takePathLock } from "./path-lock.ts";

/** Does the same as `withPathLock` in a thread that waits. @param isAnswered returns true if a process listens there */
export function withPathLockWaiting<T>(
  path: string,
  transport: string,
  work: () => T,
  isAnswered: (socket: string) => boolean,
): T {
  const release = run(takePathLock(path, transport), isAnswered);
  try {
    return work();
  } finally {
    release();
  }
}

function run<Result>(steps: LockSteps<Result>, isAnswered: (socket: string) => boolean): Result {
  try {
    let step = steps.next(false);
    while (!step.done) {
      const { value } = step;
      step = steps.next(typeof value === "string" ? isAnswered(value) : sleep(value));
    }
    return step.value;
  } finally {
    steps.return(undefined as Result);
  }
}

function sleep(ms: number): false {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  return false;
}
