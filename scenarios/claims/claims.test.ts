import { describe, expect, it, test } from "vitest";
import { CHECKS } from "../../harness/driver/checks/catalog.ts";
import { judgeClaims } from "../../harness/pick/claims.ts";
import type { CheckResult, MeasuredRow, Measurement, Report } from "../../harness/results/model.ts";
import { recordOf, rowOf } from "../../harness/testing/synthetic-report.ts";
import { REGISTRY } from "../../transports/registry.ts";
import { BENCHMARKS } from "../benchmarks/index.ts";
import { type Claim, type ClaimFinding, type ClaimPart, cellsOfClaim, checksOfClaim } from "../claim.ts";
import type { CellMetric, CellName } from "../evidence.ts";
import { CLAIMS } from "./index.ts";

/** Results in a report for each part of a claim: a ratio or a figure, or whether a check passed. */
type Shown = readonly (number | boolean)[];

const CASES: Readonly<Record<string, { readonly confirms: Shown; readonly refutes: Shown; readonly depends?: Shown }>> =
  {
    "shm-lowest-latency": {
      confirms: [2, 2, 1.5, 1.4, 1.5, 1.6, 2, 2],
      refutes: Array(8).fill(0.5),
      depends: [2, 2, 1.5, 1.4, 1.5, 1.6, 0.7, 0.7],
    },
    "posix-mq-high-rate": { confirms: [2, 2], refutes: [0.5, 0.5], depends: [2, 0.5] },
    "file-drop-last-resort": { confirms: [20, 10, 20, 2], refutes: [20, 10, 20, 0.5] },
    "persistent-connection": { confirms: [5, 5], refutes: [5, 0.9] },
    "msgpack-beats-json": { confirms: [2, 2], refutes: [0.5, 0.5], depends: [0.5, 2] },
    "large-in-shared-memory": { confirms: [2, 3, 4], refutes: [0.5, 0.5, 0.5], depends: [0.5, 2, 10] },
    "spinning-costs-cpu": { confirms: [1.9, 0.02], refutes: [1.9, 1.9] },
    "grpc-heavy": { confirms: [12, 5], refutes: [12, 1.2] },
    "length-prefix": { confirms: [true, true, true], refutes: [true, false, true] },
    "bounded-queues": { confirms: [true, true, true, true], refutes: [true, true, true, false] },
    "deadline-ends-hang": { confirms: [true, true, true, true], refutes: [false, true, true, true] },
    "python-connection-first": { confirms: [true, true, true, 1.1], refutes: [true, true, true, 3] },
    "tcp-three-times-unix": { confirms: [3, 3], refutes: [1.4, 1.6], depends: [1.4, 3] },
    "unix-seven-times-rate": { confirms: [7, 6], refutes: [2, 2], depends: [7, 2] },
    "shm-50-ns": { confirms: [50], refutes: [600] },
    "zeromq-five-times-unix": { confirms: [5], refutes: [2] },
    "grpc-500-times-unix": { confirms: [500], refutes: [12] },
    "grpc-5-to-20-ms": { confirms: [80], refutes: [12] },
    "stdio-tool-145-ms": { confirms: [145e6], refutes: [60e3] },
    "process-send-3-ms": { confirms: [4], refutes: [1.5] },
    "pipe-quarter-of-socket": { confirms: [0.25, 0.73], refutes: [0.8, 1.3], depends: [0.8, 0.73] },
    "grpc-tcp-80-us": { confirms: [3.2], refutes: [1.2] },
    "mq-faster-than-unix": { confirms: [1.7, 1.7], refutes: [0.9, 0.9], depends: [0.9, 1.7] },
    "shm-twice-as-fast-as-unix": { confirms: [2, 2], refutes: [0.9, 0.9], depends: [0.9, 2] },
    "futex-three-times-pipe": { confirms: [3, 3], refutes: [1.1, 1.1], depends: [1.1, 3] },
    "windows-pipe-rate": { confirms: [100_000], refutes: [7_000] },
  };
/** Differences between rounds, so that an interval has a width. */
const NOISE = [1, 1.004, 0.996, 1.002, 0.998, 1];

type Figures = Partial<Record<CellMetric, number>>;

/** Makes the report in which the parts of a claim have these ratios, figures and results. */
function reportOf(claim: Claim, shown: Shown): Report {
  const cells = new Map<string, { readonly cell: CellName; readonly figures: Figures }>();
  const figuresOf = (cell: CellName): Figures => {
    const key = JSON.stringify(cell);
    const found = cells.get(key) ?? { cell, figures: {} };
    cells.set(key, found);
    return found.figures;
  };
  const checks: CheckResult[] = [];
  claim.parts.forEach((part, at) => {
    const value = shown[at];
    if (part.kind === "check") checks.push(resultOf(part.check, part.transport, value === true));
    else if (part.kind === "figure") figuresOf(part.cell)[part.metric] = Number(value);
    else {
      const [one, other] = [figuresOf(part.one), figuresOf(part.other)];
      if (other[part.metric] === undefined) other[part.metric] = (one[part.metric] ?? 20_000) / Number(value);
      one[part.metric] = (other[part.metric] ?? 0) * Number(value);
    }
  });
  const measurements = [...cells.values()].map(({ cell, figures }) => measuredRow(cell, figures));
  const ids = new Set([...measurements, ...checks].map(({ transport }) => transport));
  return {
    checks,
    measurements,
    transports: [...ids].map((id) => recordOf(id)),
    environment: { cpuModel: `12th Gen ${claim.hardware ?? "Unknown"}` },
    claims: [claim.id],
  } as unknown as Report;
}

function resultOf(scenario: string, transport: string, passed: boolean): CheckResult {
  const status = passed ? { status: "passed" as const } : { status: "failed" as const, reason: "it was seen to fail" };
  return { scenario, title: "", kind: "scenario", transport, peer: "node", notes: {}, durationMs: 1, ...status };
}

function measuredRow(
  cell: CellName,
  { p50 = 20_000, rate = 1000, cpu = 9000, "idle-cpu": idle }: Figures,
): MeasuredRow {
  const { transport, mode, peer, benchmark, payloadBytes, placement = "two-cpus", corpus, codec = "raw" } = cell;
  const row = rowOf(
    transport,
    NOISE.map((noise) => p50 * noise),
    {
      ...{ mode, benchmark, placement, codec, payloadBytes, peer: { language: peer, version: "" } },
      ...(corpus === undefined ? {} : { corpus }),
    },
  );
  const trials = row.trials.map((trial, at) => ({
    ...trial,
    ...{ messagesPerSecond: rate * (NOISE[at] ?? 1), cpuNsPerMessage: cpu },
    ...(idle === undefined ? {} : { idleCpuShare: idle }),
  }));
  return { ...row, trials } as MeasuredRow;
}

const judged = (report: Report): ClaimFinding => judgeClaims(report)[0] as ClaimFinding;
const has = (cell: CellName, row: Measurement): boolean =>
  row.transport === cell.transport && row.mode === cell.mode && row.peer.language === cell.peer;
const isLacking = (part: ClaimPart): boolean => part.kind === "ratio" && part.lacking !== undefined;

test("each claim has a report that confirms it and one that refutes it", () => {
  expect(Object.keys(CASES).sort()).toEqual(CLAIMS.map(({ id }) => id).sort());
  expect(new Set(CLAIMS.map(({ id }) => id)).size).toBe(CLAIMS.length);
});

describe.each(CLAIMS.map((claim) => [claim.id, claim] as const))("%s", (id, claim) => {
  const { confirms, refutes, depends } = CASES[id] as (typeof CASES)[string];

  it("is confirmed, refuted or neither by what a report shows", () => {
    expect(judged(reportOf(claim, confirms)).status).toBe("confirmed");
    expect(judged(reportOf(claim, refutes)).status).toBe("refuted");
    expect(depends !== undefined).toBe(claim.dependsOn !== undefined);
    if (depends !== undefined) expect(judged(reportOf(claim, depends)).status).toBe("depends");
  });

  it("is not examined where a measurement or a check is missing, or a measurement failed", () => {
    const report = reportOf(claim, confirms);
    if (claim.parts.some(isLacking)) {
      expect(judged({ ...report, measurements: [] })).toMatchObject({ status: "not-comparable" });
      return;
    }
    for (const { check, transport } of checksOfClaim(claim)) {
      const checks = report.checks.filter((each) => each.scenario !== check || each.transport !== transport);
      expect(judged({ ...report, checks }).status, check).toBe("not-examined");
    }
    for (const cell of cellsOfClaim(claim)) {
      const rest = report.measurements.filter((row) => !has(cell, row));
      expect(judged({ ...report, measurements: rest }).status, cell.transport).toBe("not-examined");
      const failed = report.measurements.map((row) =>
        has(cell, row) ? ({ ...row, status: "failed", reason: "its driver died" } as Measurement) : row,
      );
      const found = judged({ ...report, measurements: failed });
      expect(found.status).toBe("not-examined");
      expect(JSON.stringify(found.parts)).toContain("its measurement failed: its driver died");
    }
  });

  it("names benchmarks, checks, mechanisms and ways of waiting that exist, a date, and one sentence", async () => {
    for (const cell of cellsOfClaim(claim)) {
      expect(BENCHMARKS.map(({ name }) => name)).toContain(cell.benchmark);
      const transport = await REGISTRY.find((entry) => entry.id === cell.transport)?.load();
      expect(transport?.capabilities.modes, cell.transport).toContain(cell.mode);
    }
    for (const { check, transport } of checksOfClaim(claim)) {
      expect(CHECKS.map((each) => each.id)).toContain(check);
      expect(REGISTRY.map((entry) => entry.id)).toContain(transport);
    }
    expect(claim.date).toMatch(/^(\d{4}(-\d\d-\d\d)?|undated)$/);
    expect(claim.text).toMatch(/^[\w'].*[^.]$/s);
  });
});

/** Makes the rounds of the first row differ by this share in both directions. */
function unsteady(report: Report, share: number): Report {
  const [first, ...rest] = report.measurements as readonly MeasuredRow[] as readonly [MeasuredRow];
  const p50s = first.trials.map((_, at) => 20_000 * (1 + share * (at % 2 === 0 ? 1 : -1)));
  const { trials } = rowOf(first.transport, p50s);
  return { ...report, measurements: [{ ...first, trials }, ...rest] };
}

const named = (id: string): Claim => CLAIMS.find((claim) => claim.id === id) as Claim;

describe("a verdict", () => {
  const claim = named("zeromq-five-times-unix");

  it("needs six rounds in common and an interval on one side of what is claimed", () => {
    const report = reportOf(claim, [5]);
    const few = report.measurements.map((row) => ({ ...row, trials: row.trials.slice(0, 5) }));
    expect(judged({ ...report, measurements: few }).status).toBe("cannot-tell");
    expect(judged(unsteady(report, 0.4)).status).toBe("cannot-tell");
    expect(judged(unsteady(report, 0.2)).status).toBe("confirmed");
  });

  it("is that an advantage is none where the run shows that it is below 10 %", () => {
    const isFaster = named("persistent-connection");
    const parts = [isFaster.parts[0]] as const;
    const report = { ...reportOf({ ...isFaster, parts }, [1]), claims: [isFaster.id] };
    const found = judgeClaims(report)[0]?.parts[0];
    expect(found?.figure?.value).toBeCloseTo(1);
    expect(found?.status).toBe("fails");
    expect(judgeClaims(unsteady(report, 0.2))[0]?.parts[0]?.status).toBe("cannot-tell");
  });

  it("is that it cannot be compared where the machine has no such mechanism", () => {
    const report = reportOf(claim, [5]);
    const reason = "not on this system";
    const gone = { ...recordOf("zeromq/dealer-router"), available: false as const, reason };
    const rest = {
      measurements: report.measurements.filter(({ transport }) => transport !== "zeromq/dealer-router"),
      transports: [gone, ...report.transports.filter(({ id }) => id !== "zeromq/dealer-router")],
    };
    expect(judged({ ...report, ...rest })).toMatchObject({ status: "not-comparable", parts: [{ reason }] });
  });

  it("is about the conditions that exist on the machine", () => {
    const placed = named("tcp-three-times-unix");
    const onTwo = (shown: Shown): Report => {
      const report = reportOf(placed, shown);
      const measurements = report.measurements.map((row) =>
        row.placement === "same-cpu"
          ? ({ ...row, status: "not-applicable", reason: "processes cannot be pinned" } as Measurement)
          : row,
      );
      return { ...report, measurements };
    };
    expect(judged(onTwo([3, 1.4])).status).toBe("confirmed");
    expect(judged(onTwo([1.4, 3])).status).toBe("refuted");
  });

  it("about two CPUs is none where the run had one", () => {
    const placed = named("tcp-three-times-unix");
    const report = reportOf(placed, [3, 3]);
    const measurements = report.measurements.filter(({ placement }) => placement === "same-cpu");
    const found = judged({ ...report, measurements });
    expect(found.parts.map(({ status }) => status)).toEqual(["not-examined", "holds"]);
    const cannot = { status: "not-applicable", reason: "one CPU only" } as const;
    const known = [...report.measurements.map((row) => (row.placement === "two-cpus" ? { ...row, ...cannot } : row))];
    expect(judged({ ...report, measurements: known as Measurement[] }).status).toBe("confirmed");
    const elsewhere = reportOf(named("zeromq-five-times-unix"), [5]);
    const onOne = elsewhere.measurements.map((row) => ({ ...row, placement: "same-cpu" as const }));
    const rest = [...known.filter(({ placement }) => placement === "two-cpus"), ...onOne] as Measurement[];
    expect(judged({ ...elsewhere, measurements: rest }).status).toBe("confirmed");
  });

  it("about a time is none on another machine than that of its source", () => {
    const time = named("shm-50-ns");
    const report = reportOf(time, [50]);
    const environment = { ...report.environment, cpuModel: "AMD EPYC" };
    const found = judged({ ...report, environment });
    expect(found.status).toBe("not-comparable");
    expect(found.parts[0]?.figure?.value).toBeCloseTo(50);
  });

  it("about an order of magnitude is one on any machine, and cannot be told at its ends", () => {
    const order = named("stdio-tool-145-ms");
    const of = (ms: number): Report => {
      const report = reportOf(order, [ms * 1e6]);
      return { ...report, environment: { ...report.environment, cpuModel: "AMD EPYC" } };
    };
    expect([15, 1400].map((ms) => judged(of(ms)).status)).toEqual(["confirmed", "confirmed"]);
    expect([14, 1500].map((ms) => judged(of(ms)).status)).toEqual(["refuted", "refuted"]);
    expect(judged(of(14.5)).status).toBe("cannot-tell");
  });

  it("counts the other name of a mechanism, and the usual placement of the run", () => {
    const report = reportOf(claim, [5]);
    const measurements = report.measurements.map((row) => ({
      ...row,
      placement: "unpinned" as const,
      transport: row.transport === "unix" ? "local-socket" : row.transport,
    }));
    const transports = [{ ...recordOf("local-socket"), sameAs: "unix" }, recordOf("unix")];
    expect(judged({ ...report, measurements, transports }).status).toBe("confirmed");
  });
});
