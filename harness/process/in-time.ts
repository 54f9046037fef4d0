import { Deadline } from "../../transports/support/deadline.ts";

/** Reports a call that has not settled within its limit. */
export class HungError extends Error {
  override readonly name = "HungError";
}

/**
 * Waits with a limit for a call that a broken transport may never settle.
 *
 * @param what the call, for the error
 * @param limitMs limit, in which this process could run
 * @throws HungError, or the error of the call
 */
export function inTime<Result>(what: string, limitMs: number, work: () => Promise<Result> | Result): Promise<Result> {
  return new Promise((resolve, reject) => {
    const deadline = new Deadline(limitMs, () => {
      reject(new HungError(`${what} did not settle within ${limitMs / 1000} s`));
    });
    (async () => work())()
      .then(resolve, reject)
      .finally(() => deadline.clear());
  });
}
