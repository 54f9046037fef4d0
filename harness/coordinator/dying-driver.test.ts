import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { BENCHMARKS } from "../../scenarios/benchmarks/index.ts";
import { posixAvailability } from "../../transports/posix/index.ts";
import { CHECKS } from "../driver/checks/catalog.ts";
import { loadTransport } from "../process/load-transport.ts";
import { crashWarnings } from "../results/crashes.ts";
import type { CheckResult, Crash, Measurement } from "../results/model.ts";
import { withSupervisor } from "../testing/vitest-adapter.ts";
import { type Arm, placeArm } from "./arm.ts";
import { silent } from "./progress.ts";
import { runChecks } from "./run-checks.ts";
import { measure } from "./run-measurements.ts";

const module = fileURLToPath(new URL("../testing/deadly.ts", import.meta.url));
const ROUNDS = 3;
/** Timeout in which two processes can start on a busy machine, ms. */
const SILENCE_MS = 5000;

async function armOf(id: string, from: string | null): Promise<Arm> {
  const reference = { id, module: from };
  const transport = await loadTransport(reference);
  const base = { mode: "event", placement: "unpinned", peerLanguage: "node" } as const;
  const placed = placeArm({ transport, reference, version: "", ...base });
  if ("reason" in placed) throw new Error(placed.reason);
  return placed.arm;
}

/** Arms that fail in their large cell, all in one run beside a healthy one. */
const DEADLY = ["deadly/crash", "deadly/exit", "deadly/segfault", "deadly/segfault-peer"];
let rows: readonly Measurement[];
let crashes: readonly Crash[];

beforeAll(async () => {
  const arms = [...(await Promise.all(DEADLY.map((id) => armOf(id, module)))), await armOf("stdio", null)];
  const hanging = { arms: [await armOf("deadly/hang", module)], inactivityTimeoutMs: SILENCE_MS };
  const benchmark = BENCHMARKS.find(({ name }) => name === "round-trip");
  if (benchmark === undefined) throw new Error("no round-trip");
  const cells = [64, 65_536].map((payloadBytes) => ({ benchmark, variant: {}, payloadBytes }));
  const stopRule = { rule: "fixed", effort: "quick", trials: ROUNDS, strict: false } as const;
  const request = { arms, cells, stopRule, messages: 100, seed: 1, controls: false };
  await withSupervisor(async (supervisor, place) => {
    const found = await measure(supervisor, place, request, silent);
    // In a run of its own: ten processes that start at once may take longer than its limit.
    const hung = await measure(supervisor, place, { ...request, ...hanging }, silent);
    rows = [...found.measurements, ...hung.measurements];
    crashes = supervisor.crashes;
  });
}, 120_000);

const rowOf = (id: string, payloadBytes: number): Measurement | undefined =>
  rows.find((row) => row.transport === id && row.payloadBytes === payloadBytes);

describe("a process that ends in the middle of a cell", () => {
  it.for([
    ["deadly/crash", /trial 1: the driver process was ended by SIGKILL/],
    ["deadly/exit", /trial 1: the driver process exited with code 7/],
    ["deadly/hang", /trial 1: the driver process hung: it was silent for \d+ s/],
    ["deadly/segfault", /the driver process was ended by SIGSEGV/],
    ["deadly/segfault-peer", /the peer process was ended by SIGSEGV/],
  ] as const)("fails that cell with its reason: %s", ([id, reason]) => {
    expect(rowOf(id, 65_536)).toMatchObject({ status: "failed", reason: expect.stringMatching(reason) });
    // The large cell is tried twice; the small one went on each time in fresh processes.
    expect(rowOf(id, 64)?.trials.map(({ status }) => status)).toEqual(Array(ROUNDS).fill("valid"));
  });

  it("leaves every other arm as if it were alone", () => {
    for (const payloadBytes of [64, 65_536]) {
      const trials = rowOf("stdio", payloadBytes)?.trials ?? [];
      expect(trials.map(({ status }) => status)).toEqual(["valid", "valid", "valid"]);
    }
  });
});

describe("a process that a fault of native code ends", () => {
  it("is a fact of the run with its process, signal and binding; one that ends otherwise is none", () => {
    const state = posixAvailability();
    const binding = state.available ? state.version : "none";
    const seen = [...new Set(crashes.map((crash) => JSON.stringify(crash)))].sort().map((text) => JSON.parse(text));
    expect(seen).toEqual([
      { transport: "deadly/segfault", process: "driver", signal: "SIGSEGV", binding },
      { transport: "deadly/segfault-peer", process: "peer", signal: "SIGSEGV", binding },
    ]);
    expect(
      crashWarnings(crashes)
        .map(({ text }) => text)
        .sort(),
    ).toEqual([
      expect.stringMatching(/^deadly\/segfault-peer: the peer process was ended by SIGSEGV 2 times \(binding .*\)/),
      expect.stringMatching(/^deadly\/segfault: the driver process was ended by SIGSEGV 2 times \(binding .*\)/),
    ]);
  });

  it("fails the check in which it happens", async () => {
    const reference = { id: "deadly/segfault-check", module };
    const target = { transport: await loadTransport(reference), reference, peerLanguage: "node" };
    const checks = CHECKS.filter(({ id }) => id === "large-messages" || id === "sequential-requests");
    await withSupervisor(async (supervisor, place) => {
      const results = await runChecks(supervisor, place, [target], checks, silent);
      const brief = results.map(({ scenario, status, reason = "" }) => `${scenario} ${status} ${reason.split(":")[0]}`);
      expect(brief.sort()).toEqual([
        "large-messages failed the peer process was ended by SIGSEGV",
        "sequential-requests passed ",
      ]);
      expect(supervisor.crashes).toMatchObject([{ transport: reference.id, process: "peer", signal: "SIGSEGV" }]);
    });
  });
});

it("a driver whose thread is blocked is ended by the limit of its check", async () => {
  const checks = ["conformance/claims/consistent", "sequential-requests"];
  await withSupervisor(async (supervisor, place) => {
    const outcome = await supervisor.run({
      start: {
        type: "start",
        transport: { id: "deadly/blocked", module },
        mode: "event",
        place,
        peerPin: [],
        peerLanguage: "node",
        work: { kind: "check", checks },
      },
      pin: [],
      timeoutMs: 20_000,
      nextTimeoutMs: () => 500,
      onResult: () => undefined,
    });
    expect(outcome).toMatchObject({ status: "failed", reason: "not finished within 500 ms" });
  });
});

// Issue 19: each check of such a module took 40 s, all of them about half an hour.
describe("a thread that is blocked", () => {
  let results: readonly CheckResult[];
  const ids = ["sequential-requests", "stalled-server", "pipelining", "idle-cpu"];

  beforeAll(async () => {
    const references = ["deadly/blocked", "deadly/blocked-server"].map((id) => ({ id, module }));
    const targets = await Promise.all(
      references.map(async (reference) => {
        return { transport: await loadTransport(reference), reference, peerLanguage: "node" };
      }),
    );
    const checks = CHECKS.filter(({ id }) => ids.includes(id));
    results = await withSupervisor((supervisor, place) => runChecks(supervisor, place, targets, checks, silent));
  }, 60_000);

  it.for([
    ["deadly/blocked", "allocate() blocks the thread that runs the check", "its event loop has not turned for 6 s"],
    ["deadly/blocked-server", "the server blocks its thread", "it has read no control line for 5 s"],
  ] as const)("fails two checks of %s soon, and the others are not run", ([id, what, how]) => {
    const own = results.filter(({ transport }) => transport === id);
    const failed = own.filter(({ status }) => status === "failed");
    expect(failed.map(({ reason }) => reason)).toEqual([`${what}: ${how}`, `${what}: ${how}`]);
    const where = failed.map(({ scenario }) => scenario).join(" and ");
    const rest = own.filter(({ status }) => status !== "failed");
    expect(rest.map(({ status, reason }) => [status, reason])).toEqual(
      Array(2).fill(["not-examined", `${what}, seen in ${where}; mend that, or select single checks by --scenario`]),
    );
  });
});
