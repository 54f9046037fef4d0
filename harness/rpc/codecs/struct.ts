import type { Codec } from "./codec.ts";
import type { BlobSample, CallSample, Sample, TableRow, TableSample } from "./corpora.ts";

/**
 * Format made for exactly these messages: fields in a fixed order, little-endian numbers, strings as u16 length and
 * UTF-8. First byte: 1 call, 2 table, 3 blob. It does not describe itself, so both ends must be built together.
 */
export function createStruct(): Codec {
  return {
    id: "struct",
    encode(value) {
      const sample = value as Sample;
      switch (sample?.kind) {
        case "call":
          return encodeCall(sample);
        case "table":
          return encodeTable(sample);
        case "blob":
          return encodeBlob(sample);
        default:
          throw new TypeError("struct carries the samples of corpora.ts only; choose another codec for other values");
      }
    },
    decode(bytes) {
      const reader = new Reader(bytes);
      switch (reader.u8()) {
        case 1:
          return decodeCall(reader);
        case 2:
          return decodeTable(reader);
        case 3:
          return decodeBlob(reader);
        default:
          throw new TypeError("struct: unknown kind of message");
      }
    },
  };
}

const STRING_LIMIT = 0xffff;
/** Largest UTF-8 expansion of one UTF-16 unit. */
const UTF8_PER_UNIT = 3;

class Writer {
  bytes: Buffer;
  at = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafe(capacity);
  }

  u8(value: number): void {
    this.bytes[this.at++] = value;
  }
  u32(value: number): void {
    this.at = this.bytes.writeUInt32LE(value, this.at);
  }
  f64(value: number): void {
    this.at = this.bytes.writeDoubleLE(value, this.at);
  }
  text(value: string): void {
    const written = this.bytes.write(value, this.at + 2, "utf8");
    if (written > STRING_LIMIT)
      throw new TypeError(`struct: a string of ${written} bytes, the limit is ${STRING_LIMIT}`);
    this.bytes.writeUInt16LE(written, this.at);
    this.at += 2 + written;
  }
  done(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }
}

class Reader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.bytes.readUInt8(this.at++);
  }
  u32(): number {
    const value = this.bytes.readUInt32LE(this.at);
    this.at += 4;
    return value;
  }
  f64(): number {
    const value = this.bytes.readDoubleLE(this.at);
    this.at += 8;
    return value;
  }
  text(): string {
    const length = this.bytes.readUInt16LE(this.at);
    const start = this.at + 2;
    if (start + length > this.bytes.length) throw new RangeError("struct: the message ends within a string");
    this.at = start + length;
    return this.bytes.toString("utf8", start, this.at);
  }
}

function textBytes(text: string): number {
  return 2 + text.length * UTF8_PER_UNIT;
}

function encodeCall(call: CallSample): Uint8Array {
  let capacity = 1 + 4 + 4 + 8 + 1 + 1 + textBytes(call.method) + textBytes(call.customer);
  for (const tag of call.tags) capacity += textBytes(tag);
  if (call.tags.length > 0xff) throw new TypeError(`struct: ${call.tags.length} tags, the limit is 255`);
  const writer = new Writer(capacity);
  writer.u8(1);
  writer.u32(call.id);
  writer.u32(call.limit);
  writer.f64(call.amount);
  writer.u8(call.urgent ? 1 : 0);
  writer.text(call.method);
  writer.text(call.customer);
  writer.u8(call.tags.length);
  for (const tag of call.tags) writer.text(tag);
  return writer.done();
}

function decodeCall(reader: Reader): CallSample {
  const id = reader.u32();
  const limit = reader.u32();
  const amount = reader.f64();
  const urgent = reader.u8() === 1;
  const method = reader.text();
  const customer = reader.text();
  const tags: string[] = [];
  for (let left = reader.u8(); left > 0; left--) tags.push(reader.text());
  return { kind: "call", id, method, customer, limit, amount, urgent, tags };
}

function encodeTable({ rows }: TableSample): Uint8Array {
  let capacity = 1 + 4;
  for (const { name, email } of rows) capacity += 4 + 8 + 8 + 1 + textBytes(name) + textBytes(email);
  const writer = new Writer(capacity);
  writer.u8(2);
  writer.u32(rows.length);
  for (const row of rows) {
    writer.u32(row.id);
    writer.f64(row.amount);
    writer.f64(row.createdAt);
    writer.u8(row.active ? 1 : 0);
    writer.text(row.name);
    writer.text(row.email);
  }
  return writer.done();
}

function decodeTable(reader: Reader): TableSample {
  const rows: TableRow[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    const id = reader.u32();
    const amount = reader.f64();
    const createdAt = reader.f64();
    const active = reader.u8() === 1;
    const name = reader.text();
    rows.push({ id, name, email: reader.text(), amount, active, createdAt });
  }
  return { kind: "table", rows };
}

function encodeBlob({ name, data }: BlobSample): Uint8Array {
  const writer = new Writer(1 + textBytes(name) + 4 + data.length);
  writer.u8(3);
  writer.text(name);
  writer.u32(data.length);
  writer.bytes.set(data, writer.at);
  writer.at += data.length;
  return writer.done();
}

function decodeBlob(reader: Reader): BlobSample {
  const name = reader.text();
  const length = reader.u32();
  const end = reader.at + length;
  if (end > reader.bytes.length) throw new RangeError("struct: the message ends within its data");
  return { kind: "blob", name, data: reader.bytes.subarray(reader.at, end) };
}
