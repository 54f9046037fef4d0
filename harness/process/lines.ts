import type { Readable, Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** Longest line. Even a line with a histogram has only a few kB; a process that sends longer ones is broken. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/** Calls back with each JSON value. `onNoise` gets the other lines, such as those that a library prints to stdout. */
export function readLines(
  stream: Readable,
  onValue: (value: unknown) => void,
  onEnd: () => void,
  onNoise: (line: string) => void = () => {},
): void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    onEnd();
  };
  stream.on("data", (chunk: Buffer) => {
    rest += decoder.write(chunk);
    let from = 0;
    for (let at = rest.indexOf("\n"); at >= 0; at = rest.indexOf("\n", from)) {
      const line = rest.slice(from, at).trim();
      from = at + 1;
      if (line.length > 0) deliver(line, onValue, onNoise);
    }
    rest = rest.slice(from);
    if (rest.length > MAX_LINE_CHARACTERS)
      stream.destroy(new Error(`a line of more than ${MAX_LINE_CHARACTERS} characters`));
  });
  stream.on("end", end);
  stream.on("close", end);
  stream.on("error", end);
}

function deliver(line: string, onValue: (value: unknown) => void, onNoise: (line: string) => void): void {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    onNoise(line);
    return;
  }
  onValue(value);
}

export function writeLine(stream: Writable, value: object): void {
  if (stream.writable) stream.write(`${JSON.stringify(value)}\n`);
}
