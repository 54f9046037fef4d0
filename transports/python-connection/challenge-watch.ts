import { SHORTEST_CHALLENGE_BYTES, startsWithChallenge } from "./handshake.ts";
import { LONGEST_PREFIX_BYTES, PYTHON_PREFIX } from "./prefix.ts";

/**
 * Finds out from the first bytes of a stream whether its first message is a challenge, however the stream is cut. The
 * chunks may be passed on immediately: as long as the answer is undefined, the first message is not complete.
 */
export class ChallengeWatch {
  readonly #head: Uint8Array = new Uint8Array(LONGEST_PREFIX_BYTES + SHORTEST_CHALLENGE_BYTES);
  #have = 0;

  /** Checks bytes `[0, end)` of the next chunk. Undefined: not known yet, so the chunk after it must be checked too. */
  sees(chunk: Uint8Array, end: number): boolean | undefined {
    const taken = Math.min(end, this.#head.length - this.#have);
    this.#head.set(chunk.subarray(0, taken), this.#have);
    this.#have += taken;
    if (this.#have < PYTHON_PREFIX.minBytes) return undefined;
    const from = PYTHON_PREFIX.bytesAt(this.#head, 0);
    if (this.#have < from) return undefined;
    if (PYTHON_PREFIX.lengthAt(this.#head, 0) < SHORTEST_CHALLENGE_BYTES) return false;
    const to = from + SHORTEST_CHALLENGE_BYTES;
    return this.#have < to ? undefined : startsWithChallenge(this.#head.subarray(from, to));
  }
}
