import { HEADER_BYTES, Kind, readId, readStatus, Status } from "../../transports/contract/frame.ts";
import type { RecordedPlace } from "../process/load-messages.ts";
import { buildFrame, ReusableMessage } from "../rpc/message.ts";
import { hasResponses, type RecordedFile, readRecorded, repliesOf } from "../rpc/recorded.ts";

/** Server side of recorded messages: replies to the message of a number with its recorded response. */
export class Replayer {
  readonly #requests: readonly Uint8Array[];
  readonly #replies: readonly ReusableMessage[];

  constructor(file: RecordedFile) {
    this.#requests = file.messages.map(({ request }) => request);
    this.#replies = repliesOf(file).map((body) => new ReusableMessage(Kind.reply, 0, body));
  }

  /**
   * Returns the reply, which is valid until the next call for the same message; with status `corrupt` where the request
   * differs from the recorded one in any byte.
   */
  answer(request: Uint8Array): Uint8Array {
    const number = readStatus(request);
    const expected = this.#requests[number];
    const id = readId(request);
    if (expected === undefined || Buffer.compare(expected, request.subarray(HEADER_BYTES)) !== 0) {
      return buildFrame(Kind.reply, id, 0, Status.corrupt, new Uint8Array(0));
    }
    return (this.#replies[number] as ReusableMessage).stamp(id);
  }
}

/** Reads the recorded messages; undefined where none has a response, since the server then echoes. */
export function loadReplayer(place: RecordedPlace | undefined): Replayer | undefined {
  if (place === undefined) return undefined;
  const file = readRecorded(place.path);
  return hasResponses(file) ? new Replayer(file) : undefined;
}
