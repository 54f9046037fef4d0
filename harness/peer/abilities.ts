import type { PeerStart } from "../process/messages.ts";
import type { Recoder } from "./recoder.ts";
import type { Replayer } from "./replayer.ts";

/** Parts of a server that only some runs need. */
export interface Abilities<Connection extends object> {
  /** Handles `Method.recode`; without it the method is unknown. */
  readonly recoder?: Recoder<Connection> | undefined;
  /** Handles `Method.replay`; without it the method is unknown. */
  readonly replayer?: Replayer | undefined;
}

/** Loads these parts before the first request, as a blocking server cannot wait; a peer without them starts sooner. */
export async function loadAbilities<Connection extends object>({
  codec,
  recorded,
}: Pick<PeerStart, "codec" | "recorded">): Promise<Abilities<Connection>> {
  if (codec !== undefined) {
    const responses = recorded === undefined ? undefined : await responsesOf(recorded);
    return { recoder: await (await import("./recoder.ts")).loadRecoder<Connection>(codec, responses) };
  }
  return recorded === undefined ? {} : { replayer: (await import("./replayer.ts")).loadReplayer(recorded) };
}

/** Returns the values of the recorded responses; undefined where the server returns the values of the requests. */
async function responsesOf({ path }: NonNullable<PeerStart["recorded"]>): Promise<readonly unknown[] | undefined> {
  const { hasResponses, readRecorded, responseValuesOf } = await import("../rpc/recorded.ts");
  const file = readRecorded(path);
  return hasResponses(file) ? responseValuesOf(file) : undefined;
}
