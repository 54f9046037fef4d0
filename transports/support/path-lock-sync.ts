import { isAnswered } from "../posix/unix-socket.ts";
import { type LockSteps, takePathLock } from "./path-lock.ts";

/**
 * Does the same as `withPathLock`, with the same lock, for callers that cannot wait in an event loop. The path may lead
 * to a segment or to a socket.
 */
export function withPathLockSync<T>(path: string, transport: string, work: () => T): T {
  const release = runStepsSync(takePathLock(path, transport));
  try {
    return work();
  } finally {
    release();
  }
}

function runStepsSync<Result>(steps: LockSteps<Result>): Result {
  try {
    let step = steps.next(false);
    while (!step.done) {
      const { value } = step;
      step = steps.next(typeof value === "string" ? isAnswered(value, "stream") : sleep(value));
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
