import { resolve } from "node:path";
import { Option } from "commander";
import type { CodecId, Recorded } from "../../scenarios/benchmark.ts";
import { codecRoundTrip } from "../../scenarios/benchmarks/codec-round-trip.ts";
import type { Arm, Cell } from "../coordinator/arm.ts";
import type { RecordedPlace } from "../process/load-messages.ts";
import { UsageError } from "../results/exit-codes.ts";
import { describeRecorded, groupsOf, RecordedError, readRecorded } from "../rpc/recorded.ts";
import { parseCount } from "./values.ts";

const MOST_MESSAGES = 10_000_000;
/** Codecs that cannot carry every JSON value. */
const NO_JSON: readonly CodecId[] = ["raw", "struct"];

/** Value of `--messages`: a number of messages, or the path of recorded messages. */
export type MessagesOption = number | { readonly path: string };

/** Returns the option `--messages`. @param count words for the meaning of a number */
export function messagesOption(count: string): Option {
  return new Option(
    "--messages <n|path>",
    `${count}; or recorded messages to replay: a file with one JSON value or {"request", "response"} a line ` +
      "(ipcmark record writes it), or a directory with one message in each file",
  ).argParser(parseMessages);
}

export function groupOption(): Option {
  return new Option(
    "--group <field>",
    "also show p50 and p99 for each value of this field of the recorded messages, such as method or params.name",
  );
}

function parseMessages(text: string): MessagesOption {
  if (/^\d+$/.test(text.trim())) return parseCount("--messages", 1, MOST_MESSAGES)(text);
  return { path: text };
}

/** Recorded messages of a run. */
export interface Replayed {
  readonly about: Recorded;
  readonly place: RecordedPlace;
  readonly isJson: boolean;
}

interface Options {
  readonly messages?: MessagesOption;
  readonly group?: string;
  readonly payload?: unknown;
  readonly work?: unknown;
  readonly codec?: readonly (CodecId | "all")[];
}

/**
 * Reads the recorded messages that the flags name; undefined if they name none.
 *
 * @throws UsageError for a file that cannot be replayed, and for flags that do not go with it
 */
export function replayedOf({ messages, group, payload, work, codec }: Options): Replayed | undefined {
  if (messages === undefined || typeof messages === "number") {
    if (group !== undefined) throw new UsageError("--group needs recorded messages; give --messages <file> too");
    return undefined;
  }
  const path = resolve(messages.path);
  if (payload !== undefined) throw new UsageError("--messages <file> determines the sizes; leave out --payload");
  if (work !== undefined)
    throw new UsageError("--work changes the bytes of requests, and --messages <file> keeps them; give one of the two");
  try {
    const file = readRecorded(path);
    const about = describeRecorded(file, path, group);
    if (codec !== undefined) refuseCodecs(codec, about, file.isJson);
    if (group !== undefined && !file.isJson)
      throw new UsageError(`--group needs JSON, and ${about.name} is a directory of messages; leave out --group`);
    if (group !== undefined && groupsOf(file, group).names.every((name) => name === "(none)"))
      throw new UsageError(`no message of ${about.name} has the field "${group}" (--group); name another field`);
    const place = { path, sha256: about.sha256, ...(group === undefined ? {} : { group }) };
    return { about, place, isJson: file.isJson };
  } catch (error) {
    if (error instanceof RecordedError) throw new UsageError(error.message);
    throw error;
  }
}

/**
 * Reads the recorded messages of a decision again; undefined if the decision was made without any.
 *
 * @param before description of the messages in the evidence
 * @throws UsageError if the path is missing, or its contents are not those of the decision
 */
export function replayedAgain(before: Recorded | undefined, path: string | undefined): Replayed | undefined {
  if (before === undefined) {
    if (path !== undefined)
      throw new UsageError("the decision was made without recorded messages; leave out --messages");
    return undefined;
  }
  const { name, sha256, group } = before;
  if (path === undefined)
    throw new UsageError(`the decision was made with the messages of ${name}; give --messages <path of ${name}>`);
  const found = replayedOf({ messages: { path }, ...(group === undefined ? {} : { group }) });
  if (found?.about.sha256 !== sha256)
    throw new UsageError(
      `--messages "${path}" is not the ${name} with which the decision was made (SHA-256 ` +
        `${sha256.slice(0, 12)}…); give that file, or run compare again and record a new decision`,
    );
  return found;
}

function refuseCodecs(codecs: readonly (CodecId | "all")[], { name }: Recorded, isJson: boolean): void {
  if (!isJson) throw new UsageError(`--codec needs JSON, and ${name} is a directory of messages; leave out --codec`);
  const other = codecs.find((codec) => codec !== "all" && NO_JSON.includes(codec));
  if (other !== undefined)
    throw new UsageError(`the codec ${other} cannot carry the JSON values of ${name}; name another codec`);
}

/** Returns a cell for each codec that carries JSON. Both ends convert the recorded values in it. */
export function recordedCells(recorded: Recorded, codecs: readonly CodecId[]): readonly Cell[] {
  return codecs
    .filter((codec) => !NO_JSON.includes(codec))
    .map((codec) => ({ benchmark: codecRoundTrip, variant: { codec, recorded }, payloadBytes: recorded.meanBytes }));
}

/** Gives every arm the recorded messages. */
export function withRecorded(arms: readonly Arm[], replayed: Replayed | undefined): readonly Arm[] {
  return replayed === undefined ? arms : arms.map((arm) => ({ ...arm, recorded: replayed.place }));
}
