import { beforeAll, describe, expect, test } from "vitest";
import { SCENARIOS } from "../../../scenarios/checks/index.ts";
import broken from "../../../scenarios/mutants/broken.ts";
import faulty from "../../../scenarios/mutants/faulty.ts";
import type { Capabilities } from "../../../transports/contract/capabilities.ts";
import type { Transport } from "../../../transports/contract/transport.ts";
import type { CheckResult } from "../../results/model.ts";
import { failedOf, type Job, runJobs, TEST_ALL } from "../../testing/run-check.ts";

interface Objection {
  /** Scenarios that object; no other does. The first is the one that the fault exists for. */
  readonly fails: readonly string[];
  /** Scenarios that may object, depending on the speed of the machine. */
  readonly mayFail?: readonly string[];
  /** Scenarios that must fail here in a short run too, because no other fault exists for them. */
  readonly shows?: readonly string[];
}

/** Seen by running every scenario on every fault: `npm run test:all`. A short run takes a part, see `checksFor`. */
const OBJECTIONS: Readonly<Record<string, Objection>> = {
  "broken/none": { fails: [] },
  "faulty/corrupt": { fails: ["sequential-requests", "one-way-order"] },
  "faulty/drop": { fails: ["one-way-order", "sequential-requests"], shows: ["sequential-requests"] },
  "broken/crosses-replies": { fails: ["concurrent-clients/8", "concurrent-clients/64", "fan-out"] },
  "broken/one-process-only": {
    fails: ["concurrent-clients/1", "concurrent-clients/8", "concurrent-clients/64", "foreign-user"],
  },
  "broken/leaks-descriptors": { fails: ["connection-churn"] },
  "broken/spoils-large-data": { fails: ["large-by-descriptor"] },
  "broken/refuses-large": { fails: ["large-messages"] },
  "broken/ignores-deadlines": { fails: ["frozen-server"] },
  "broken/spins": { fails: ["idle-cpu"] },
  "broken/goes-deaf": {
    fails: ["stalled-server", "frozen-server", "idle-cpu"],
    mayFail: [
      "large-messages",
      "restart/live-server",
      "hostile-messages",
      "busy-server",
      "pipelining",
      "worker-pool",
      "reconnect",
    ],
  },
  "broken/answers-for-the-dead": {
    fails: ["server-dies", "reconnect"],
    mayFail: ["exactly-once-replies"],
    shows: ["reconnect"],
  },
  "broken/fails-to-close": { fails: ["cleanup/stop", "graceful-shutdown", "end-of-file"] },
  "broken/never-notices": { fails: ["peer-loss", "end-of-file"] },
  "broken/cries-wolf": { fails: ["end-of-file"] },
  "broken/stale-blocks": {
    fails: ["restart/after-kill", "reconnect", "exactly-once-replies"],
    shows: ["exactly-once-replies"],
  },
  "broken/lingers": { fails: ["restart/after-stop"] },
  "faulty/evicts": { fails: ["restart/live-server"] },
  "broken/dies-of-garbage": { fails: ["hostile-bytes"] },
  "broken/dies-of-its-child": { fails: ["hostile-bytes"] },
  "broken/calls-rubbish-an-end": { fails: ["hostile-bytes"] },
  "broken/hides-the-line": { fails: ["hostile-bytes"] },
  "broken/dies-of-short-messages": { fails: ["hostile-messages", "hostile-bytes"] },
  "broken/makes-room": { fails: ["connection-flood"] },
  "broken/waits-for-the-slowest": { fails: ["slow-loris", "connection-flood"] },
  "broken/ignores-keys": { fails: ["wrong-key"] },
  "broken/open-port": { fails: ["foreign-user", "permissions"] },
  "broken/open-to-all": { fails: ["permissions", "foreign-user"], shows: ["foreign-user"] },
  "broken/takes-reads-for-messages": { fails: ["fragmentation"] },
  "broken/claims-kernel": { fails: ["boundary-keeper"] },
  "broken/claims-library": { fails: ["boundary-keeper"] },
  "broken/cuts-at-the-page": { fails: ["message-boundaries"] },
  "broken/reorders": { fails: ["one-way-order"] },
  "broken/duplicates": {
    fails: ["exactly-once-replies", "sequential-requests", "concurrent-clients/1", "concurrent-clients/8", "fan-out"],
    mayFail: ["back-pressure/client"],
  },
  "broken/claims-persistence": { fails: ["persistence"] },
  "broken/lockstep": { fails: ["busy-server", "pipelining"] },
  "broken/replies-in-order": {
    fails: ["worker-pool", "pipelining", "busy-server", "back-pressure/client"],
    // Only where an earlier request to the server stays without a reply.
    mayFail: ["message-boundaries"],
  },
  "broken/queues-without-end": {
    fails: ["back-pressure/server", "back-pressure/client"],
    mayFail: ["large-messages"],
  },
  "broken/ignores-pause": { fails: ["back-pressure/client"] },
  "broken/serves-four": { fails: ["concurrent-clients/64", "concurrent-clients/8", "slow-loris"] },
  "broken/leaves-a-file": {
    fails: ["cleanup/exception", "graceful-shutdown", "cleanup/stop", "cleanup/sigterm", "cleanup/sigkill"],
    shows: ["cleanup/sigterm"],
  },
  "broken/sweeps-nothing": { fails: ["cleanup/sigkill"] },
  "broken/loses-what-is-due": { fails: ["graceful-shutdown"] },
  "broken/favours-the-first": { fails: ["fan-out"] },
  "broken/claims-fan-out": { fails: ["fan-out"] },
  "broken/claims-python": { fails: ["other-languages"] },
  "broken/refuses-one-way": { fails: ["one-way-order", "back-pressure/server"] },
};

/** False claims with the check that refutes each; `sound` passes it or is exempt. The others: `ci/tidy.test.ts`. */
const FLIPS: Readonly<
  Record<Exclude<keyof Capabilities, "platforms" | "packages" | "native" | "broker">, readonly [string, string][]>
> = {
  modes: [
    ["broken/claims-blocking", "conformance/claims/consistent"],
    ["broken/spins", "idle-cpu"],
  ],
  patterns: [
    ["broken/refuses-one-way", "one-way-order"],
    ["broken/claims-fan-out", "fan-out"],
  ],
  rendezvous: [["broken/claims-parent", "conformance/claims/consistent"]],
  boundaries: [
    ["broken/claims-kernel", "boundary-keeper"],
    ["broken/claims-library", "boundary-keeper"],
  ],
  delivery: [
    ["faulty/drop", "one-way-order"],
    ["broken/claims-delivery", "conformance/delivery/exit-after-close"],
  ],
  ordering: [["broken/reorders", "one-way-order"]],
  maxMessageBytes: [["broken/refuses-large", "large-messages"]],
  maxClients: [["broken/serves-four", "concurrent-clients/8"]],
  maxInFlight: [["broken/lockstep", "pipelining"]],
  connects: [["broken/claims-lazy", "conformance/failure/nobody-listens"]],
  backpressure: [["broken/queues-without-end", "back-pressure/server"]],
  peerLoss: [["broken/never-notices", "peer-loss"]],
  auth: [
    ["broken/ignores-keys", "wrong-key"],
    ["broken/open-port", "permissions"],
  ],
  languages: [["broken/claims-python", "other-languages"]],
  persistent: [["broken/claims-persistence", "persistence"]],
};

/** Faults of one side with the conformance case that objects; it holds for `sound`. */
const CASES: readonly [string, string][] = [
  ["broken/leaks-descriptors", "conformance/failure/clients-leave"],
  ["broken/spins", "conformance/failure/clients-leave"],
  ["broken/keeps-the-gone", "conformance/blocking/clients-leave"],
  ["broken/spins-while-blocking", "conformance/blocking/clients-leave"],
  ["broken/dies-of-its-child", "conformance/security/child-garbage"],
  ["broken/calls-rubbish-an-end", "conformance/security/child-garbage"],
  ["broken/drops-requests", "conformance/delivery/exit-after-close"],
  ["broken/parent-drops", "conformance/delivery/launched"],
  ["broken/child-drops", "conformance/delivery/launched"],
];

/**
 * Checks that each fault also meets in a short run; no fault affects them unless it is named with them. They come
 * first, and later checks may use their server: a check that fails discards its own.
 */
const INNOCENT = ["hostile-messages", "message-boundaries"];
/** Checks that this user cannot try: only root can become another user. */
const CANNOT_TRY = process.getuid?.() === 0 ? [] : ["foreign-user"];

const fixtures: readonly Transport[] = [...broken, ...faulty];
const flips = [...Object.values(FLIPS).flat(), ...CASES];
let results: ReadonlyMap<string, readonly CheckResult[]>;

/** Checks of a short run: those that the fault exists for, and some that have nothing to do with it. */
function checksFor(id: string): string[] {
  const sound = id === "broken/none";
  const flipped = flips.filter(([lie]) => lie === id || sound).map(([, check]) => check);
  // All of these are `unix` with a fault; scenarios.test.ts shows that `unix` itself is sound, in a short run too.
  if (sound && !TEST_ALL) return [];
  const objection = OBJECTIONS[id];
  if (objection === undefined) return flipped;
  const { fails, shows = [] } = objection;
  const looked = TEST_ALL ? SCENARIOS.map((scenario) => scenario.id) : [...INNOCENT, ...fails.slice(0, 1), ...shows];
  return [...new Set([...looked, ...flipped])];
}

function fixture(id: string): Transport {
  const found = fixtures.find((transport) => transport.id === id);
  if (found === undefined) throw new Error(`no fixture ${id}`);
  return found;
}

beforeAll(
  async () => {
    const ids = [...new Set([...Object.keys(OBJECTIONS), ...flips.map(([id]) => id)])];
    const jobs = ids.map((id): Job => {
      const module = `scenarios/mutants/${id.startsWith("broken/") ? "broken" : "faulty"}.ts`;
      return { transport: fixture(id), module, checks: checksFor(id) };
    });
    results = await runJobs(jobs.filter(({ checks }) => checks.length > 0));
  },
  TEST_ALL ? 1_800_000 : 300_000,
);

/** Checks that are seen failing in tests of their own. */
const ELSEWHERE = new Set(flips.map(([, check]) => check).filter((check) => check.startsWith("conformance/")));

describe.each(Object.entries(OBJECTIONS))("a transport %s", (id, { fails, mayFail = [] }) => {
  test(`makes exactly ${fails.length === 0 ? "no scenario" : fails.join(" and ")} fail`, () => {
    const failed = failedOf(results.get(id)).filter((name) => !ELSEWHERE.has(name));
    const ran = checksFor(id);
    const wanted = fails.filter((name) => ran.includes(name) && !CANNOT_TRY.includes(name));
    const unexpected = failed.filter((name) => !fails.includes(name) && !mayFail.includes(name));
    const reasons = (results.get(id) ?? []).filter(({ scenario }) => unexpected.includes(scenario));
    expect(reasons.map(({ scenario, reason }) => `${scenario}: ${reason}`)).toEqual([]);
    expect(failed).toEqual(expect.arrayContaining(wanted));
  });
});

test("every scenario fails on at least one of them", () => {
  const seen = new Set(Object.values(OBJECTIONS).flatMap(({ fails }) => fails));
  const missing = SCENARIOS.map(({ id }) => id).filter((id) => !seen.has(id));
  expect(missing, "add a mutant that only these scenarios refuse, and its row in OBJECTIONS").toEqual([]);
});

test("every scenario is seen to fail, in a short run too", () => {
  const seen = new Set([...results.values()].flatMap(failedOf));
  const missing = SCENARIOS.map(({ id }) => id).filter((id) => !seen.has(id) && !CANNOT_TRY.includes(id));
  expect(missing).toEqual([]);
});

test("every fixture is listed", () => {
  const listed = [...Object.keys(OBJECTIONS), ...flips.map(([id]) => id)];
  expect(broken.map(({ id }) => id).filter((id) => !listed.includes(id))).toEqual([]);
});

describe.each(Object.entries(FLIPS))("a false claim about %s", (_field, lies) => {
  test.each(lies)("is objected to: %s by %s", objectsTo);
});

test.each(CASES)("a fault of one side is objected to: %s by %s", objectsTo);

function objectsTo(id: string, check: string): void {
  const found = results.get(id)?.find(({ scenario }) => scenario === check);
  expect(found?.status, found?.reason ?? JSON.stringify(found?.notes)).toBe("failed");
  if (!TEST_ALL) return;
  const sound = results.get("broken/none")?.find(({ scenario }) => scenario === check);
  expect(["passed", "not-applicable"], sound?.reason).toContain(sound?.status);
}
