import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { BENCHMARKS } from "../../scenarios/benchmarks/index.ts";
import { CHECKS } from "../driver/checks/catalog.ts";
import { loadTransport } from "../process/load-transport.ts";
import type { CheckResult, Measurement } from "../results/model.ts";
import { placeArm } from "./arm.ts";
import { measure } from "./measure.ts";
import { silent } from "./progress.ts";
import { checkTransport, withBrood } from "./vitest-adapter.ts";

const module = fileURLToPath(new URL("../../transports/conformance/faulty.ts", import.meta.url));

/** Two trials of 1500 messages each: the faults show themselves at every thousandth. */
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
    length: { rule: "fixed", effort: "quick", trials: 2, strict: false } as const,
    messages: 1500,
    seed: 1,
    controls: false,
  };
  return (await withBrood((brood, place) => measure(brood, place, request, silent))).measurements;
}

const statuses = (rows: readonly Measurement[]): string[] =>
  rows.map(({ benchmark, status }) => `${benchmark}: ${status}`);

describe("a trial through a broken transport", () => {
  it("is valid when nothing is broken", async () => {
    const rows = await measureFaulty("none");
    expect(statuses(rows)).toEqual(["round-trip: measured", "throughput: measured"]);
  });

  it.for(["drop", "corrupt"])("is invalid in every model with the fault %s", async (fault) => {
    const rows = await measureFaulty(fault);
    expect(statuses(rows)).toEqual(["round-trip: failed", "throughput: failed"]);
    expect(rows.map(({ reason }) => reason).join()).toMatch(/lost|damaged|corrupted|no reply/);
  });

  it("is invalid for one-way messages when two are swapped: in lockstep there is nothing to overtake", async () => {
    const throughput = (await measureFaulty("reorder")).find(({ benchmark }) => benchmark === "throughput");
    expect(throughput?.status).toBe("failed");
    expect(throughput?.reason).toMatch(/reordered/);
  });
});

const CHOSEN = CHECKS.filter(({ id }) => id === "sequential-requests" || id === "concurrent-clients/8");

describe("the scenarios on a broken transport", () => {
  const run = async (fault: string): Promise<Record<string, CheckResult["status"]>> => {
    const results = await checkTransport({ id: `faulty/${fault}`, module }, CHOSEN);
    return Object.fromEntries(results.map(({ scenario, status }) => [scenario, status]));
  };

  it("pass when nothing is broken", async () => {
    expect(await run("none")).toEqual({ "sequential-requests": "passed", "concurrent-clients/8": "passed" });
  });

  it.for(["drop", "corrupt"])("see the fault %s in a long run of requests", async (fault) => {
    expect(await run(fault)).toMatchObject({ "sequential-requests": "failed" });
  });
});
