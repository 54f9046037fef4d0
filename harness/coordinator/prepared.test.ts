import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { BENCHMARKS } from "../../scenarios/benchmarks/index.ts";
import { REGISTRY } from "../../transports/registry.ts";
import { languageObstacle } from "../cli/peers.ts";
import { loadTransport } from "../process/load-transport.ts";
import { withSupervisor } from "../testing/vitest-adapter.ts";
import { placeArm } from "./arm.ts";
import { cellPlans } from "./plan.ts";
import { prepareTrial } from "./trial.ts";

/** Ids, one of each kind; with IPCMARK_TEST_ALL every mechanism without `activeWhenIdle`. */
const EVENT_IDS =
  process.env["IPCMARK_TEST_ALL"] === undefined ? ["zeromq/dealer-router", "grpc/stream"] : await silentIds();
const LOOK_MS = 500;
/** Largest number of switches of all threads of both processes; one that wakes every 100 ms has more. */
const MOST_SWITCHES = 4;

/** Returns the context switches of all threads so far. */
function switchesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
    const counts = [...status.matchAll(/ctxt_switches:\s*(\d+)/g)];
    return counts.reduce((total, [, count]) => total + Number(count), sum);
  }, 0);
}

async function silentIds(): Promise<string[]> {
  const loaded = await Promise.all(REGISTRY.map((each) => each.load()));
  const silent = loaded.filter(
    ({ event, activeWhenIdle, capabilities }) =>
      event !== undefined && activeWhenIdle !== true && capabilities.rendezvous !== "process",
  );
  return silent.map(({ id }) => id);
}

describe.skipIf(process.platform !== "linux")("a pair of processes that is ready", () => {
  // Side by side: each examines its own processes, which do nothing meanwhile.
  it.concurrent.for([
    ["unix", "event"],
    ["unix", "event", "python"],
    ["unix", "blocking"],
    ["shm/spin", "polling"],
    ...EVENT_IDS.map((id) => [id, "event"] as const),
  ] as const)("does not run until it is its turn, and then does: %s (%s)", async ([id, mode, client], context) => {
    const { expect } = context;
    const reference = { id, module: null };
    const transport = await loadTransport(reference);
    const probed = await transport.probe();
    if (!probed.available) context.skip(probed.reason);
    if (client !== undefined && languageObstacle(transport, client, "clients") !== undefined) context.skip();
    const ends = { peerLanguage: "node", ...(client === undefined ? {} : { clientLanguage: client }) };
    const placed = placeArm({ transport, reference, version: "", mode, placement: "two-cpus", ...ends });
    if ("reason" in placed) return context.skip(placed.reason);
    const [benchmark] = BENCHMARKS;
    if (benchmark === undefined) throw new Error("no benchmark");
    const planned = {
      cell: { benchmark, variant: {}, payloadBytes: 64 },
      messages: 50,
      warmupMessages: 10,
      warmupMs: 1,
    };
    await withSupervisor(async (supervisor, place) => {
      const job = {
        work: { kind: "measure" },
        turns: [{ arm: placed.arm, cells: cellPlans([planned], () => 1) }],
        plannedMs: 10,
      } as const;
      const prepared = await prepareTrial(supervisor, place, job);
      expect(prepared.pids).toHaveLength(client === undefined ? 2 : 3);
      const count = (): number => prepared.pids.reduce((sum, pid) => sum + switchesOf(pid), 0);
      // Whatever was under way at the report of readiness may still end.
      let least = Number.POSITIVE_INFINITY;
      for (let look = 0; look < 5 && least > MOST_SWITCHES; look++) {
        const before = count();
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        least = Math.min(least, count() - before);
      }
      expect(least).toBeLessThanOrEqual(MOST_SWITCHES);
      const ran = await prepared.runTurn();
      expect(ran.failure ?? ran.misplaced).toBeUndefined();
      expect(ran.cells.map(({ outcome }) => outcome.status)).toEqual(["valid"]);
      expect([ran.ready?.cpus, ran.ready?.peer?.cpus]).toEqual([placed.arm.cpus.driver, placed.arm.cpus.peer]);
    });
  });
});
