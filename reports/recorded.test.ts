import { describe, expect, it } from "vitest";
import type { MeasuredRow, Report, UnmeasuredRow } from "../harness/results/model.ts";
import { renderHtml } from "./html/render.ts";
import { recordedTables } from "./recorded.ts";
import { recordedTables as inTerminal } from "./terminal/recorded.ts";
import { fixtureReport } from "./testing/fixture.ts";

const recorded = {
  ...{ name: "calls.ndjson", sha256: "0123456789abcdef".repeat(4), count: 1000, meanBytes: 91, largestBytes: 40_047 },
  ...{ hasResponses: true, group: "method" },
};

function reportOf(): Report {
  const report = fixtureReport({ trials: 6, payloads: [64] });
  const plain = report.measurements.find(({ status }) => status === "measured") as MeasuredRow;
  const { latencyNs } = plain as { latencyNs: NonNullable<MeasuredRow["latencyNs"]> };
  const quantiles = (p50: number, share: number) => ({ ...latencyNs, p50, count: Math.round(latencyNs.count * share) });
  const rowOf = (transport: string, p50: number): MeasuredRow => ({
    ...plain,
    ...{ transport, benchmark: "workload", model: "workload", recorded, codec: "raw", placement: "two-cpus" as const },
    latencyNs: quantiles(p50, 1),
    interval: { p50: [0.9 * p50, 1.2 * p50] },
    groups: [
      { name: "read", latencyNs: quantiles(p50, 0.75), interval: { p50: [p50, p50] } },
      { name: "write", latencyNs: quantiles(2 * p50, 0.25), interval: {} },
    ],
  });
  const { latencyNs: _, groups: __, ...rest } = rowOf("posix-mq", 1);
  const missing = {
    ...rest,
    status: "not-applicable",
    reason: "carries at most 8168 bytes",
  } as unknown as UnmeasuredRow;
  return { ...report, measurements: [...report.measurements, rowOf("tcp", 30_000), rowOf("unix", 20_000), missing] };
}

describe("recorded messages", () => {
  it("have all messages and each group of every mechanism, the fastest first, and reasons for lacks", () => {
    const [table, ...others] = recordedTables(reportOf());
    expect(others).toEqual([]);
    expect(table?.title).toContain("the 1000 messages of calls.ndjson (SHA-256 0123456789ab…) · two CPUs");
    expect(table?.rows.map(({ transport }) => transport)).toEqual(["unix", "tcp"]);
    const [unix] = table?.rows ?? [];
    expect(unix?.all.cells.slice(0, 2)).toEqual(["", "20.0 µs  ±20 %"]);
    expect(unix?.groups.map(({ name, cells }) => [name, cells[0], cells[1]])).toEqual([
      ["read", "75.0 %", "20.0 µs   ±0 %"],
      ["write", "25.0 %", "40.0 µs"],
    ]);
    expect(table?.missing).toEqual([{ transport: "posix-mq", reason: expect.stringContaining("8168 bytes") }]);
  });

  it("stand in the terminal with the groups of one mechanism or of all, and on the page", async () => {
    const report = reportOf();
    expect(inTerminal(report, {}, "tcp").match(/ {2}write/g)).toHaveLength(1);
    expect(inTerminal(report, {}).match(/ {2}write/g)).toHaveLength(2);
    expect(inTerminal(report, {}, "")).toMatch(/posix-mq .*8168 bytes/);
    expect(await renderHtml(report)).toContain('<section id="recorded">');
  });

  it("are absent from a report without any", () => {
    const report = fixtureReport({ trials: 1, payloads: [64] });
    expect(recordedTables(report)).toEqual([]);
    expect(inTerminal(report)).toBe("");
  });
});
