import type { Decided } from "../decision/evidence.ts";
import { pick, type Question } from "../pick/pick.ts";
import type { CheckResult, Environment } from "../results/model.ts";
import { randomFrom } from "../results/random.ts";
import { type Noise, QUESTION, simulate, type Truth } from "./synthetic-report.ts";

export const MACHINE: Environment = {
  ipcmark: "0.1.0",
  node: "26.10.0",
  v8: "14",
  platform: "linux",
  arch: "x64",
  kernel: "6.18.44-vendor-7",
  cpuModel: "Some CPU",
  cpus: 2,
  allowedCpus: "0-1",
  memoryBytes: 1,
  virtualization: "kvm",
  governor: null,
  loadAverage1: 0,
  stealShare: 0,
  placements: {},
  ffi: { binding: "none", callNs: null },
  timerNs: 30,
  harnessFloorNs: null,
};

/** Noise of a machine at rest: METHODOLOGY has the figures. */
export const USUAL: Noise = { rounds: 16, round: 0.15, trial: 0.05 };

export function checkOf(transport: string, scenario: string, change: Partial<CheckResult> = {}): CheckResult {
  const base = { kind: "scenario", peer: "node", status: "passed", notes: {}, durationMs: 1 } as const;
  return { transport, scenario, title: `The title of ${scenario}`, ...base, ...change };
}

/** Makes a report with an answer, of transports with known costs. */
export function decidedReport(
  truths: readonly Truth[],
  { noise = USUAL, seed = 1, question = {} }: { noise?: Noise; seed?: number; question?: Partial<Question> } = {},
): Decided {
  const asked = { ...QUESTION, ...question };
  const { transports, measurements } = simulate(truths, noise, randomFrom(seed));
  const evidence = {
    transports,
    measurements,
    checks: truths.map(({ id }) => checkOf(id, "reconnect")),
  };
  const found = pick(evidence, asked);
  if (found === null) throw new Error("no pick");
  return {
    ...evidence,
    schemaVersion: 2,
    startedAt: "2026-11-28T08:00:00.000Z",
    durationMs: 1000,
    commandLine: "ipcmark compare --out /srv/somebody/out",
    seed,
    environment: MACHINE,
    cBaseline: [],
    pick: found,
    question: {
      needs: ["ordered"],
      profile: "rpc",
      workload: {
        clients: 1,
        ratePerSecond: null,
        payloads: [...asked.payloads],
        workMicros: 0,
        codec: null,
        peer: "node",
        optimize: "p50",
      },
      checks: ["reconnect"],
    },
    candidates: truths.map(({ id }) => ({ transport: id, status: "in", why: "named", shown: [], open: [] })),
    warnings: [],
  };
}
