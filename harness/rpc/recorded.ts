import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Recorded } from "../../scenarios/benchmark.ts";
import { membersOf } from "./json-text.ts";

/** Largest number of messages: a request names its message in the two bytes of `status`. */
export const MOST_RECORDED = 65_536;
/** Largest sum of the sizes of all files, bytes: each process of a trial keeps them in memory. */
const MOST_BYTES = 256 * 1024 ** 2;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** One recorded request, with its reply if that was recorded too. */
export interface RecordedMessage {
  readonly request: Uint8Array;
  readonly response: Uint8Array | undefined;
}

/**
 * Contents of recorded messages: of a file with one JSON value or `{"request": …, "response": …}` a line, or of a
 * directory with one message in each file.
 */
export interface RecordedFile {
  readonly messages: readonly RecordedMessage[];
  /** SHA-256 of the file, as `sha256sum` computes it; of a directory: over names, sizes and bytes of its files. */
  readonly sha256: string;
  /** `true` if each request is a JSON value. */
  readonly isJson: boolean;
}

/** Error for a file that cannot be replayed. The message names the file, the line and the remedy. */
export class RecordedError extends Error {
  override readonly name = "RecordedError";
}

const NAME = "name a file of JSON lines or a directory, or give a number of messages";

/** Reads a file or a directory of recorded messages. @throws RecordedError */
export function readRecorded(path: string): RecordedFile {
  const name = basename(path);
  let found: RecordedFile;
  try {
    const stats = statSync(path);
    // Reading a FIFO would wait for a writer, and a device may never end.
    if (!stats.isDirectory() && !stats.isFile())
      throw new RecordedError(`${name} is no file and no directory; ${NAME}`);
    found = stats.isDirectory() ? directoryOf(path, name) : linesOf(path, name);
  } catch (error) {
    if (error instanceof RecordedError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? "does not exist" : `cannot be read (${code ?? (error as Error).message})`;
    throw new RecordedError(`--messages "${path}" ${reason}; ${NAME}`);
  }
  if (found.messages.length === 0)
    throw new RecordedError(`${name} has no message; record some with ipcmark record -- <command of a server>`);
  if (found.messages.length > MOST_RECORDED) {
    const count = found.messages.length;
    throw new RecordedError(`${name} has ${count} messages, and at most ${MOST_RECORDED} can be replayed; shorten it`);
  }
  return found;
}

function linesOf(path: string, name: string): RecordedFile {
  refuseTooMuch(statSync(path).size, name);
  const bytes = readFileSync(path);
  const messages: RecordedMessage[] = [];
  let number = 0;
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, from);
    const end = found < 0 ? bytes.length : found;
    const line = bytes.subarray(from, bytes[end - 1] === CARRIAGE_RETURN && end > from ? end - 1 : end);
    number++;
    if (line.length > 0) messages.push(messageOf(line, `${name}, line ${number}`));
    from = end + 1;
  }
  return { messages, sha256: createHash("sha256").update(bytes).digest("hex"), isJson: true };
}

function messageOf(line: Uint8Array, where: string): RecordedMessage {
  if (!isUtf8(line))
    throw new RecordedError(`${where} is not UTF-8; put each message in a file of its own, and name their directory`);
  const value = parsed(line, where);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const names = isObject ? Object.keys(value).sort().join() : "";
  if (names !== "request,response") return { request: line, response: undefined };
  const members = membersOf(line);
  return { request: members.get("request") as Uint8Array, response: members.get("response") as Uint8Array };
}

function parsed(line: Uint8Array, where: string): unknown {
  try {
    return jsonIn(line);
  } catch (error) {
    const reason = (error as Error).message.replace(/\s+/g, " ");
    throw new RecordedError(
      `${where} is not one JSON value (${reason}); correct it, or write each message in one line of JSON`,
    );
  }
}

function directoryOf(path: string, name: string): RecordedFile {
  const names = readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort();
  refuseTooMuch(
    names.reduce((sum, file) => sum + statSync(join(path, file)).size, 0),
    name,
  );
  const hash = createHash("sha256");
  const messages = names.map((file): RecordedMessage => {
    const request = readFileSync(join(path, file));
    hash.update(JSON.stringify([file, request.length])).update(request);
    return { request, response: undefined };
  });
  return { messages, sha256: hash.digest("hex"), isJson: false };
}

function refuseTooMuch(bytes: number, name: string): void {
  if (bytes > MOST_BYTES)
    throw new RecordedError(
      `${name} has ${Math.ceil(bytes / 1024 ** 2)} MiB, and at most ${MOST_BYTES / 1024 ** 2} MiB can be replayed; ` +
        "shorten it",
    );
}

/** Returns true if any message of the file has a response. Then a message without one gets an empty reply. */
export function hasResponses({ messages }: RecordedFile): boolean {
  return messages.some(({ response }) => response !== undefined);
}

const EMPTY = new Uint8Array(0);

/** Returns the body of the reply to each message: its response, or its own bytes if no message has a response. */
export function repliesOf(file: RecordedFile): readonly Uint8Array[] {
  const isEcho = !hasResponses(file);
  return file.messages.map(({ request, response }) => response ?? (isEcho ? request : EMPTY));
}

/** Returns the value of each request. @throws RecordedError if the requests are not JSON */
export function requestValuesOf({ messages, isJson }: RecordedFile): readonly unknown[] {
  if (!isJson) throw new RecordedError("the messages of a directory are not JSON values; leave out --codec");
  return messages.map(({ request }) => jsonIn(request));
}

/** Returns the value of each response; null for a message without one. */
export function responseValuesOf({ messages }: RecordedFile): readonly unknown[] {
  return messages.map(({ response }) => (response === undefined ? null : jsonIn(response)));
}

function jsonIn(text: Uint8Array): unknown {
  return JSON.parse(Buffer.from(text.buffer, text.byteOffset, text.length).toString());
}

/** Returns the description of a file that a report keeps. */
export function describeRecorded(file: RecordedFile, path: string, group?: string): Recorded {
  const sizes = file.messages.map(({ request }) => request.length);
  return {
    name: basename(path),
    sha256: file.sha256,
    count: sizes.length,
    meanBytes: Math.round(sizes.reduce((sum, size) => sum + size, 0) / sizes.length),
    largestBytes: Math.max(...sizes, ...repliesOf(file).map(({ length }) => length)),
    hasResponses: hasResponses(file),
    ...(group === undefined ? {} : { group }),
  };
}

/** Largest number of groups with figures of their own; the rarer groups share one. */
const MOST_GROUPS = 16;
const OTHERS = "(others)";
const NONE = "(none)";

/** Groups of messages by a field. */
export interface Groups {
  readonly names: readonly string[];
  /** Index of `names` for each message. */
  readonly of: Uint8Array;
}

/**
 * Groups messages by a field of their requests, the most frequent first.
 *
 * @param field name of a member; names of nested members with dots between them, such as `params.name`
 */
export function groupsOf({ messages }: RecordedFile, field: string): Groups {
  const path = field.split(".");
  const values = messages.map(({ request }) => textAt(jsonIn(request), path));
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const byCount = [...counts].toSorted(([, a], [, b]) => b - a).map(([name]) => name);
  const names = byCount.length > MOST_GROUPS ? [...byCount.slice(0, MOST_GROUPS), OTHERS] : byCount;
  const numbers = new Map(names.map((name, index) => [name, index]));
  return { names, of: Uint8Array.from(values, (value) => numbers.get(value) ?? names.length - 1) };
}

function textAt(value: unknown, path: readonly string[]): string {
  let found: unknown = value;
  for (const name of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return NONE;
    found = (found as Record<string, unknown>)[name];
  }
  return typeof found === "string" ? found.slice(0, 100) : (JSON.stringify(found)?.slice(0, 100) ?? NONE);
}

/**
 * Returns the index of the message for a position in a window. A window of at least `count` requests takes all messages
 * in their order, again and again. A shorter window, as in a warm-up, takes messages that are spread over the file.
 *
 * @param position number of a request within the window, from 0, below `total`
 */
export function recordedAt(position: number, total: number, count: number): number {
  return total < count ? Math.floor((position * count) / total) : position % count;
}
