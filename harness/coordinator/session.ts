import type { Place } from "../../transports/contract/transport.ts";
import { openBundle } from "../bundle/bundle.ts";
import { note } from "../process/note.ts";
import { RUN_VARIABLE } from "../process/orphans.ts";
import { createPlace, removePlace, sweepDeadPlaces } from "../process/place.ts";
import { EXIT } from "../results/exit-codes.ts";
import type { Crash } from "../results/model.ts";
import { ProcessSupervisor } from "./process-supervisor.ts";

/** Longest sweep after an interruption, ms: the command ends within 2 s, whatever a user's module does. */
const INTERRUPTED_SWEEP_MS = 1000;

/** Environment of a command that starts processes. */
export interface Session {
  readonly place: Place;
  readonly supervisor: ProcessSupervisor;
  /** Aborts on the first SIGINT or SIGTERM. */
  readonly interrupted: AbortSignal;
}

/** Stores the results that an interrupted command had so far, and returns a function that prints them. */
export type StorePartial = () => () => void;

/** Longest end after an interruption, ms: the command ends within 2 s and leaves the rest to the next one. */
const ENDING_LIMIT_MS = 1700;

/**
 * Runs `work` in a private directory, sweeps what killed runs left before it, and leaves nothing behind after it: also
 * on SIGINT and SIGTERM, which end the process with 130 and 143. A second signal ends it at once.
 *
 * @param storePartial called when a signal comes, before anything is ended
 * @param crashes gets an entry for each process of the run that crashes
 * @param bundled processes may run from a bundle; default: they run from the source
 */
export async function inSession<Result>(
  work: (session: Session) => Promise<Result>,
  storePartial: StorePartial = () => () => {},
  crashes: Crash[] = [],
  bundled = false,
): Promise<Result> {
  // A missing bundle is no failure: processes only take longer to start.
  const opened = bundled ? await openBundle() : undefined;
  const bundle = opened === undefined || "reason" in opened ? undefined : opened;
  await sweepDeadPlaces();
  const place = await createPlace();
  const abort = new AbortController();
  const interrupted = abort.signal;
  // Everything that this process starts from now on inherits it, be it a compiler or git.
  process.env[RUN_VARIABLE] = place.prefix;
  const supervisor = new ProcessSupervisor(place, crashes, bundle);
  const interrupt = (code: number): void => {
    if (interrupted.aborted) process.exit(code);
    const startedMs = performance.now();
    // Set also for whatever ends the process on the way, such as the end of the reader of its output.
    process.exitCode = code;
    const print = tryToStore(storePartial);
    const finish = (): void => {
      print();
      process.exit(code);
    };
    setTimeout(finish, Math.max(0, ENDING_LIMIT_MS - (performance.now() - startedMs)));
    abort.abort();
    void supervisor
      .end()
      .then(() => removePlace(place, INTERRUPTED_SWEEP_MS))
      .then(finish, finish);
  };
  const onInterrupt = (): void => interrupt(EXIT.sigint);
  const onTerminate = (): void => interrupt(EXIT.sigterm);
  process.on("SIGINT", onInterrupt).on("SIGTERM", onTerminate);
  try {
    return await work({ place, supervisor, interrupted });
  } finally {
    await unlessAborted(interrupted);
    await supervisor.end();
    await removePlace(place);
    await unlessAborted(interrupted);
    process.off("SIGINT", onInterrupt).off("SIGTERM", onTerminate);
  }
}

/** Never resolves once the run is interrupted: then the signal's handler ends the process. */
function unlessAborted({ aborted }: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (!aborted) resolve();
  });
}

function tryToStore(storePartial: StorePartial): () => void {
  try {
    return storePartial();
  } catch (error) {
    return () => note(`what was found so far could not be stored: ${(error as Error).message}`);
  }
}
