import { expect, test } from "vitest";
import { blocksOf } from "./blocks.ts";
import { fixtureReport } from "./testing/fixture.ts";
import { fullReport } from "./testing/fixture-machine.ts";

const report = fixtureReport();
const blocks = blocksOf(report);
const at = (mode: string, payloadBytes: number, placement = "two-cpus") =>
  blocks.find((block) => block.mode === mode && block.payloadBytes === payloadBytes && block.placement === placement);

test("no measured, failed or not applicable cell is dropped", () => {
  const shown = blocks.flatMap((block) => [...block.ranked, ...block.baselines, ...block.missing]);
  const pingPongs = report.measurements.filter((cell) => cell.benchmark === "round-trip");
  expect(shown.length).toBe(pingPongs.length);
  const streams = { ...report, measurements: report.measurements.filter((cell) => cell.benchmark === "throughput") };
  const alone = blocksOf(streams).flatMap((block) => [...block.ranked, ...block.baselines, ...block.missing]);
  expect(alone.length).toBe(streams.measurements.length);
});

test("a block holds one placement, one waiting class and one size, best first, in the order of the ratios", () => {
  for (const block of blocks) {
    for (const { cell } of block.ranked)
      expect([cell.mode, cell.placement, cell.payloadBytes]).toEqual([block.mode, block.placement, block.payloadBytes]);
    const [first, ...others] = block.ranked.map((row) => row.ratio);
    expect(others).toEqual(others.toSorted((a, b) => a - b));
    expect(first ?? 1).toBe(1);
  }
});

test("a baseline is never ranked, even where it is the fastest", () => {
  const block = at("event", 64);
  expect(block?.baselines.map((row) => row.name)).toEqual(["loopback"]);
  expect(block?.ranked.map((row) => row.name)).not.toContain("loopback");
});

test("a tie is an interval of the ratio that contains 1, and with fewer than 6 rounds nobody is the best", () => {
  const standings = Object.fromEntries(at("event", 64)?.ranked.map((row) => [row.name, row.standing]) ?? []);
  expect(standings).toMatchObject({ fifo: "best", unix: "tied" });
  expect(at("event", 65_536)?.ranked.find((row) => row.name === "fifo")?.standing).toBe("behind");
  const few = blocksOf(fixtureReport({ trials: 3 })).flatMap((block) => block.ranked);
  const standings3 = few
    .filter(({ standing }) => standing !== "unknown")
    .map(({ standing, ratio }) => [standing, ratio]);
  // Where a row is alone in its block it is the best of it.
  expect(standings3).toEqual(standings3.map(() => ["best", 1]));
});

test("messages per second come from the stream, and a failed stream is named with its reason", () => {
  const rows = at("event", 4096)?.ranked ?? [];
  expect(rows.find((row) => row.name === "unix")?.throughput.source).toBe("stream");
  const stdio = rows.find((row) => row.name === "stdio")?.throughput;
  expect(stdio).toMatchObject({
    source: "own",
    streamReason: "failed: the peer ended with SIGSEGV after 1204 messages",
  });
});

test("models without round trips are ranked by messages per second, highest first", () => {
  const streams = report.measurements.filter((cell) => cell.benchmark === "throughput");
  for (const block of blocksOf({ ...report, measurements: streams })) {
    if (block.ranked.length === 0) continue;
    expect(block.metric).toBe("messagesPerSecond");
    expect(block.ranked.every((row) => row.ratio >= 1)).toBe(true);
  }
});

test("sliding and batched, fixed and Poisson stand in blocks of their own, each transport once", () => {
  const varied = blocksOf(fullReport()).filter(({ benchmark }) => ["pipeline", "load"].includes(benchmark));
  expect(varied.map(({ variant }) => variant)).toEqual([
    "1000/s",
    "1000/s poisson",
    "16 in flight",
    "16 in flight batched",
  ]);
  for (const { ranked } of varied) expect(ranked.map(({ name }) => name).toSorted()).toEqual(["tcp", "unix"]);
});

test("rows that are equal but for their load are one row with the range, in a block of its own", () => {
  const [cell] = report.measurements.filter(({ status }) => status === "not-applicable");
  if (cell === undefined) throw new Error("no such cell");
  const loads = [1000, 2000, 50_000].flatMap((ratePerSecond) =>
    (["fixed", "poisson"] as const).map((arrivals) => ({ ...cell, benchmark: "load-curve", ratePerSecond, arrivals })),
  );
  const beyond = loads.map((load) => ({ ...load, transport: "unix", reason: `reason ${load.ratePerSecond}` }));
  const [measured] = report.measurements
    .filter((row) => row.status === "measured")
    .filter(({ transport, latencyNs }) => transport === "unix" && latencyNs);
  const own = { ...measured, ...loads[0], transport: "fifo", status: "measured" };
  const found = blocksOf({ ...report, measurements: [...loads, ...beyond, own as typeof cell] });
  expect(
    found.map(({ variant, ranked, missing }) => [variant, ranked.length, missing.map(({ loads }) => loads)]),
  ).toEqual([
    ["", 0, ["6 loads from 1.00 k/s to 50.0 k/s", ...Array(3).fill(expect.stringMatching(/^2 loads of /))]],
    ["1000/s", 1, []],
  ]);
});
