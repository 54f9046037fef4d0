import { Kind } from "../../transports/contract/frame.ts";
import type { Connection } from "../../transports/contract/transport.ts";
import type { PeerPublish, Published } from "../process/messages.ts";
import { type ReusableMessage, STREAM_LAST } from "../rpc/message.ts";
import { payloadMessages } from "../rpc/payload.ts";

/** Time without progress after which the subscribers count as stuck, ms. */
const STUCK_MS = 5000;

/** Progress of one connection. */
interface Track {
  readonly connection: Connection;
  sent: number;
  full: boolean;
}

/** Sends the same messages to every connection, each as fast as it takes them. One publication at a time. */
export class Publisher {
  readonly #tracks: Track[];
  readonly #messages: readonly ReusableMessage[];
  readonly #count: number;
  readonly #onDone: (published: Published) => void;
  readonly #startedNs: bigint;
  readonly #watch: NodeJS.Timeout;
  #ended = false;

  constructor(connections: Iterable<Connection>, request: PeerPublish, onDone: (published: Published) => void) {
    const all = [...connections];
    // If the mechanism distributes, its one connection reaches all subscribers.
    const chosen = request.distribution === "transport" ? all.slice(0, 1) : all;
    this.#tracks = chosen.map((connection) => ({ connection, sent: 0, full: false }));
    this.#messages = payloadMessages(Kind.oneWay, request.payloadBytes);
    this.#count = request.messages;
    this.#onDone = onDone;
    this.#startedNs = process.hrtime.bigint();
    this.#watch = this.#arm();
    this.#run();
  }

  onWritable(connection: Connection): void {
    const track = this.#tracks.find((each) => each.connection === connection);
    if (track === undefined || !track.full) return;
    track.full = false;
    this.#watch.refresh();
    this.#run();
  }

  #arm(): NodeJS.Timeout {
    return setTimeout(() => this.#end(`a subscriber read nothing for ${STUCK_MS} ms`), STUCK_MS);
  }

  #run(): void {
    if (this.#ended) return;
    try {
      for (let moving = true; moving; ) {
        moving = false;
        for (const track of this.#tracks) if (this.#step(track)) moving = true;
      }
    } catch (error) {
      return this.#end((error as Error).message);
    }
    if (this.#tracks.every(({ sent }) => sent === this.#count)) this.#end();
  }

  #step(track: Track): boolean {
    if (track.full || track.sent === this.#count) return false;
    const message = this.#messages[track.sent % this.#messages.length] as ReusableMessage;
    const last = track.sent === this.#count - 1;
    track.full = !track.connection.send(message.stamp(track.sent, last ? STREAM_LAST : 0));
    if (!track.full) track.sent++;
    return !track.full;
  }

  #end(problem?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#watch);
    const startedNs = String(this.#startedNs);
    this.#onDone({ type: "published", startedNs, ...(problem === undefined ? {} : { problem }) });
  }
}
