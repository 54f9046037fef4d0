import { expect, test } from "vitest";
import { loopback } from "../../transports/loopback/loopback.ts";
import type { CellPlan, CellResult } from "../process/messages.ts";
import type { Arm } from "./arm.ts";
import type { Brood, DriverJob, DriverOutcome } from "./run-driver.ts";
import { prepareArm, runArm } from "./trial.ts";

const arm: Arm = {
  transport: loopback,
  reference: { id: "loopback", module: null },
  version: "",
  mode: "event",
  placement: "unpinned",
  peerLanguage: "node",
  cpus: { driver: "0", peer: "0", driverPin: [], peerPin: [], readyPin: [] },
};
const place = { directory: "", prefix: "" } as Parameters<typeof prepareArm>[1];
const result = (key: string, status: "valid" | "invalid"): CellResult =>
  ({ type: "cell", key, outcome: { status, reason: `${key} is broken`, figures: null } }) as unknown as CellResult;

/** Drivers that do the same with a cell whenever they meet it; counts how many there were. */
function broodWith(meet: Readonly<Record<string, "valid" | "invalid" | "dies" | "dies at once" | "is silent">>) {
  let drivers = 0;
  const run = (job: DriverJob): DriverOutcome => {
    drivers++;
    const { work } = job.start;
    for (const { key } of "cells" in work ? work.cells : []) {
      const what = meet[key];
      if (what === "dies at once") return { status: "failed", reason: "no place to start", ready: null };
      if (what === "is silent") return { status: "done", ready: null };
      job.onResult({ type: "cell-begun", key });
      if (what === "dies") return { status: "failed", reason: `it died in ${key}`, ready: null };
      job.onResult(result(key, what ?? "valid"));
      if (what === "invalid") break;
    }
    return { status: "done", ready: null };
  };
  const prepare = async (job: DriverJob) => ({
    driverPid: 1,
    spawned: new Set<number>(),
    finish: async () => run(job),
  });
  return { brood: { prepare } as unknown as Brood, drivers: () => drivers };
}

async function found(meet: Parameters<typeof broodWith>[0]) {
  const { brood, drivers } = broodWith(meet);
  const cells = Object.keys(meet).map((key) => ({ key }) as CellPlan);
  const prepared = await prepareArm(brood, place, { arm, work: { kind: "measure" }, cells, plannedMs: 1 });
  const { results, obstacles } = await runArm(brood, place, prepared);
  const words = cells.map(
    ({ key }) => `${key}: ${obstacles.get(key)?.reason ?? results.get(key)?.outcome.status ?? "nothing"}`,
  );
  return { words, drivers: drivers() };
}

test("sizes that break cost the others nothing, and each keeps its own reason", async () => {
  expect(await found({ a: "dies", b: "invalid", c: "dies", d: "dies", e: "valid", f: "valid" })).toEqual({
    words: ["a: it died in a", "b: invalid", "c: it died in c", "d: it died in d", "e: valid", "f: valid"],
    drivers: 5,
  });
});

test("a driver that comes to no cell fails all that are left, once", async () => {
  expect(await found({ a: "invalid", b: "dies at once", c: "valid" })).toEqual({
    words: ["a: invalid", "b: no place to start", "c: no place to start"],
    drivers: 2,
  });
  expect(await found({ a: "is silent", b: "valid" })).toEqual({
    words: ["a: its driver ended without a result", "b: its driver ended without a result"],
    drivers: 1,
  });
});
