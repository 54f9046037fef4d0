import { randomBytes } from "../support/crypto.ts";

/**
 * Mark of the farewell, by which both sides agree on the end of a connection. The library confirms nothing: a message
 * it took may be in its queue, in the kernel, or in the queue of a process that does not read. So a side that closes
 * sends a question, and the other side answers when it has read everything before the question.
 *
 * A control message has two parts, this mark and its body. A message of an application has one.
 */
export const MARK: Buffer = Buffer.from("\0ipcmark farewell\0");
const TOKEN_BYTES = 8;
export const BODY_BYTES: number = 1 + TOKEN_BYTES;
const Kind = { ask: 1, answer: 2 } as const;

/** Message that a connection hands to its socket. */
export type Outgoing = Buffer | Buffer[];

/** Returns the question: "this was my last message; answer when you have read everything before it". */
export function askFarewell(): Buffer[] {
  return [MARK, Buffer.concat([Buffer.from([Kind.ask]), randomBytes(TOKEN_BYTES)])];
}

/** Returns the answer to the question in `body`. */
export function answerFarewell(body: Buffer): Buffer[] {
  return [MARK, Buffer.concat([Buffer.from([Kind.answer]), body.subarray(1)])];
}

/** True for a control message. @param before the part before the last one; undefined if the message has one part */
export function isControl(before: Buffer | undefined, body: Buffer): boolean {
  return before?.length === MARK.length && before.equals(MARK) && body.length === BODY_BYTES;
}

export function isQuestion(body: Buffer): boolean {
  return body[0] === Kind.ask;
}

export function answers(body: Buffer, question: Buffer[] | undefined): boolean {
  const asked = question?.[1];
  return asked !== undefined && body[0] === Kind.answer && body.subarray(1).equals(asked.subarray(1));
}
