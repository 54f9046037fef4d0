import type { Readable } from "node:stream";

const KEPT_CHARACTERS = 4096;

/** Last part of the output of a process, which may contain a reason. Keeping all of it could fill our memory. */
export class OutputTail {
  #text = "";

  follow(stream: Readable): void {
    stream.setEncoding("utf8").on("data", (piece: string) => this.add(piece));
  }

  add(piece: string): void {
    this.#text = (this.#text + piece).slice(-KEPT_CHARACTERS);
  }

  get text(): string {
    return this.#text;
  }

  /** Returns the last line, or the error above it if that is a stack trace; undefined when nothing was printed. */
  lastTelling(): string | undefined {
    const lines = this.#text.split("\n").filter((line) => line.trim() !== "");
    return (lines.findLast(isTelling) ?? lines.at(-1))?.trim();
  }
}

/** False for stack frames and what else Node prints around or after an error: the error is above. */
function isTelling(line: string): boolean {
  return !/^\s+at |^Node\.js v|^Emitted '\w+' event |^\s*[{}]\s*$|^ {2}\w+: .*,?$/.test(line);
}
