import { closeSync, constants, fchmodSync, fstatSync, openSync, type Stats, writeSync } from "node:fs";
import { Command } from "commander";
import { note } from "../process/note.ts";
import { passThrough } from "../record/pass-through.ts";
import { type Counts, Recording } from "../record/recording.ts";
import { UsageError } from "../results/exit-codes.ts";

export interface RecordOptions {
  readonly file: string;
  readonly redact?: boolean;
}

export function recordCommand(): Command {
  return new Command("record")
    .description(
      "start a server that exchanges JSON messages over its standard streams, pass everything through, and write the " +
        "client's messages with their replies to a file for --messages; ends with the exit code of the server",
    )
    .argument("<command...>", "the command of the server and its arguments, after --")
    .option("--file <file>", "file to append to; only you can read it (mode 0600)", "calls.ndjson")
    .option("--redact", "write only sizes, structure and method names, and replace all other contents")
    .action(record);
}

/** Records one conversation; stdout belongs to the server. @throws UsageError */
async function record([command = "", ...args]: readonly string[], options: RecordOptions): Promise<void> {
  const { file, redact = false } = options;
  const output = openPrivate(file);
  let problem: string | undefined;
  /** Ends the recording at the first error, and lets the conversation go on. */
  const guarded =
    (step: (bytes: Uint8Array) => void) =>
    (bytes: Uint8Array): void => {
      if (problem !== undefined) return;
      try {
        step(bytes);
      } catch (error) {
        problem = (error as Error).message;
        note(`ipcmark record: recording to ${file} failed (${problem}); the server goes on, without a recording`);
      }
    };
  const write = guarded((line) => {
    for (let done = 0; done < line.length; ) done += writeSync(output, line, done);
  });
  const recording = new Recording(write, redact);
  const what = redact
    ? "sizes and method names, no contents"
    : "all contents, secrets included (--redact leaves them out)";
  note(`ipcmark record: writes every request and reply to ${file}: ${what}; only you can read it`);
  try {
    process.exitCode = await passThrough(command, args, {
      toServer: guarded((chunk) => recording.toServer.push(chunk)),
      fromServer: guarded((chunk) => recording.fromServer.push(chunk)),
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code ?? (error as Error).message;
    throw new UsageError(`"${command}" cannot be started (${reason}); give the command of a server after --`);
  } finally {
    recording.end();
    closeSync(output);
  }
  if (problem === undefined) note(`ipcmark record: ${wordsOf(recording.counts, file)}`);
}

/** Opens a file for appending that only this user can read. @throws UsageError */
function openPrivate(file: string): number {
  let output: number;
  try {
    // A FIFO without a reader is an error instead of a wait.
    const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
    output = openSync(file, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`--file "${file}" cannot be written (${code}); name a regular file in a folder of your own`);
  }
  const found = fstatSync(output);
  const obstacle = !found.isFile() ? "is not a regular file; name another file" : obstacleIn(found);
  if (obstacle === undefined) {
    fchmodSync(output, 0o600);
    return output;
  }
  closeSync(output);
  throw new UsageError(`--file "${file}" ${obstacle}`);
}

/** Returns the reason why nothing may be appended to an existing file; undefined if there is none. */
function obstacleIn({ mode, size }: Stats): string | undefined {
  const isOpen = size > 0 && process.platform !== "win32" && (mode & 0o077) !== 0;
  if (!isOpen) return undefined;
  return `can be read by others (mode ${(mode & 0o777).toString(8)}); run chmod 600 on it, or name another file`;
}

const plural = (value: number, one: string, many: string): string => `${value} ${value === 1 ? one : many}`;

function wordsOf(counts: Counts, file: string): string {
  const { answered, unanswered, alone, ofServer, unreadable } = counts;
  const written = [
    plural(answered, "request with its reply", "requests with their replies"),
    ...(alone === 0 ? [] : [plural(alone, "message without a reply", "messages without a reply")]),
    ...(unanswered === 0
      ? []
      : [plural(unanswered, "request whose reply never came", "requests whose replies never came")]),
  ];
  const left = [
    ...(ofServer === 0
      ? []
      : [plural(ofServer, "message of the server that is no reply", "messages of the server that are no replies")]),
    ...(unreadable === 0 ? [] : [plural(unreadable, "part that is not a message", "parts that are not messages")]),
  ];
  return `added to ${file}: ${written.join(", ")}${left.length === 0 ? "" : `; not in it: ${left.join(", ")}`}`;
}
