import { join } from "node:path";

/** The folders of one drop. `temporary` lies on the same file system as the others, so that a rename is atomic. */
export interface Layout {
  readonly base: string;
  readonly temporary: string;
  readonly requests: string;
  readonly responses: string;
  readonly owner: string;
}

export function layoutOf(base: string): Layout {
  return {
    base,
    temporary: join(base, "temporary"),
    requests: join(base, "requests"),
    responses: join(base, "responses"),
    owner: join(base, "server.json"),
  };
}

/** Position of a message in the stream of one sender. Requests have epoch 0, responses the epoch of their server. */
export interface Position {
  readonly epoch: number;
  readonly serial: number;
}

/** Request that a response belongs to, and the response's number among its responses, to recognise a repeated one. */
export interface Answer {
  readonly sequence: number;
  readonly index: number;
}

export interface MailName extends Position {
  readonly file: string;
  /** Empty in a mailbox, where every file is for the same client. */
  readonly client: string;
  readonly answers: Answer | undefined;
  readonly raw: boolean;
}

export const CLIENT_PATTERN: RegExp = /^[A-Za-z0-9-]{1,64}$/;
const REQUEST = /^([A-Za-z0-9-]{1,64})\.(\d{10})\.(json|bin)$/;
const RESPONSE = /^(\d{14})\.(\d{10})(?:\.a(\d{10})-(\d{4}))?\.(json|bin)$/;

const digits = (value: number, width: number): string => String(value).padStart(width, "0");

/** Returns `requests/<client>.<sequence>.json`. */
export function requestName(client: string, sequence: number, raw: boolean): string {
  return `${client}.${digits(sequence, 10)}.${raw ? "bin" : "json"}`;
}

/** Returns `responses/<client>/<epoch>.<serial>[.a<sequence>-<index>].json`, which sorts in the order of sending. */
export function responseName(position: Position, answers: Answer | undefined, raw: boolean): string {
  const answered = answers === undefined ? "" : `.a${digits(answers.sequence, 10)}-${digits(answers.index, 4)}`;
  return `${digits(position.epoch, 14)}.${digits(position.serial, 10)}${answered}.${raw ? "bin" : "json"}`;
}

/** Returns undefined for a name that is not that of a request; such files are not touched. */
export function parseRequestName(file: string): MailName | undefined {
  const found = REQUEST.exec(file);
  if (found === null) return undefined;
  const [, client = "", serial, kind] = found;
  return { file, client, epoch: 0, serial: Number(serial), answers: undefined, raw: kind === "bin" };
}

export function parseResponseName(file: string): MailName | undefined {
  const found = RESPONSE.exec(file);
  if (found === null) return undefined;
  const [, epoch, serial, sequence, index, kind] = found;
  const answers = sequence === undefined ? undefined : { sequence: Number(sequence), index: Number(index) };
  return { file, client: "", epoch: Number(epoch), serial: Number(serial), answers, raw: kind === "bin" };
}

export function comparePositions(a: Position, b: Position): number {
  return a.epoch - b.epoch || a.serial - b.serial;
}
