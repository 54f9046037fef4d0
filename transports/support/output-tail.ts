import type { Readable } from "node:stream";

const KEPT_CHARACTERS = 4096;

/** The end of what a process prints: a reason may be in it, and no process may fill our memory with the rest. */
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

  /** The last line, or the one above the trace of an error, which is the error; undefined when nothing was printed. */
  lastTelling(): string | undefined {
    const lines = this.#text.split("\n").filter((line) => line.trim() !== "");
    return (lines.findLast(isTelling) ?? lines.at(-1))?.trim();
  }
}

/** Stack frames, Node's version line and the fields it prints behind an error mean less than the error above them. */
function isTelling(line: string): boolean {
  return !/^\s+at |^Node\.js v|^\s*[{}]\s*$|^ {2}\w+: .*,?$/.test(line);
}
