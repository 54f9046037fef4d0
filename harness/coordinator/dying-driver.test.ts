import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { BENCHMARKS } from "../../scenarios/benchmarks/index.ts";
import { posixAvailability } from "../../transports/posix/index.ts";
import { CHECKS } from "../driver/checks/catalog.ts";
import { loadTransport } from "../process/load-transport.ts";
import { crashWarnings } from "../results/crashes.ts";
import type { Crash, Measurement } from "../results/model.ts";
import { type Arm, placeArm } from "./arm.ts";
import { measure } from "./measure.ts";
import { silent } from "./progress.ts";
import { runChecks } from "./run-checks.ts";
import { withBrood } from "./vitest-adapter.ts";

const module = fileURLToPath(new URL("./fixtures/deadly.ts", import.meta.url));
const ROUNDS = 3;
/** Long enough for two processes to start on a busy machine. */
const SILENCE_MS = 5000;

async function armOf(id: string, from: string | null): Promise<Arm> {
  const reference = { id, module: from };
  const transport = await loadTransport(reference);
  const base = { mode: "event", placement: "unpinned", peerLanguage: "node" } as const;
  const placed = placeArm({ transport, reference, version: "", ...base });
  if ("reason" in placed) throw new Error(placed.reason);
  return placed.arm;
}

/** A deadly arm beside a healthy one, each with a small cell and a large one: only the deadly arm's large one strikes. */
async function measureBeside(
  ...ids: readonly string[]
): Promise<{ rows: readonly Measurement[]; crashes: readonly Crash[] }> {
  const deadly = await Promise.all(ids.map((id) => armOf(id, module)));
  const arms = [...deadly, await armOf("stdio", null)];
  const benchmark = BENCHMARKS.find(({ name }) => name === "round-trip");
  if (benchmark === undefined) throw new Error("no round-trip");
  const cells = [64, 65_536].map((payloadBytes) => ({ benchmark, variant: {}, payloadBytes }));
  const length = { rule: "fixed", effort: "quick", trials: ROUNDS, strict: false } as const;
  const request = { arms, cells, length, messages: 100, seed: 1, controls: false, silenceMs: SILENCE_MS };
  return withBrood(async (brood, place) => {
    const { measurements } = await measure(brood, place, request, silent);
    return { rows: measurements, crashes: brood.crashes };
  });
}

const brief = (rows: readonly Measurement[]): string[] =>
  rows.map(({ transport, payloadBytes, status }) => `${transport} ${payloadBytes}: ${status}`);

describe("a driver that ends in the middle of a cell", () => {
  it.for([
    ["deadly/crash", /trial 1: the driver process was ended by SIGKILL/],
    ["deadly/exit", /trial 1: the driver process exited with code 7/],
    ["deadly/hang", /trial 1: the driver process hung: it said nothing for \d+ s/],
  ] as const)("fails that cell with its reason, and everything else goes on: %s", async ([id, reason]) => {
    const { rows, crashes } = await measureBeside(id);
    expect(crashes).toEqual([]);
    expect(brief(rows)).toEqual([
      `${id} 64: measured`,
      `${id} 65536: failed`,
      "stdio 64: measured",
      "stdio 65536: measured",
    ]);
    expect(rows[1]?.reason).toMatch(reason);
    // Twice is enough: from then on the cell is left out, and the small one has every trial.
    expect(rows[0]?.trials.length).toBeGreaterThanOrEqual(ROUNDS - 2);
    expect(rows[2]?.trials.map(({ status }) => status)).toEqual(["valid", "valid", "valid"]);
    expect(rows[3]?.trials.map(({ status }) => status)).toEqual(["valid", "valid", "valid"]);
  });
});

describe("a process that a fault of native code ends", () => {
  it("is a fact of the run with its process, signal and binding; others are measured as if alone", async () => {
    const { rows, crashes } = await measureBeside("deadly/segfault", "deadly/segfault-peer");
    const state = posixAvailability();
    const binding = state.available ? state.version : "none";
    const seen = [...new Set(crashes.map((crash) => JSON.stringify(crash)))].sort().map((text) => JSON.parse(text));
    expect(seen).toEqual([
      { transport: "deadly/segfault", process: "driver", signal: "SIGSEGV", binding },
      { transport: "deadly/segfault-peer", process: "peer", signal: "SIGSEGV", binding },
    ]);
    expect(crashWarnings(crashes).sort()).toEqual([
      expect.stringMatching(/^deadly\/segfault-peer: the peer process was ended by SIGSEGV 2 times \(binding .*\)/),
      expect.stringMatching(/^deadly\/segfault: the driver process was ended by SIGSEGV 2 times \(binding .*\)/),
    ]);
    const large = rows.filter(({ payloadBytes }) => payloadBytes > 64);
    expect(large.map(({ status, reason }) => `${status}: ${reason?.split(/[:(]/)[1]?.trim()}`)).toEqual([
      "failed: the driver process was ended by SIGSEGV",
      "failed: the peer process was ended by SIGSEGV",
      "measured: undefined",
    ]);
    for (const row of rows.filter(({ transport }) => transport === "stdio"))
      expect(row.trials.map(({ status }) => status)).toEqual(["valid", "valid", "valid"]);
  });

  it("fails the check in which it happens", async () => {
    const reference = { id: "deadly/segfault-check", module };
    const target = { transport: await loadTransport(reference), reference, peerLanguage: "node" };
    const checks = CHECKS.filter(({ id }) => id === "large-messages" || id === "sequential-requests");
    await withBrood(async (brood, place) => {
      const results = await runChecks(brood, place, [target], checks, silent);
      const brief = results.map(({ scenario, status, reason = "" }) => `${scenario} ${status} ${reason.split(":")[0]}`);
      expect(brief.sort()).toEqual([
        "large-messages failed the peer process was ended by SIGSEGV",
        "sequential-requests passed ",
      ]);
      expect(brood.crashes).toMatchObject([{ transport: reference.id, process: "peer", signal: "SIGSEGV" }]);
    });
  });
});
