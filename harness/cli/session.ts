import type { Place } from "../../transports/contract/transport.ts";
import { Brood } from "../coordinator/run-driver.ts";
import { RUN_VARIABLE } from "../process/orphans.ts";
import { createPlace, removePlace, sweepDeadPlaces } from "../process/place.ts";
import { EXIT } from "./exit-codes.ts";

/** What a command that starts processes works in. */
export interface Session {
  readonly place: Place;
  readonly brood: Brood;
}

/**
 * Runs `work` in a private directory, sweeps what killed runs left before it, and leaves nothing behind after it: also on SIGINT and
 * SIGTERM, which end the process with 130 and 143.
 */
export async function inSession<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
  await sweepDeadPlaces();
  const place = await createPlace();
  // Whatever this process starts from now on is found by it, be it a compiler or git.
  process.env[RUN_VARIABLE] = place.prefix;
  const brood = new Brood(place);
  let interrupted = false;
  const interrupt = (code: number): void => {
    if (interrupted) return;
    interrupted = true;
    void brood
      .end()
      .then(() => removePlace(place))
      .finally(() => process.exit(code));
  };
  const onInterrupt = (): void => interrupt(EXIT.sigint);
  const onTerminate = (): void => interrupt(EXIT.sigterm);
  process.on("SIGINT", onInterrupt).on("SIGTERM", onTerminate);
  try {
    return await work({ place, brood });
  } finally {
    if (interrupted) await new Promise(() => {});
    process.off("SIGINT", onInterrupt).off("SIGTERM", onTerminate);
    await brood.end();
    await removePlace(place);
  }
}
