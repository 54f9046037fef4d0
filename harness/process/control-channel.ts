import { readSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { CONTROL_ARGS, CONTROL_FD } from "./control-fd.ts";
import { readLines, writeLine } from "./lines.ts";
import { Mailbox, type Typed } from "./mailbox.ts";
import { isObject } from "./rules.ts";

/** Far end of a `Child`: the channel of a driver or peer to the process that started it. */
export interface ControlChannel<In extends Typed, Out extends object> {
  send(message: Out): void;
  /** Sends immediately, for code in a loop that never returns to the event loop; on Windows when it returns. */
  sendNow(message: Out): void;
  next<Type extends In["type"]>(types: readonly Type[], timeoutMs?: number): Promise<Extract<In, { type: Type }>>;
  onMessage<Type extends In["type"]>(type: Type, listener: (message: Extract<In, { type: Type }>) => void): void;
  /**
   * Returns true if the channel was closed or a message came, which can only be the request to end. For such loops.
   * Returns undefined on Windows, where only the event loop can find out: there a read waits until something comes.
   */
  endAskedNow(): boolean | undefined;
  /** Resolves when the process that started this one has closed the channel or died. */
  readonly ended: Promise<void>;
  /** Resolves when everything sent has left this process. */
  flushed(): Promise<void>;
}

/** Longest wait of a timer, ms: used if something else limits the wait. */
const FOREVER_MS = 2 ** 31 - 1;

/**
 * Opens the control channel: descriptor 3 with `--control-fd 3`, which the harness passes because code that its
 * processes load may print; otherwise stdin and stdout, for processes started by hand.
 */
export function openControlChannel<In extends Typed, Out extends object>(): ControlChannel<In, Out> {
  const isWindows = process.platform === "win32";
  const isApart = process.argv.includes(CONTROL_ARGS[0]);
  // Half open, since the other side may have closed its direction but still reads our last line.
  const duplex = isApart ? new Socket({ fd: CONTROL_FD, allowHalfOpen: true }) : undefined;
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
    readLines(input, (value) => isObject(value) && receive(value as unknown as In), onEnd);
  });

  function receive(message: In): void {
    const listener = listeners.get(message.type);
    if (listener === undefined) mailbox.put(message);
    else listener(message);
  }

  return {
    send: (message) => writeLine(output, message),
    // On Windows a write beside a pending read waits until that read is over.
    sendNow: (message) =>
      isWindows ? writeLine(output, message) : writeWhole(isApart ? CONTROL_FD : 1, `${JSON.stringify(message)}\n`),
    endAskedNow: () => (isWindows ? undefined : hasInput(isApart ? CONTROL_FD : 0)),
    next: (types, timeoutMs = FOREVER_MS) => mailbox.next(types, timeoutMs, "control channel"),
    onMessage: (type, listener) => void listeners.set(type, listener as (message: In) => void),
    ended,
    flushed: () => new Promise((resolve) => void (output.writable ? output.write("", () => resolve()) : resolve())),
  };
}

const BYTE = new Uint8Array(1);

/** True if input or its end has come. Takes a byte from the input. The descriptor must be non-blocking. */
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
      // The pipe is full and non-blocking; its reader, another process, will empty it.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}
