import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { BENCHMARKS } from "../../scenarios/benchmarks/index.ts";
import { loadTransport } from "../process/load-transport.ts";
import type { Measurement } from "../results/model.ts";
import { withSupervisor } from "../testing/vitest-adapter.ts";
import { placeArm } from "./arm.ts";
import { silent } from "./progress.ts";
import { measure } from "./run-measurements.ts";

const module = fileURLToPath(new URL("../../scenarios/mutants/faulty.ts", import.meta.url));

/** Measures one trial of 1500 messages: the faults show at every thousandth. */
async function measureFaulty(fault: string): Promise<readonly Measurement[]> {
  const reference = { id: `faulty/${fault}`, module };
  const transport = await loadTransport(reference);
  const base = {
    transport,
    reference,
    version: "",
    mode: "event",
    placement: "unpinned",
    peerLanguage: "node",
  } as const;
  const placed = placeArm(base);
  if ("reason" in placed) throw new Error(placed.reason);
  const { arm } = placed;
  const cells = BENCHMARKS.filter(({ name }) => ["round-trip", "throughput"].includes(name)).map((benchmark) => ({
    benchmark,
    variant: {},
    payloadBytes: 64,
  }));
  const request = {
    arms: [arm],
    cells,
    stopRule: { rule: "fixed", effort: "quick", trials: 1, strict: false } as const,
    messages: 1500,
    seed: 1,
    controls: false,
  };
  return (await withSupervisor((supervisor, place) => measure(supervisor, place, request, silent))).measurements;
}

const reasonOf = (row: Measurement): string => (row.status === "measured" ? "" : row.reason);

const statuses = (rows: readonly Measurement[]): string[] =>
  rows.map(({ benchmark, status }) => `${benchmark}: ${status}`);

// Side by side: most of it is waiting for messages that do not come, and no time is asserted.
describe.concurrent("a trial through a broken transport", () => {
  it("is valid when nothing is broken", async ({ expect }) => {
    const rows = await measureFaulty("none");
    expect(statuses(rows)).toEqual(["round-trip: measured", "throughput: measured"]);
  });

  it.for(["drop", "corrupt"])("is invalid in every model with the fault %s", async (fault, { expect }) => {
    const rows = await measureFaulty(fault);
    expect(statuses(rows)).toEqual(["round-trip: failed", "throughput: failed"]);
    expect(rows.map(reasonOf).join()).toMatch(/lost|damaged|corrupted|no reply/);
  });

  it("is invalid for one-way messages when two are swapped: in lockstep there is nothing to overtake", async ({
    expect,
  }) => {
    const throughput = (await measureFaulty("reorder")).find(({ benchmark }) => benchmark === "throughput");
    expect(throughput?.status).toBe("failed");
    expect(throughput && reasonOf(throughput)).toMatch(/reordered/);
  });
});
