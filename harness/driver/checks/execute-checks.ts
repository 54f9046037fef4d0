import { type Check, NotApplicable, unmetNeed } from "../../../scenarios/check.ts";
import { PROGRAM } from "../../../transports/contract/capabilities.ts";
import { isIpcError, shortageIn } from "../../../transports/contract/errors.ts";
import type { Transport } from "../../../transports/contract/transport.ts";
import { Deadline } from "../../../transports/support/deadline.ts";
import { BlockedServer } from "../../process/blocked.ts";
import { shareCompiledCode } from "../../process/compiled-code.ts";
import { withoutNames } from "../../process/failure.ts";
import type { CheckDone, CheckWork, DriverStart, FromDriver } from "../../process/messages.ts";
import { reportCalls, ServerWatch, startBeating } from "./blocked.ts";
import { EVERY_CHECK } from "./catalog.ts";
import { Workbench, type WorkbenchOptions } from "./context.ts";
import { withEventFace } from "./event-face.ts";
import { SharedPeer } from "./shared-peer.ts";
import { ModuleSilence, silenceOfProgram } from "./silence.ts";

const DEFAULT_TIMEOUT_MS = 20_000;

/**
 * Runs the requested checks one after the other, each on its own workbench.
 *
 * @throws BlockedServer if a server blocks its thread, or a user's program or module answers nothing; the check during
 * which it is found gets no result
 */
export async function executeChecks(
  plain: Transport,
  start: DriverStart,
  work: CheckWork,
  send: (message: FromDriver) => void,
): Promise<void> {
  const faced = await withEventFace(plain);
  const transport = start.transport.module === null ? faced : reportCalls(faced, send);
  shareCompiledCode();
  startBeating(send);
  const shared = new SharedPeer();
  const isAsked = start.transport.module !== null && plain.capabilities.patterns.includes("request-reply");
  const silence = isAsked && plain.program === undefined ? new ModuleSilence() : undefined;
  let obstacle: string | undefined;
  try {
    for (const id of work.checks) {
      const check = EVERY_CHECK.find((candidate) => candidate.id === id);
      if (check === undefined) throw new Error(`unknown check ${id}`);
      const usesShared = check.sharesPeer || check.killsPeer;
      const done = await runCheck(check, { transport, start, shared: usesShared ? shared : undefined, send, silence });
      if (usesShared && (done.status === "failed" || done.status === "unavailable")) await shared.discard();
      send(done);
    }
  } finally {
    obstacle = await shared.discard();
  }
  if (obstacle !== undefined) throw new Error(obstacle);
}

interface Setting extends Omit<WorkbenchOptions, "signal"> {
  /** Absent for a transport of ours, for a user's program, and for a module that sends no replies. */
  readonly silence: ModuleSilence | undefined;
}

async function runCheck(check: Check, setting: Setting): Promise<CheckDone> {
  const { transport, start } = setting;
  const unmet = unmetNeed(check, transport);
  if (unmet !== undefined) {
    return { type: "check", id: check.id, status: "not-applicable", reason: unmet, notes: {}, durationMs: 0 };
  }
  const timeoutMs = check.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const limit = new AbortController();
  const bench = new Workbench({ ...setting, signal: limit.signal });
  const startedMs = performance.now();
  const stray = watchStrayErrors();
  const servers = new ServerWatch(bench.answering);
  let failure: unknown;
  try {
    await withLimit(Promise.race([check.run(bench), servers.blocked]), timeoutMs, limit);
  } catch (error) {
    failure = error;
  }
  if (bench.hasReply) setting.silence?.answered();
  const blocked = await servers.end();
  if (blocked !== undefined) limit.abort();
  const silence =
    failure === undefined || blocked !== undefined || failure instanceof NotApplicable
      ? undefined
      : await silenceIn(bench, setting, failure, performance.now() - startedMs);
  if (failure !== undefined && transport.program !== undefined) failure = await withAccount(bench, failure);
  const obstacle = await bench.cleanUp();
  const strayError = stray.stop();
  if (blocked !== undefined || silence !== undefined) throw blocked ?? silence;
  failure ??= strayError ?? (obstacle === undefined ? undefined : new Error(obstacle));
  const done = {
    type: "check",
    id: check.id,
    notes: bench.notes,
    durationMs: Math.round(performance.now() - startedMs),
  } as const;
  if (failure === undefined) return { ...done, status: "passed" };
  const shortage = shortageIn(failure) ?? bench.shortage();
  if (shortage !== undefined) return { ...done, status: "unavailable", reason: withoutNames(shortage.message) };
  const reason = inapplicable(failure, start);
  if (reason !== undefined) return { ...done, status: "not-applicable", reason };
  return { ...done, status: "failed", ...accountOf(failure, strayError) };
}

function withLimit(run: Promise<void>, timeoutMs: number, limit: AbortController): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = new Deadline(timeoutMs, () => {
      limit.abort();
      reject(new Error(`not finished within ${timeoutMs} ms`));
    });
    run.then(resolve, reject).finally(() => deadline.clear());
  });
}

/** An unhandled rejection or an exception in a callback fails the check during which it happens. */
function watchStrayErrors(): { stop(): unknown } {
  let first: unknown;
  const onStray = (error: unknown): void => {
    first ??= error instanceof Error ? error : new Error(String(error));
  };
  process.on("unhandledRejection", onStray);
  process.on("uncaughtException", onStray);
  return {
    stop() {
      process.off("unhandledRejection", onStray);
      process.off("uncaughtException", onStray);
      return first;
    },
  };
}

/** Returns the failure that a user's program or module answers nothing, which then stands for that of the check. */
async function silenceIn(
  bench: Workbench,
  { transport, silence }: Setting,
  failure: unknown,
  tookMs: number,
): Promise<Error | undefined> {
  const clause =
    transport.program === undefined
      ? await silence?.find(failure, tookMs, () => bench.startNew())
      : await silenceOfProgram(bench.answering);
  if (clause === undefined) return undefined;
  const told = await bench.explain(new Error(`${transport.id} ${clause}`));
  return new BlockedServer(told instanceof Error ? told.message : clause);
}

/** Adds to a failure the part that a user's program had in it. */
async function withAccount(bench: Workbench, failure: unknown): Promise<unknown> {
  if (failure instanceof NotApplicable || (isIpcError(failure) && failure.code === "IPC_UNKNOWN_METHOD"))
    return failure;
  return bench.explain(failure);
}

/** Returns why the claim could not be examined, if that is the failure; otherwise undefined. */
function inapplicable(failure: unknown, { peerLanguage }: DriverStart): string | undefined {
  if (failure instanceof NotApplicable) return failure.message;
  const unknownMethod = isIpcError(failure) && failure.code === "IPC_UNKNOWN_METHOD";
  if (unknownMethod && peerLanguage === PROGRAM) return "the server is a program of the user's";
  // Peers in other languages implement the wire protocol, but not always all methods that checks need.
  return unknownMethod && peerLanguage !== "node"
    ? `the peer written in ${peerLanguage} cannot do what it needs`
    : undefined;
}

/** Describes a failed check. An uncaught exception stands beside its failure, since it may be the cause. */
export function accountOf(failure: unknown, stray: unknown): { readonly reason: string; readonly error: string } {
  if (stray === undefined) return { reason: firstLine(failure), error: fullText(failure) };
  if (stray === failure) return { reason: `uncaught exception: ${firstLine(failure)}`, error: fullText(failure) };
  return {
    reason: `${firstLine(failure)}; meanwhile a callback threw: ${firstLine(stray)}`,
    error: `${fullText(failure)}\n${fullText(stray)}`,
  };
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n", 1)[0] ?? message;
}

function fullText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
