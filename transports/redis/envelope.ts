/**
 * Header before each message in the broker, 16 bytes:
 *
 *     0  8 bytes  random id of the client, which names the destination of the reply
 *     8  u32 LE   number of the call, counted by the client
 *     12 u32 LE   kind, see {@link Kind}
 */
export const ENVELOPE_BYTES = 16;
export const CLIENT_BYTES = 8;
const NUMBER_AT = 8;
const KIND_AT = 12;

/** `answer` shows that everything sent before its `question` has been read. `refusal`: no reply will come. */
export const Kind = { message: 0, refusal: 1, question: 2, answer: 3 } as const;
type Kind = (typeof Kind)[keyof typeof Kind];

export interface Envelope {
  /** The id of the client, as bytes. */
  readonly client: Uint8Array;
  readonly number: number;
  readonly kind: number;
  readonly message: Buffer;
}

const NOTHING = new Uint8Array(0);

/** Returns a header with a copy of the message after it. */
export function wrap(client: Uint8Array, number: number, kind: Kind, message: Uint8Array = NOTHING): Buffer {
  const bytes = Buffer.allocUnsafe(ENVELOPE_BYTES + message.length);
  bytes.set(client);
  bytes.writeUInt32LE(number, NUMBER_AT);
  bytes.writeUInt32LE(kind, KIND_AT);
  bytes.set(message, ENVELOPE_BYTES);
  return bytes;
}

/** Returns the parts of an envelope; undefined for bytes that are too short for a header. */
export function unwrap(bytes: Buffer): Envelope | undefined {
  if (bytes.length < ENVELOPE_BYTES) return undefined;
  return {
    client: bytes.subarray(0, CLIENT_BYTES),
    number: bytes.readUInt32LE(NUMBER_AT),
    kind: bytes.readUInt32LE(KIND_AT),
    message: bytes.subarray(ENVELOPE_BYTES),
  };
}
