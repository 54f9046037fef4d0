import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { workload } from "../../scenarios/benchmarks/workload.ts";
import { posixMq } from "../../transports/message-queues/posix-mq.ts";
import { type Cell, cellReason } from "../coordinator/arm.ts";
import type { Report } from "../results/model.ts";
import { Sandbox } from "../testing/sandbox.ts";
import { replayedAgain, replayedOf } from "./recorded.ts";

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

const calls = join(sandbox.directory, "calls.ndjson");
const LINES = [
  '{"request":{"method":"read","n":1.0},"response":{"text":"é"}}',
  '{"request":{"method":"write","text":"abc"},"response":null}',
  '{"method":"note"}',
];
writeFileSync(calls, `${LINES.join("\n")}\n`);
const blobs = join(sandbox.directory, "blobs");
mkdirSync(blobs);
writeFileSync(join(blobs, "1"), Uint8Array.of(0, 255));
const path = { messages: { path: calls } };

it.for([
  ["a payload", { ...path, payload: [64] }, /--messages <file> determines the sizes; leave out --payload/],
  ["work", { ...path, work: 100 }, /--work changes the bytes of requests, .* give one of the two/],
  ["a group without messages", { group: "method" }, /--group needs recorded messages; give --messages <file> too/],
  ["a group without messages of one's own", { messages: 5, group: "method" }, /--group needs recorded messages/],
  ["a group that no message has", { ...path, group: "name" }, /no message of calls.ndjson has the field "name"/],
  ["a group of bytes", { messages: { path: blobs }, group: "method" }, /--group needs JSON, and blobs is a directory/],
  ["a codec of bytes", { messages: { path: blobs }, codec: ["json"] as const }, /--codec needs JSON, and blobs/],
  ["a codec of made values", { ...path, codec: ["struct"] as const }, /the codec struct cannot carry the JSON values/],
] as const)("is refused with %s, in one sentence", ([, options, words]) => {
  expect(() => replayedOf(options)).toThrow(words);
  expect(() => replayedOf(options)).toThrow(/^[^\n]*$/);
});

it("rules out a mechanism for which one message is too large, by name and size", () => {
  const { about } = replayedOf(path) as NonNullable<ReturnType<typeof replayedOf>>;
  const cell = (largestBytes: number): Cell => ({
    benchmark: workload,
    variant: { clients: 1, recorded: { ...about, largestBytes } },
    payloadBytes: about.meanBytes,
  });
  const arm = {
    transport: posixMq,
    reference: { id: "posix-mq", module: null },
    mode: "event",
    placement: "two-cpus",
    peerLanguage: "node",
    recorded: { path: calls, sha256: about.sha256 },
    cpus: { driver: "0", peer: "1", driverPin: [], peerPin: [], readyPin: [] },
  } as const;
  expect(cellReason(arm, cell(100))).toBeUndefined();
  expect(cellReason(arm, cell(10_000_000))).toMatch(
    /^carries at most \d+ bytes .*, and one of calls.ndjson has 10000000$/,
  );
  expect(cellReason({ ...arm, peerLanguage: "python" }, cell(100))).toMatch(/only peers on Node reply with recorded/);
});

it("is read again for a decision only where it has the same contents", () => {
  const about = { name: "calls.ndjson", sha256: "0".repeat(64), count: 3, meanBytes: 9, largestBytes: 9 };
  const before = { ...about, hasResponses: true };
  expect(replayedAgain(undefined, undefined)).toBeUndefined();
  expect(() => replayedAgain(undefined, calls)).toThrow(/was made without recorded messages; leave out --messages/);
  expect(() => replayedAgain(before, undefined)).toThrow(/was made with the messages of calls.ndjson; give --messages/);
  expect(() => replayedAgain(before, calls)).toThrow(/is not the calls.ndjson with which the decision was made/);
  const same = { ...before, sha256: replayedOf(path)?.about.sha256 ?? "" };
  expect(replayedAgain(same, calls)?.place.path).toBe(calls);
});

it("replays a file with measure, as bytes and as values, with the latencies of each group", async () => {
  const args = ["--transport", "unix", "--trials", "1", "--placement", "unpinned", "--no-c-baseline", "--out", "out"];
  const flags = ["--messages", "calls.ndjson", "--group", "method", "--benchmark", "workload", "--codec", "json"];
  const result = await sandbox.run(["measure", ...args, ...flags, "--mode", "event", "--json"]);
  expect(result.code, result.stderr).toBe(0);
  const { measurements } = JSON.parse(result.stdout) as Report;
  expect(measurements.map(({ benchmark, codec }) => `${benchmark} ${codec}`)).toEqual([
    "workload raw",
    "codec-round-trip json",
  ]);
  for (const row of measurements) {
    expect(row.status).toBe("measured");
    if (row.status !== "measured") continue;
    expect(row.recorded).toMatchObject({ name: "calls.ndjson", count: 3, hasResponses: true, group: "method" });
    // Whole passes only.
    expect((row.messages ?? 0) % 3).toBe(0);
    expect(row.groups?.map(({ name }) => name)).toEqual(["read", "write", "note"]);
    expect(row.groups?.map(({ latencyNs }) => latencyNs.count)).toEqual(Array(3).fill((row.messages ?? 0) / 3));
  }
  expect(result.stdout).not.toContain(sandbox.directory);
}, 60_000);
