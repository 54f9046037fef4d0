import type { CheckResult, Report } from "../../harness/results/model.ts";

/** Hand-written part of the synthetic report: checks and the pick. The rest is drawn at random. */

function check(scenario: string, title: string, transport: string, change: Partial<CheckResult> = {}): CheckResult {
  const kind = scenario.startsWith("conformance/") ? "conformance" : "scenario";
  return { scenario, title, kind, transport, peer: "node", status: "passed", notes: {}, durationMs: 120, ...change };
}

/** Builds results that a run of `check` over these transports could have. */
export function fixtureChecks(ids: readonly string[]): CheckResult[] {
  const list: readonly (readonly [id: string, title: string])[] = [
    ["conformance/exchange/boundaries", "A message arrives whole, whatever its size"],
    ["conformance/failure/malformed", "Garbage from a stranger ends one connection and no other"],
    ["conformance/residue/clean", "A clean end leaves nothing in the operating system"],
    ["sequential-requests", "A thousand requests on one connection come back in order"],
    ["concurrent-clients", "Four client processes never see each other's replies"],
    ["server-crash", "A client learns within a second that its server died"],
  ];
  return ids
    .flatMap((id) => list.map(([scenario, title]) => check(scenario, title, id, outcome(scenario, id))))
    .concat(
      list.map(([scenario, title]) =>
        check(scenario, title, "zeromq/dealer-router", {
          status: "unavailable",
          reason: "the zeromq package could not be loaded",
        }),
      ),
      check("sequential-requests", "A thousand requests on one connection come back in order", "unix", {
        peer: "python",
        notes: { requests: 1000 },
      }),
    );
}

function outcome(scenario: string, transport: string): Partial<CheckResult> {
  if (transport === "stdio" && scenario === "concurrent-clients")
    return { status: "not-applicable", reason: "one client by construction: the parent that launched the server" };
  if (transport === "loopback" && scenario === "server-crash")
    return { status: "not-applicable", reason: "driver and peer are one process" };
  if (transport === "posix-mq" && scenario === "server-crash")
    return {
      status: "failed",
      reason: "the client still waited after 1000 ms: expected IPC_PEER_LOST, saw nothing",
      error: "CheckFailure: the client still waited after 1000 ms\n    at run (server-crash.ts:41:11)",
      durationMs: 1043,
    };
  return {};
}

export function fixturePick(): Report["pick"] {
  return {
    transport: "unix",
    mode: "event",
    placement: "two-cpus",
    sentence:
      "Use unix: for 64 B and 4 KiB requests on two CPUs it is among the fastest event-loop mechanisms " +
      "(p50 20.3 µs), not distinguishable from fifo and stdio, and it alone of these serves many clients.",
    reasons: ["p50 within 2 % of the best", "all 6 checks passed", "speaks to any language"],
    runnerUp: "stdio",
    ties: ["fifo", "stdio"],
    ruledOut: [{ transport: "zeromq/dealer-router", reason: "unavailable: the zeromq package could not be loaded" }],
    alternatives: [
      {
        transport: "shm/futex",
        mode: "blocking",
        sentence: "2.5 times faster, but its thread can do nothing else while it waits.",
      },
      { transport: "shm/spin", mode: "polling", sentence: "30 times faster, at the price of two whole CPUs." },
    ],
    workload: { payloads: [64, 4096], modes: ["event"], placement: "two-cpus" },
    ranking: [
      { transport: "unix", mode: "event", ratio: 1, interval: [0.98, 1.03] },
      { transport: "fifo", mode: "event", ratio: 1.01, interval: [0.97, 1.44] },
      { transport: "stdio", mode: "event", ratio: 1.02, interval: [0.99, 1.05] },
      { transport: "tcp", mode: "event", ratio: 1.36, interval: [1.33, 1.41] },
    ],
  };
}
