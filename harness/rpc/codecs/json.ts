import type { Codec } from "./codec.ts";

const BASE64 = "$base64";

/**
 * JSON has no bytes, so they become `{"$base64": "…"}`. Only the value itself and the fields of the outermost object
 * may be bytes, because a replacer function for all values makes `JSON.stringify` several times slower.
 */
export function createJson(): Codec {
  return {
    id: "json",
    encode: (value) => Buffer.from(JSON.stringify(toJson(value))),
    decode: (bytes) =>
      fromJson(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"))),
  };
}

function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return wrap(value);
  if (!isRecord(value)) return value;
  let copy: Record<string, unknown> | undefined;
  for (const name in value) {
    const field = value[name];
    if (!(field instanceof Uint8Array)) continue;
    copy ??= { ...value };
    copy[name] = wrap(field);
  }
  return copy ?? value;
}

function fromJson(value: unknown): unknown {
  if (!isRecord(value)) return value;
  if (isWrapped(value)) return unwrap(value);
  for (const name in value) {
    const field = value[name];
    if (isRecord(field) && isWrapped(field)) value[name] = unwrap(field);
  }
  return value;
}

interface Wrapped extends Record<string, unknown> {
  readonly $base64: string;
}

function wrap(bytes: Uint8Array): Wrapped {
  return { [BASE64]: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64") } as Wrapped;
}

function unwrap(value: Wrapped): Uint8Array {
  return Buffer.from(value.$base64, "base64");
}

function isWrapped(value: Record<string, unknown>): value is Wrapped {
  return typeof value[BASE64] === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
