import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { CODEC_IDS, CORPUS_IDS, type CodecId, type CorpusId } from "../../../scenarios/benchmark.ts";
import { Method } from "../../../scenarios/check.ts";
import { HEADER_BYTES, Kind, readId } from "../../../transports/contract/frame.ts";
import type { Transport } from "../../../transports/contract/transport.ts";
import { loopback } from "../../../transports/loopback/loopback.ts";
import type { DriverStart } from "../../process/messages.ts";
import { createCodec } from "../../rpc/codecs/load.ts";
import { cannotCarry, encodedBytes, sameValue, valuesOf } from "../../rpc/codecs/values.ts";
import { buildFrame } from "../../rpc/message.ts";
import { startPeer } from "../peers/start-peer.ts";
import { codecRoundTrip } from "./codec-round-trip.ts";
import type { Link, Site, Window } from "./model.ts";

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** Makes a driver's end and a peer's end, both in this process. */
async function site(codec: CodecId, peerCodec: CodecId | null = codec): Promise<Site> {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-test-"));
  ended.push(() => rmSync(directory, { recursive: true }));
  const transport: Transport = loopback;
  const place = { directory, prefix: "ipcmark-0" };
  const reference = { id: transport.id, module: null };
  const base = { mode: "event", peerPin: [], peerLanguage: "node" } as const;
  const work = { kind: "measure", turns: [] } as const;
  const start: DriverStart = { type: "start", transport: reference, place, codec, work, ...base };
  const peer = await startPeer({
    transport,
    reference,
    mode: "event",
    address: await transport.allocate(place),
    pin: [],
    language: "node",
    onSpawn: () => undefined,
    ...(peerCodec === null ? {} : { codec: peerCodec }),
  });
  ended.push(() => peer.stop());
  const client = await peer.connect();
  ended.push(() => client.close());
  const link: Link = { face: "event", client, peer };
  return { link, transport, start, onSpawn: () => undefined };
}

const LOAD = { inFlight: 1, clients: 1, ratePerSecond: null, arrivals: "fixed", batched: false, seed: 1 } as const;

async function run(place: Site, corpus: CorpusId, messages: number): Promise<Window> {
  const payloadBytes = await encodedBytes(place.start.codec as CodecId, corpus);
  const model = await codecRoundTrip.prepare(place, { ...LOAD, payloadBytes, corpus });
  return model.window(messages);
}

describe("codec-round-trip", () => {
  test.each(CODEC_IDS)(
    "with %s: every value comes back as it was sent, through all cells of one connection",
    async (codec) => {
      const place = await site(codec);
      for (const corpus of [...CORPUS_IDS, ...CORPUS_IDS]) {
        if (cannotCarry(codec, corpus) !== undefined) continue;
        const window = await run(place, corpus, 5);
        expect(window).toMatchObject({ messages: 5, lost: 0, corrupted: 0, duplicated: 0 });
        expect(window.problem).toBeUndefined();
        expect(window.samples?.every((ns) => ns > 0 && ns <= window.elapsedNs)).toBe(true);
      }
    },
  );

  test("is invalid where the peer has another codec, and reports that the peer failed", async () => {
    const place = await site("json");
    const other = await site("msgpack");
    const crossed: Site = { ...place, link: other.link };
    expect((await run(crossed, "rpc-object", 5)).problem).toMatch(/status 1/);
  });

  test("sees a value that comes back changed", async () => {
    const place = await site("json");
    if (place.link.face !== "event") throw new Error("the loopback has an event face");
    const { client } = place.link;
    const receive = client.onMessage.bind(client);
    const bodies: Uint8Array[] = [];
    // The third reply has the body of the second under an id and a checksum of its own: the value alone gives it away.
    client.onMessage = (message) => {
      bodies.push(message.slice(HEADER_BYTES));
      const body = bodies[bodies.length === 3 ? 1 : bodies.length - 1] as Uint8Array;
      receive(buildFrame(Kind.reply, readId(message), Method.recode, 0, body));
    };
    expect(await run(place, "rpc-object", 5)).toMatchObject({ messages: 5, corrupted: 1 });
  });

  test("is refused by a server that was started without a codec, whose echo goes on", async () => {
    const place = await site("json", null);
    if (place.link.face !== "event") throw new Error("the loopback has an event face");
    const { client } = place.link;
    await expect(client.request(Uint8Array.of(1), { method: Method.recode })).rejects.toMatchObject({
      code: "IPC_UNKNOWN_METHOD",
    });
    expect(await client.request(Uint8Array.of(1))).toEqual(Uint8Array.of(1));
  });
});

describe("the values of a corpus", () => {
  test.each(CORPUS_IDS)("of %s differ from one another and have one size, with every codec", async (corpus) => {
    for (const id of CODEC_IDS.filter((codec) => cannotCarry(codec, corpus) === undefined)) {
      const [first, second] = valuesOf(id, corpus);
      expect(sameValue(first, second)).toBe(false);
      const codec = await createCodec(id);
      codec.encode(first);
      expect([codec.encode(second).length, codec.encode(first).length]).toEqual(
        Array(2).fill(await encodedBytes(id, corpus)),
      );
    }
  });
});

test("values are the same by fields, not by class", () => {
  expect(sameValue({ a: Buffer.from([1]) }, { a: Uint8Array.of(1) })).toBe(true);
  expect(sameValue({ a: 1 }, { a: 1, b: undefined })).toBe(false);
  expect(sameValue([1], { 0: 1 })).toBe(false);
  expect(sameValue({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true);
});
