import type { MixPart } from "../../../scenarios/benchmark.ts";
import { HEADER_BYTES, Kind } from "../../../transports/contract/frame.ts";
import type { Load } from "../../process/load-messages.ts";
import { randomFrom } from "../../results/random.ts";
import type { ReusableMessage } from "../../rpc/message.ts";
import { payloadMessages } from "../../rpc/payload.ts";

/**
 * Draws the part (size) of each of `count` messages. Each part gets its share (± one message), in a shuffled order.
 *
 * @returns indexes of `parts`
 */
export function drawParts(parts: readonly MixPart[], count: number, seed: number): Uint8Array {
  const counts = parts.map(({ share }) => Math.floor(share * count));
  const byRemainder = parts
    .map(({ share }, part) => ({ part, remainder: share * count - (counts[part] as number) }))
    .toSorted((a, b) => b.remainder - a.remainder);
  const left = count - counts.reduce((sum, each) => sum + each, 0);
  for (const { part } of byRemainder.slice(0, left)) counts[part] = (counts[part] as number) + 1;
  const drawn = new Uint8Array(count);
  let end = 0;
  counts.forEach((each, part) => {
    drawn.fill(part, end, end + each);
    end += each;
  });
  const random = randomFrom(seed);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const kept = drawn[last] as number;
    drawn[last] = drawn[other] as number;
    drawn[other] = kept;
  }
  return drawn;
}

/** Requests of a load. */
export interface Requests {
  /** Size of the largest request or reply, header included. */
  readonly largestBytes: number;
  /** Returns a function that returns the request of an index below `each`, see {@link RequestMix.draw}. */
  draw(each: number, client: number, clients: number, seed: number): (index: number) => ReusableMessage;
}

/** Requests of a load, for all sizes of its mix. */
export class RequestMix implements Requests {
  readonly largestBytes: number;
  readonly #parts: readonly MixPart[];
  readonly #messages: readonly (readonly ReusableMessage[])[];

  constructor({ payloadBytes, mix, workMicros }: Load) {
    this.#parts = mix ?? [{ bytes: payloadBytes, share: 1 }];
    this.#messages = this.#parts.map(({ bytes }) => payloadMessages(Kind.request, bytes, workMicros));
    this.largestBytes = HEADER_BYTES + Math.max(...this.#parts.map(({ bytes }) => bytes));
  }

  /**
   * Draws the requests of one of several clients in one window. Each client takes every n-th of all requests, so that
   * the shares hold for all clients together.
   *
   * @param each number of requests per client
   * @returns function that returns the request of an index below `each`
   */
  draw(each: number, client: number, clients: number, seed: number): (index: number) => ReusableMessage {
    const drawn = drawParts(this.#parts, each * clients, seed);
    return (index) => {
      const messages = this.#messages[drawn[index * clients + client] as number] as readonly ReusableMessage[];
      return messages[index % messages.length] as ReusableMessage;
    };
  }
}
