import { isUtf8 } from "node:buffer";
import { IpcError } from "../contract/errors.ts";
import { asBuffer } from "../support/as-buffer.ts";
import { randomUUID } from "../support/crypto.ts";

/**
 * Message on disk, readable for a person. It has `text` when the body is valid UTF-8, else `base64`.
 * `id` is unique to the message; `replyTo` is the id of the request a response was sent for.
 */
export interface Envelope {
  readonly id: string;
  readonly client: string;
  readonly sequence: number;
  readonly replyTo?: string;
  readonly text?: string;
  readonly base64?: string;
}

/** Returns the largest size of a file. JSON needs up to six bytes for a character (`\u0001`), and the envelope. */
export function maxFileBytes(maxMessageBytes: number, raw: boolean): number {
  return raw ? maxMessageBytes : maxMessageBytes * 6 + 1024;
}

export function encodeEnvelope(
  client: string,
  sequence: number,
  replyTo: string | undefined,
  body: Uint8Array,
): string {
  const view = asBuffer(body);
  const content = isUtf8(view) ? { text: view.toString("utf8") } : { base64: view.toString("base64") };
  return `${JSON.stringify({ id: randomUUID(), client, sequence, ...(replyTo && { replyTo }), ...content })}\n`;
}

/** @throws IpcError IPC_MALFORMED if the file is no envelope, or does not match its name */
export function decodeEnvelope(
  content: Buffer,
  client: string,
  sequence: number,
  transport: string,
): { readonly id: string; readonly body: Uint8Array } {
  const envelope = parse(content, transport);
  const { id, text, base64 } = envelope;
  if (typeof id !== "string" || envelope.client !== client || envelope.sequence !== sequence) {
    throw malformed(transport, `the envelope of ${client}.${sequence} belongs to another message`);
  }
  if (typeof text === "string" && base64 === undefined) return { id, body: plain(Buffer.from(text, "utf8")) };
  if (typeof base64 === "string" && text === undefined) {
    const body = Buffer.from(base64, "base64");
    // Buffer.from skips characters that are not base64; the length shows if it has skipped any.
    if (Buffer.byteLength(base64, "base64") === body.length) return { id, body: plain(body) };
  }
  throw malformed(transport, `message ${client}.${sequence} needs exactly one of "text" and "base64"`);
}

function parse(content: Buffer, transport: string): Readonly<Record<string, unknown>> & Partial<Envelope> {
  let value: unknown;
  try {
    value = JSON.parse(content.toString("utf8"));
  } catch (cause) {
    throw new IpcError("IPC_MALFORMED", `${transport}: a message file is not JSON`, { transport, cause });
  }
  if (typeof value !== "object" || value === null) throw malformed(transport, "a message file is not an object");
  return value as Readonly<Record<string, unknown>>;
}

function malformed(transport: string, message: string): IpcError {
  return new IpcError("IPC_MALFORMED", `${transport}: ${message}`, { transport });
}

/** Returns a plain Uint8Array: receivers copy messages with `slice`, and `Buffer.slice` does not copy. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
