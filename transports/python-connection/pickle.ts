const PROTO = 0x80;
const FRAME = 0x95;
const STOP = 0x2e;
/** Bytes of PROTO with its operand, and (FRAME_BYTES) of FRAME with its length field. */
const HEAD_BYTES = 2;
const FRAME_BYTES = 9;
/** Opcodes before a first frame, or without one: EMPTY_DICT, EMPTY_LIST, MARK, EMPTY_TUPLE, GLOBAL, strings, bytes. */
const OPENINGS: ReadonlySet<number | undefined> = new Set(Buffer.from("}]()cUXB"));

/**
 * True for the bytes of `conn.send(object)`, a pickle of protocol 2 to 5. Decodes nothing. Other bytes rarely pass: a
 * pickle begins with its protocol, then has the length of a frame or the start of an object, and ends with STOP.
 */
export function looksPickled(message: Uint8Array): boolean {
  const { length } = message;
  if (message[0] !== PROTO || length <= HEAD_BYTES || message[length - 1] !== STOP) return false;
  const [, protocol = 0, opening] = message;
  if (protocol < 2 || protocol > 5) return false;
  if (opening !== FRAME) return OPENINGS.has(opening);
  if (length < HEAD_BYTES + FRAME_BYTES) return false;
  const view = new DataView(message.buffer, message.byteOffset, length);
  return view.getBigUint64(HEAD_BYTES + 1, true) <= BigInt(length - HEAD_BYTES - FRAME_BYTES);
}
