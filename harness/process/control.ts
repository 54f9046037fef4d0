import { readSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { readLines, writeLine } from "./lines.ts";
import { Mailbox, type Typed } from "./mailbox.ts";

/** The far end of a `Child`: how a driver or peer hears from whoever started it. */
export interface Control<In extends Typed, Out extends object> {
  send(message: Out): void;
  /** From inside a loop that never returns to the event loop. */
  sendNow(message: Out): void;
  next<Type extends In["type"]>(types: readonly Type[], timeoutMs?: number): Promise<Extract<In, { type: Type }>>;
  onMessage<Type extends In["type"]>(type: Type, listener: (message: Extract<In, { type: Type }>) => void): void;
  /** From inside such a loop: true when a message has come, which can only mean the end by then, or the channel was closed. */
  endAskedNow(): boolean;
  /** Resolves when whoever started this process closed the channel or died. */
  readonly ended: Promise<void>;
  /** Resolves when everything sent has left this process. */
  flushed(): Promise<void>;
}

/** Longest a timer can wait: used where something else bounds the wait. */
const FOREVER_MS = 2 ** 31 - 1;

/** Opens the control channel: stdin and stdout, or descriptor 3 when `--control-fd 3` says so (their own stdio is the data). */
export function openControl<In extends Typed, Out extends object>(): Control<In, Out> {
  const onDescriptor3 = process.argv.includes("--control-fd");
  const duplex = onDescriptor3 ? new Socket({ fd: 3 }) : undefined;
  const input: Readable = duplex ?? process.stdin;
  const output: Writable = duplex ?? process.stdout;
  const mailbox = new Mailbox<In>();
  const listeners = new Map<string, (message: In) => void>();
  output.on("error", () => {});
  const ended = new Promise<void>((resolve) => {
    const onEnd = (): void => {
      mailbox.end(() => "the control channel was closed");
      resolve();
    };
    readLines(input, (value) => receive(value as In), onEnd);
  });

  function receive(message: In): void {
    const listener = listeners.get(message.type);
    if (listener === undefined) mailbox.put(message);
    else listener(message);
  }

  return {
    send: (message) => writeLine(output, message),
    sendNow: (message) => writeWhole(onDescriptor3 ? 3 : 1, `${JSON.stringify(message)}\n`),
    endAskedNow: () => hasInput(onDescriptor3 ? 3 : 0),
    next: (types, timeoutMs = FOREVER_MS) => mailbox.next(types, timeoutMs, "control channel"),
    onMessage: (type, listener) => void listeners.set(type, listener as (message: In) => void),
    ended,
    flushed: () => new Promise((resolve) => void (output.writable ? output.write("", () => resolve()) : resolve())),
  };
}

const BYTE = new Uint8Array(1);

/** The descriptor does not block, because its stream made it so. What is read here is not heard by the event loop any more. */
function hasInput(descriptor: number): boolean {
  try {
    readSync(descriptor, BYTE);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EAGAIN";
  }
}

function writeWhole(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      // The pipe is full and non-blocking: its reader is another process, which empties it.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}
