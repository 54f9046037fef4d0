/**
 * Node parses the bytes of a child's channel in a callback of its own. For malformed bytes the parser throws an error
 * that nobody can catch, so a child that writes rubbish would end its parent (nodejs/node#61312, #10131).
 *
 * The callback is a property of the handle below the channel, which Node keeps under a symbol. Both are private, so the
 * guard is optional: if a future Node moves them, a channel works without the guard. Messages are delivered in later
 * ticks, so the callback throws only errors of the parser.
 */

interface ChannelHandle {
  onread: (this: ChannelHandle, chunk?: ArrayBuffer) => void;
  /** `true` if the last chunk ended in the middle of a message. Node disconnects only after the end of the message. */
  buffering?: boolean;
}

const HANDLE = "kChannelHandle";
const PREFIX_BYTES = 4;

export interface ChannelRules {
  /** Size of the largest message on the wire, bytes; a longer one is refused before it is complete. */
  readonly mostBytes: number;
  /** `true` if a message begins with its length, u32 big-endian; otherwise it ends with a line feed. */
  readonly prefixed: boolean;
}

/** Watches the reading side of a channel. */
export class ChannelGuard {
  readonly #rules: ChannelRules;
  #unfinishedBytes = 0;

  private constructor(rules: ChannelRules) {
    this.#rules = rules;
  }

  /**
   * @param onRubbish called once, with the problem; no further bytes of the channel are parsed
   * @returns undefined if this Node has no such handle
   */
  static watch(end: object, rules: ChannelRules, onRubbish: (problem: string) => void): ChannelGuard | undefined {
    const key = Object.getOwnPropertySymbols(end).find(({ description }) => description === HANDLE);
    const handle = key === undefined ? undefined : (end as Record<symbol, ChannelHandle | undefined>)[key];
    if (typeof handle?.onread !== "function") return undefined;
    const guard = new ChannelGuard(rules);
    const { onread } = handle;
    const refuse = (problem: string): void => {
      handle.onread = () => {};
      handle.buffering = false;
      onRubbish(problem);
    };
    handle.onread = function read(chunk) {
      const inMessage = this.buffering === true;
      try {
        onread.call(this, chunk);
      } catch (error) {
        return refuse((error as Error).message);
      }
      const problem = this.buffering === true && chunk !== undefined ? guard.#grown(chunk, inMessage) : undefined;
      if (problem !== undefined) refuse(problem);
    };
    return guard;
  }

  /** Resets the count: unfinished bytes now belong to another message. */
  delivered(): void {
    this.#unfinishedBytes = 0;
  }

  #grown(chunk: ArrayBuffer, inMessage: boolean): string | undefined {
    const { mostBytes, prefixed } = this.#rules;
    this.#unfinishedBytes += chunk.byteLength;
    if (prefixed && !inMessage && chunk.byteLength >= PREFIX_BYTES) {
      const announced = new DataView(chunk).getUint32(0);
      if (announced > mostBytes) return `a message announces ${announced} bytes; the limit is ${mostBytes}`;
    }
    // This still counts a message that this chunk ended, until the next tick delivers and subtracts it.
    return this.#unfinishedBytes > 2 * mostBytes ? `a message of more than ${mostBytes} bytes has no end` : undefined;
  }
}
