import { Method } from "../../../scenarios/check.ts";
import { HEADER_BYTES, Kind } from "../../../transports/contract/frame.ts";
import type { DriverStart } from "../../process/messages.ts";
import { ReusableMessage } from "../../rpc/message.ts";
import {
  type Groups,
  groupsOf,
  hasResponses,
  type RecordedFile,
  readRecorded,
  recordedAt,
  repliesOf,
} from "../../rpc/recorded.ts";
import type { Requests } from "./mix.ts";

/** Recorded messages of a run, as a driver replays them. */
export interface Replay {
  readonly file: RecordedFile;
  /** Absent where latencies are not grouped. */
  readonly groups?: Groups;
}

let read: Replay | undefined;

/**
 * Returns the recorded messages that a driver was started with; undefined where it was started with none. They are
 * read once.
 *
 * @throws Error if the file has changed since the run began
 */
export function replayOf({ recorded }: Pick<DriverStart, "recorded">): Replay | undefined {
  if (recorded === undefined || read !== undefined) return recorded === undefined ? undefined : read;
  const { path, sha256, group } = recorded;
  const file = readRecorded(path);
  if (file.sha256 !== sha256) throw new Error("the file of --messages has changed since the run began");
  read = { file, ...(group === undefined ? {} : { groups: groupsOf(file, group) }) };
  return read;
}

/** Requests with the bodies of recorded messages, in their order. */
export class RecordedRequests implements Requests {
  readonly largestBytes: number;
  readonly #messages: readonly ReusableMessage[];

  constructor(file: RecordedFile) {
    const method = hasResponses(file) ? Method.replay : Method.echo;
    const replies = repliesOf(file);
    this.#messages = file.messages.map(({ request }, number) => {
      const body = replies[number] as Uint8Array;
      const status = method === Method.replay ? number : 0;
      return new ReusableMessage(Kind.request, method, request, { status, ...(body === request ? {} : { body }) });
    });
    const sizes = file.messages.map(({ request }, number) => Math.max(request.length, replies[number]?.length ?? 0));
    this.largestBytes = HEADER_BYTES + Math.max(...sizes);
  }

  /** Returns the requests of one of several clients, which takes every n-th message. */
  draw(each: number, client: number, clients: number): (index: number) => ReusableMessage {
    const messages = this.#messages;
    return (index) =>
      messages[recordedAt(index * clients + client, each * clients, messages.length)] as ReusableMessage;
  }
}
