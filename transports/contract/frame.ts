/**
 * Size of the header with which every message of the harness begins, whatever the transport:
 *
 *     0  u32  id        sequence number or request id
 *     4  u8   kind      see {@link Kind}
 *     5  u8   method    what a request asks for; the programs of the peer give it meaning
 *     6  u16  status    0 in requests (but: Method.replay) and successful replies; otherwise why it failed
 *     8  u32  length    bytes of body after the header
 *     12 u32  checksum  CRC-32 of the body, combined with the id
 *
 * Little-endian. The transport gets header and body as one message. No other file in `contract/` contains logic.
 */
export const HEADER_BYTES = 16;

/** Types of message. One-way messages carry a sequence number in `id`; requests and replies a correlation id. */
export const Kind = { request: 1, reply: 2, oneWay: 3 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Values of `status`. */
export const Status = { ok: 0, failed: 1, busy: 2, closing: 3, unknownMethod: 4, corrupt: 5 } as const;
export type Status = (typeof Status)[keyof typeof Status];

/** Golden-ratio multiplier: spreads neighbouring ids over 32 bits, so a checksum never fits the neighbouring id. */
const ID_SPREAD = 0x9e3779b1;

/**
 * Computes the checksum field of a message: the CRC-32 of its body, bound to its id.
 * A sender that repeats a body computes `bodyCrc` only once.
 */
export function bindChecksum(bodyCrc: number, id: number): number {
  return (bodyCrc ^ Math.imul(id, ID_SPREAD)) >>> 0;
}

export function writeHeader(
  frame: Uint8Array,
  id: number,
  kind: Kind,
  method: number,
  status: number,
  bodyBytes: number,
  checksum: number,
): void {
  writeU32(frame, 0, id);
  frame[4] = kind;
  frame[5] = method;
  frame[6] = status & 0xff;
  frame[7] = status >>> 8;
  writeU32(frame, 8, bodyBytes);
  writeU32(frame, 12, checksum);
}

export const readId = (frame: Uint8Array): number => readU32(frame, 0);
export const readKind = (frame: Uint8Array): number => frame[4] as number;
export const readMethod = (frame: Uint8Array): number => frame[5] as number;
export const readStatus = (frame: Uint8Array): number => (frame[6] as number) | ((frame[7] as number) << 8);
export const readLength = (frame: Uint8Array): number => readU32(frame, 8);
export const readChecksum = (frame: Uint8Array): number => readU32(frame, 12);

/** True if the header is complete and `length` is the exact length of the rest; otherwise it is no message of ours. */
export function isFrame(message: Uint8Array): boolean {
  return message.length >= HEADER_BYTES && readLength(message) === message.length - HEADER_BYTES;
}

// Byte arithmetic: a DataView per borrowed message would allocate; the engine turns this into single moves.
function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
