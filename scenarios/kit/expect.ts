import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { type IpcError, type IpcErrorCode, isIpcError, shortageIn } from "../../transports/contract/errors.ts";

/**
 * Longest wait of a check for something that must happen. Generous, because a transport is not to blame for a busy
 * machine. Only the tests of the checks lower it, because they wait for things that never happen.
 */
export const patience = { ms: 8000 };
/** Time added to every promised deadline, ms, for a timer and a turn of the event loop. */
const DEADLINE_SLACK_MS = 50;

/** Thrown if the claim of a check does not hold; the message is the observation. */
export class CheckFailure extends Error {
  override readonly name = "CheckFailure";
}

/** @throws CheckFailure with the message `otherwise` unless `held` */
export function expect(held: boolean, otherwise: string): asserts held {
  if (!held) throw new CheckFailure(otherwise);
}

/**
 * @param codes the allowed codes; default any
 * @returns the error with which `work` failed @throws CheckFailure if it did not fail, or failed with another code
 */
export async function expectCode(
  what: string,
  codes: readonly IpcErrorCode[] | undefined,
  work: () => unknown,
  limitMs: number = patience.ms,
): Promise<IpcError> {
  let outcome: unknown;
  try {
    await within(what, Promise.resolve(work()), limitMs);
  } catch (error) {
    outcome = error;
  }
  if (outcome instanceof CheckFailure || shortageIn(outcome) !== undefined) throw outcome;
  const wanted = codes?.join(" or ");
  expect(outcome !== undefined, `${what} succeeded; it must fail${wanted === undefined ? "" : ` with ${wanted}`}`);
  expect(isIpcError(outcome), `${what} failed with ${String(outcome)}, which is no IpcError`);
  expect(codes?.includes(outcome.code) ?? true, `${what} failed with ${outcome.code}, not with ${wanted}`);
  return outcome;
}

export function expectSame(what: string, seen: Uint8Array | undefined, sent: Uint8Array): void {
  expect(seen !== undefined, `${what}: nothing arrived`);
  if (Buffer.compare(seen, sent) === 0) return;
  expect(seen.length === sent.length, `${what}: ${sent.length} bytes were sent, ${seen.length} arrived`);
  const at = seen.findIndex((byte, index) => byte !== sent[index]);
  throw new CheckFailure(`${what}: byte ${at} of ${sent.length} was sent as ${sent[at]} and arrived as ${seen[at]}`);
}

/** Rejects if `work` takes longer than its limit, because a check must end by itself. `what` names the work. */
export async function within<T>(what: string, work: Promise<T>, limitMs: number = patience.ms): Promise<T> {
  const over = new AbortController();
  const late = delay(limitMs, undefined, { signal: over.signal }).then(async () => {
    // Lets the event loop read events that came while this process was busy.
    for (let turns = 0; turns < 2; turns += 1) await turn();
    throw new CheckFailure(`${what}: nothing after ${limitMs} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

/** Polls until the condition holds. @throws CheckFailure if it does not within the limit */
export async function eventually(
  what: string,
  holds: () => Promise<boolean> | boolean,
  limitMs: number = patience.ms,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    expect(performance.now() < deadline, `${what}: not within ${limitMs} ms`);
    await delay(10);
  }
}

/** Measures the largest lateness of a 5 ms timer: the part of a delay that the machine or this process causes. */
function watchLateness(): { stop(): number } {
  const everyMs = 5;
  let largest = 0;
  let dueMs = performance.now() + everyMs;
  const tick = (): void => {
    const now = performance.now();
    largest = Math.max(largest, now - dueMs);
    dueMs = now + everyMs;
  };
  const timer = setInterval(tick, everyMs);
  return {
    stop() {
      tick();
      clearInterval(timer);
      return largest;
    },
  };
}

/** Runs `work` and expects that it settles within `limitMs`, plus the time by which timers here were late. */
export async function meetsDeadline<Result>(
  what: string,
  limitMs: number,
  work: () => Promise<Result>,
): Promise<{ readonly result: PromiseSettledResult<Result>; readonly tookMs: number }> {
  const lateness = watchLateness();
  const startedMs = performance.now();
  const [result] = await within(what, Promise.allSettled([work()]), limitMs + 2000);
  const tookMs = performance.now() - startedMs;
  const allowedMs = limitMs + DEADLINE_SLACK_MS + lateness.stop();
  expect(tookMs <= allowedMs, `${what} took ${tookMs.toFixed(0)} ms; ${allowedMs.toFixed(0)} ms were allowed`);
  return { result, tookMs };
}
