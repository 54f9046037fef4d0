import { StringDecoder } from "node:string_decoder";
import { MAX_CLIENTS } from "./fifo-names.ts";

/** Longest hello line, characters. A hello has a dozen; more without a line feed is rubbish. */
const HELLO_LIMIT_CHARS = 64;

/** First byte that a server sends through a new pair. */
export const Welcome = { accepted: 1, full: 2 } as const;

/** Cuts the bytes of the hello FIFO into the slots of newcomers; skips anything else. */
export class HelloLines {
  readonly #text = new StringDecoder("latin1");
  #line = "";

  take(chunk: Uint8Array): number[] {
    const lines = (this.#line + this.#text.write(chunk as Buffer)).split("\n");
    this.#line = (lines.pop() ?? "").slice(-HELLO_LIMIT_CHARS);
    return lines.flatMap((line) => {
      const slot = /^hello (\d{1,3})$/.exec(line)?.[1];
      return slot !== undefined && Number(slot) < MAX_CLIENTS ? [Number(slot)] : [];
    });
  }
}
