import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CODEC_IDS, CORPUS_IDS, type CodecId } from "../../../scenarios/benchmark.ts";
import { benchmarkCodecs } from "./benchmark.ts";
import { makeCorpus, type Sample } from "./corpora.ts";
import { createCodec } from "./load.ts";
import { LEAST_SIZED_BYTES, sizedValues } from "./sized.ts";
import { sameValue } from "./values.ts";

const GENERAL: readonly CodecId[] = ["json", "msgpack", "msgpack-records", "cbor", "structured-clone"];

/** Converts a Buffer to a Uint8Array: codecs may return either. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? 0 : value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

const key = fc.string({ maxLength: 12 }).filter((name) => name !== "__proto__" && name !== "$base64");
const { value: anyValue } = fc.letrec<{ value: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: "grapheme" }),
    fc.boolean(),
    fc.constant(null),
  ),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 6 }),
    fc.dictionary(key, tie("value"), { maxKeys: 6, noNullPrototype: true }),
  ),
}));

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const real = fc.double({ noNaN: true, noDefaultInfinity: true });
const anySample: fc.Arbitrary<Sample> = fc.oneof(
  fc.record({
    kind: fc.constant("call" as const),
    id: u32,
    method: text,
    customer: text,
    limit: u32,
    amount: real,
    urgent: fc.boolean(),
    tags: fc.array(text, { maxLength: 5 }),
  }),
  fc.record({
    kind: fc.constant("table" as const),
    rows: fc.array(
      fc.record({ id: u32, name: text, email: text, amount: real, active: fc.boolean(), createdAt: real }),
      { maxLength: 20 },
    ),
  }),
  fc.record({ kind: fc.constant("blob" as const), name: text, data: fc.uint8Array({ maxLength: 300 }) }),
);

describe.each(CODEC_IDS.filter((id) => id !== "raw"))("codec %s", (id) => {
  test("decodes what it encoded, for every sample, in a sequence as a connection has one", async () => {
    const near = await createCodec(id);
    const far = await createCodec(id);
    fc.assert(
      fc.property(fc.array(anySample, { minLength: 1, maxLength: 4 }), (samples) => {
        for (const sample of samples) {
          expect(plain(far.decode(Uint8Array.from(near.encode(sample))))).toEqual(plain(sample));
        }
      }),
      { numRuns: 200 },
    );
  });

  test("carries the three corpora unchanged", async () => {
    const codec = await createCodec(id);
    for (const corpus of CORPUS_IDS) {
      const sample = makeCorpus(corpus, 42);
      expect(plain(codec.decode(codec.encode(sample)))).toEqual(plain(sample));
    }
  });
});

describe.each(GENERAL)("codec %s", (id) => {
  test("decodes what it encoded, for any value that JSON can say", async () => {
    const near = await createCodec(id);
    const far = await createCodec(id);
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(plain(far.decode(Uint8Array.from(near.encode(value))))).toEqual(plain(value));
      }),
      { numRuns: 300 },
    );
  });
});

test("records name the fields once: the second object is smaller than the first and plain MessagePack", async () => {
  const records = await createCodec("msgpack-records");
  const plainCodec = await createCodec("msgpack");
  const sample = makeCorpus("rpc-object", 1);
  const first = records.encode(sample).length;
  const second = records.encode(sample).length;
  expect(second).toBeLessThan(first);
  expect(second).toBeLessThan(plainCodec.encode(sample).length);
});

test.each(CODEC_IDS)("%s gets two values of exactly the wanted size, which differ", async (id) => {
  for (const size of [LEAST_SIZED_BYTES, 1000, 2048, 65_536]) {
    const [first, second] = await sizedValues(id, size);
    expect(sameValue(first, second)).toBe(false);
    const codec = await createCodec(id);
    codec.encode(first);
    expect([codec.encode(first).length, codec.encode(second).length], `${size}`).toEqual([size, size]);
  }
});

test("no value with fields is made of too few bytes", async () => {
  await expect(sizedValues("json", LEAST_SIZED_BYTES - 1)).rejects.toThrow("takes at least 256 bytes, not 255");
});

test("raw refuses values and struct refuses foreign shapes, naming the way out", async () => {
  const raw = await createCodec("raw");
  const struct = await createCodec("struct");
  expect(() => raw.encode({ a: 1 })).toThrow(/choose json/);
  expect(() => struct.encode({ a: 1 })).toThrow(/choose another codec/);
  expect(raw.decode(raw.encode(Uint8Array.of(1, 2)))).toEqual(Uint8Array.of(1, 2));
});

test("struct refuses bytes that end too early", async () => {
  const struct = await createCodec("struct");
  for (const corpus of CORPUS_IDS) {
    const whole = struct.encode(makeCorpus(corpus, 3));
    for (const length of [0, 1, 5, whole.length - 1]) {
      expect(() => struct.decode(whole.subarray(0, length))).toThrow();
    }
  }
});

test("the corpora are the same for the same seed and differ for another", () => {
  for (const corpus of CORPUS_IDS) {
    expect(plain(makeCorpus(corpus, 7))).toEqual(plain(makeCorpus(corpus, 7)));
    expect(plain(makeCorpus(corpus, 7))).not.toEqual(plain(makeCorpus(corpus, 8)));
  }
});

test("the benchmark yields a row for every codec and corpus, with sizes and times", async () => {
  const rows = await benchmarkCodecs({ timeMs: 2 });
  expect(rows).toHaveLength(CODEC_IDS.length * CORPUS_IDS.length);
  const missing = rows.filter((row) => row.status === "not-applicable").map((row) => `${row.codec} ${row.corpus}`);
  expect(missing).toEqual(["raw rpc-object", "raw table-200"]);
  for (const row of rows) {
    if (row.status !== "measured") continue;
    expect(row.bytes).toBeGreaterThan(0);
    expect(row.firstBytes).toBeGreaterThanOrEqual(row.bytes);
    expect(row.encodeNs).toBeGreaterThan(0);
    expect(row.decodeNs).toBeGreaterThan(0);
  }
  const size = (codec: CodecId): number => {
    const row = rows.find((each) => each.codec === codec && each.corpus === "table-200");
    return row?.status === "measured" ? row.bytes : Number.NaN;
  };
  expect(size("msgpack-records")).toBeLessThan(size("msgpack"));
  expect(size("msgpack")).toBeLessThan(size("json"));
});
