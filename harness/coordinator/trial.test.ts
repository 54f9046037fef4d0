import { expect, test } from "vitest";
import { loopback } from "../../transports/loopback/loopback.ts";
import type { CellPlan, CellResult } from "../process/messages.ts";
import type { Arm } from "./arm.ts";
import type { DriverJob, DriverOutcome, Prepared, ProcessSupervisor } from "./process-supervisor.ts";
import { type ArmOutcome, prepareTrial, runTrial, type TrialTurn } from "./trial.ts";

const arm: Arm = {
  transport: loopback,
  reference: { id: "loopback", module: null },
  version: "",
  mode: "event",
  placement: "unpinned",
  peerLanguage: "node",
  cpus: { driver: "0", peer: "0", driverPin: [], peerPin: [], readyPin: [] },
};
const place = { directory: "", prefix: "" } as Parameters<typeof prepareTrial>[1];
const result = (key: string, status: "valid" | "invalid"): CellResult =>
  ({ type: "cell", key, outcome: { status, reason: `${key} is broken`, figures: null } }) as unknown as CellResult;

const arms: readonly [Arm, Arm] = [arm, { ...arm, placement: "same-cpu" }];

type What = "valid" | "invalid" | "dies" | "dies at once" | "dies ahead" | "is silent";

/** Makes drivers that treat a cell alike whenever they meet it, and counts them. */
function supervisorWith(meet: Readonly<Record<string, What>>) {
  let drivers = 0;
  const runTurn = (job: DriverJob, cells: readonly CellPlan[]): DriverOutcome | undefined => {
    for (const { key } of cells) {
      const what = meet[key];
      if (what === "dies at once") return { status: "failed", reason: "no place to start", ready: null };
      if (what === "is silent") return { status: "done", ready: null };
      job.onResult({ type: "cell-begun", key });
      if (what === "dies") return { status: "failed", reason: `it died in ${key}`, ready: null };
      job.onResult(result(key, what === "invalid" ? "invalid" : "valid"));
      if (what === "invalid") return { status: "done", ready: null };
    }
    return undefined;
  };
  const prepare = async (job: DriverJob): Promise<Prepared> => {
    drivers++;
    const { work } = job.start;
    const turns = "turns" in work ? work.turns : [];
    const ahead = turns.flat().find(({ key }) => meet[key] === "dies ahead");
    if (ahead !== undefined) {
      job.onResult({ type: "cell-begun", key: ahead.key });
      const known = async (): Promise<DriverOutcome> => ({ status: "failed", reason: "it died ahead", ready: null });
      return { driverPid: undefined, spawned: new Set(), clients: new Set(), turn: known, finish: known };
    }
    let at = 0;
    return {
      driverPid: 1,
      spawned: new Set(),
      clients: new Set(),
      turn: async () => runTurn(job, turns[at++] ?? []) ?? { status: "waiting", ready: null },
      finish: async () => runTurn(job, turns[at++] ?? []) ?? { status: "done", ready: null },
    };
  };
  return { supervisor: { prepare } as unknown as ProcessSupervisor, drivers: () => drivers };
}

/** @param apart the cells of each of two turns; default: one turn that has all of them */
async function found(meet: Readonly<Record<string, What>>, apart: readonly string[] = [Object.keys(meet).join("")]) {
  const { supervisor, drivers } = supervisorWith(meet);
  const [first, ...rest] = apart.map((keys, at) => ({
    arm: arms[at] as Arm,
    cells: [...keys].map((key) => ({ key }) as CellPlan),
  }));
  const turns = [first as TrialTurn, ...rest] as const;
  const prepared = await prepareTrial(supervisor, place, { work: { kind: "measure" }, turns, plannedMs: 1 });
  const outcomes = await runTrial(supervisor, place, prepared);
  const words = turns.flatMap(({ arm: each, cells }) => {
    const { results, obstacles } = outcomes.get(each) as ArmOutcome;
    return cells.map(
      ({ key }) => `${key}: ${obstacles.get(key)?.reason ?? results.get(key)?.outcome.status ?? "nothing"}`,
    );
  });
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

test("what breaks in one turn costs the other turn nothing, and is known of both where both have it", async () => {
  expect(await found({ a: "dies", b: "valid", c: "valid" }, ["abc", "bc"])).toEqual({
    words: ["a: it died in a", "b: valid", "c: valid", "b: valid", "c: valid"],
    drivers: 2,
  });
  expect(await found({ a: "valid", b: "invalid" }, ["ab", "ab"])).toEqual({
    words: ["a: valid", "b: invalid", "a: valid", "b: invalid"],
    drivers: 2,
  });
  expect(await found({ a: "valid", b: "dies ahead" }, ["a", "ab"])).toEqual({
    words: ["a: valid", "a: valid", "b: it died ahead"],
    drivers: 2,
  });
});
