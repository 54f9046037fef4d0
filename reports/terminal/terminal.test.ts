import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import type { Measurement, Report } from "../../harness/results/model.ts";
import { upgraded } from "../../harness/results/upgrade.ts";
import { fixtureReport } from "../testing/fixture.ts";
import { fullReport } from "../testing/fixture-machine.ts";
import { answer, checkTables, compareTables, listTable, pickParagraph } from "./index.ts";
import { renderTable } from "./table.ts";

const report = fixtureReport();
const full = fullReport();
const plain = (text: string): string => stripVTControlCharacters(text);
const all = (of: Report, columns: number): string =>
  plain(
    [
      compareTables(of, { columns }),
      checkTables(of, { columns }),
      pickParagraph(of, { columns }),
      listTable(
        of.transports.map((record) => ({ ...record, family: "sockets" })),
        { columns },
      ),
    ].join("\n"),
  );

describe("terminal tables", () => {
  test.each([80, 100, 120, 140])("stay within %i columns", (columns) => {
    const tooLong = [report, full]
      .flatMap((one) => all(one, columns).split("\n"))
      .filter((line) => line.length > columns);
    expect(tooLong).toEqual([]);
  });

  test("say which version of another language a server is written in", () => {
    const peer = { language: "python", version: "3.11.7" };
    const measurements = report.measurements.map((cell) => (cell.transport === "tcp" ? { ...cell, peer } : cell));
    const text = plain(compareTables({ ...report, measurements }));
    expect(text).toContain("(python): its server is written in python, version 3.11.7.");
    expect(plain(compareTables(report))).not.toContain("its server is written in");
  });

  test("show one table per placement, with its waiting classes in it", () => {
    const text = plain(compareTables(report));
    expect(text.match(/^two CPUs \(driver on 0, peer on 1\) · round-trip$/gm)).toHaveLength(1);
    expect(text.match(/^same CPU/gm)).toHaveLength(1);
    expect(text.match(/^(event loop|blocking|polling)$/gm)).toHaveLength(6);
  });

  test("show failed and not applicable cells with their reasons", () => {
    const text = plain(compareTables(report));
    expect(text).toMatch(/tcp +failed: 2 messages lost in round 3/);
    expect(text).toMatch(/posix-mq +not applicable: posix-mq carries at most 8192 bytes/);
    expect(text).toMatch(/† stdio, 4 KiB: the stream failed: the peer ended with SIGSEGV/);
  });

  test("list the failures of a mechanism together, whichever ended first", () => {
    const [check] = report.checks.map((one) => ({ ...one, status: "failed" as const, reason: "lost" }));
    const checks = ["unix", "tcp", "unix"].map((transport) => ({ ...check, transport }) as never);
    expect(plain(checkTables({ checks })).match(/✗ \w+/g)?.slice(0, 3)).toEqual(["✗ unix", "✗ unix", "✗ tcp"]);
  });

  test("put baselines below a line, without a ratio", () => {
    expect(plain(compareTables(report))).toMatch(/─{20,}\n +loopback +\S+ \S+ +\S+ +– .* baseline/);
  });

  test("mark ties in words and show a dash for a percentile that is absent", () => {
    const text = plain(compareTables(report));
    expect(text).toMatch(/unix .* 1\.0\d× 0\.\d+–1\.0\d .* = tie/);
    expect(text).toContain("= tie: not distinguishable from the best, since the interval of the ratio contains 1.");
    expect(text).toMatch(/^ {2}unix +47\.\d µs +\S+ +1\.00× +– +– /m);
  });

  test("show the interval of a rate, from the stream if there is one, and of the ratio on narrow terminals too", () => {
    expect(plain(compareTables(report))).toMatch(/^ {2}unix .* 4\d\d k +±[1-9] % .* best$/m);
    expect(plain(compareTables(report, { columns: 80 }))).toMatch(/^ {2}unix .* 1\.0\d× 0\.\d+–1\.0\d .* = tie$/m);
  });

  test("mark a p99 from few samples, and say what would settle it", () => {
    const few = report.measurements.map((cell) =>
      cell.status === "measured" && cell.latencyNs ? { ...cell, latencyNs: { ...cell.latencyNs, count: 9_999 } } : cell,
    );
    const text = plain(compareTables({ ...report, measurements: few })).replace(/\s+/g, " ");
    expect(text).toMatch(/unix 19\.\d µs \S+ \S+ \S+ ~\d/);
    expect(text).toContain("~: fewer than 100 samples are above this p99");
    expect(plain(compareTables(report))).not.toContain("~");
  });

  test("say how many messages a p99 needs where a row has none, so that nobody reads it as the number sent", () => {
    expect(plain(compareTables(report)).replace(/\s+/g, " ")).toContain(
      "p99 –: a p99 needs 2000 messages over all trials, and this run had time for fewer; give a longer --budget.",
    );
  });

  test("show the machine's own tail floor below tables with a p99 of its placement, and only there", () => {
    const tables = plain(compareTables(full)).split("\n\n");
    const floor = "the machine's own tail floor: p99 84.0 µs; this machine wakes a sleeping process within 84 µs";
    const titles = tables.filter((text) => text.includes(floor)).map((text) => text.split(" ")[0]);
    expect(new Set(titles)).toEqual(new Set(["two"]));
    expect(tables.find((text) => text.includes("· idle"))).not.toContain("tail floor");
    expect(plain(compareTables(report))).not.toContain("tail floor");
  });

  test("show the distance to plain C where a row of the table has one, with room for it", () => {
    const [first = "", ...others] = plain(compareTables(full)).split("\n\n");
    expect(first).toMatch(/CPU\/msg +× C/);
    expect(first).toMatch(/^ {2}unix .* µs +3\.17× /m);
    expect(first).toMatch(/^ {2}tcp .* µs +–$/m);
    expect(others.find((text) => text.includes("· pipeline"))).not.toContain("× C");
    expect(plain(compareTables(report))).not.toContain("× C");
    expect(plain(compareTables(full, { columns: 80 }))).not.toContain("× C");
  });

  test.each<[number, [number, number] | null, string, string]>([
    [0.74, [0.7, 0.8], "(0.740×)", "(…×): below 0.9 × C. "],
    [0.86, [0.7, 1.01], "(0.860×)?", "(…×)?: below 0.9 × C, but"],
    [0.86, null, "(0.860×)?", "(…×)?: below 0.9 × C, but"],
  ])("mark a ratio of %d to plain C with the interval %j", (ratio, interval, text, note) => {
    const measurements = full.measurements.map((cell) =>
      cell.status === "measured" && cell.cBaseline
        ? { ...cell, cBaseline: { ...cell.cBaseline, ratio, interval } }
        : cell,
    );
    const [first = ""] = plain(compareTables({ ...full, measurements })).split("\n\n");
    expect(first.match(/^ {2}unix .*×.* (\S+×\S*) /m)?.[1]).toBe(text);
    expect(first).toContain(note);
  });

  test.each([60, 80, 100, 140])("leave columns out before they shorten a name, at %i columns", (columns) => {
    const renamed = new Map([
      ["unix", "python-connection"],
      ["fifo", "python-connection (python)"],
    ]);
    const measurements = full.measurements.map((cell) => ({
      ...cell,
      transport: renamed.get(cell.transport) ?? cell.transport,
    }));
    const [first = ""] = plain(compareTables({ ...full, measurements }, { columns })).split("\n\n");
    expect(first).toMatch(/^ {2}python-connection {2}/m);
    expect(first).toMatch(/^ {2}python-connection \(python\) {2}/m);
    expect(/^ +p50 .*CPU\/msg/m.test(first)).toBe(columns > 100);
    expect(first.includes("no room here for CPU/msg")).toBe(columns <= 100);
  });

  test("shorten a name that still has no room in its middle, so that names of one family stay apart", () => {
    const names = ["python-connection", "python-connection (python)"];
    const columns = [
      { title: "", align: "left", shrink: "cut" },
      { title: "x".repeat(66), align: "right" },
    ] as const;
    const text = plain(
      renderTable(
        columns,
        names.map((name) => ({ cells: [name, "1"] })),
        { columns: 80 },
      ),
    );
    expect(text.split("\n").map((line) => line.split(" ")[0])).toEqual(["", "python…ction", "python…thon)"]);
  });

  test("show switches, memory and drift where there is room for them", () => {
    const [first = ""] = plain(compareTables(full, { columns: 140 })).split("\n\n");
    expect(first).toMatch(/switches\/msg +memory +drift/);
    expect(first).toMatch(/^ {2}unix .* 1\.98 \+ 0\.0120 +\S+ \SiB +0\.970×/m);
    expect(plain(compareTables(full))).not.toContain("switches/msg");
  });

  test("say below the table what only some models have, and why there is no C baseline", () => {
    const text = plain(compareTables(full, { columns: 200 }));
    expect(text).toContain("unix, 64 B: connect 105 µs, reply 61.0 µs, close 12.0 µs");
    expect(text).toContain("unix, 64 B, 1.00 k/s: the driver was late by 210 ns (p50) and 5.40 µs (p99)");
    expect(text).toContain("unix, 64 B, 1.00 k/s poisson: 1.2 % lost");
    const cBaselineReason = { status: "unavailable", reason: "there is no C compiler (cc) here" } as const;
    expect(plain(compareTables({ ...full, cBaselineReason }))).toContain("no C baseline: there is no C compiler");
    expect(plain(compareTables(full))).not.toContain("was not asked for");
  });

  test("show what an idle connection costs instead of a missing value", () => {
    const idle = plain(compareTables(full))
      .split("\n\n")
      .find((text) => text.includes("· idle"));
    expect(idle).toMatch(/unix +2\.14 % of one CPU while idle/);
    expect(idle).not.toContain("no value");
  });

  test("show the warnings of a cell below its table", () => {
    expect(plain(compareTables(report))).toMatch(/! bimodal: trials fall into two groups.*\(fifo 64 B, fifo 4 KiB/);
  });

  test("say in their head what the intervals of a quick run are worth, and of no other", () => {
    const duration = { rule: "budget", effort: "quick", rounds: 6, plannedMs: 1, actualMs: 1, sentence: "" } as const;
    const heads = plain(compareTables({ ...report, duration }))
      .split("\n\n")
      .map((text) => text.split("\n")[1]);
    expect(new Set(heads)).toEqual(
      new Set(["--quick: short windows; only 74 % of such intervals contained the true value"]),
    );
    expect(plain(compareTables({ ...report, duration: { ...duration, effort: "default" } }))).not.toContain("--quick");
  });

  test("name the load of a row that a warning is about", () => {
    const measurements = full.measurements.map((cell) =>
      cell.ratePerSecond === null
        ? cell
        : { ...cell, warnings: [{ id: "not-stationary" as const, text: "drifts", where: {} }] },
    );
    const text = plain(compareTables({ ...full, measurements }, { columns: 140 }));
    expect(text).toMatch(/! drifts \(unix 64 B 1000\/s/);
  });

  test("show a reason whole, on several lines if need be", () => {
    const reason = `the kernel refused: ${"no buffer space available ".repeat(8)}(ENOBUFS)`;
    const failed = { ...(report.measurements[0] as Measurement), status: "failed" as const, reason };
    const text = plain(compareTables({ ...report, measurements: [failed] }, { columns: 80 }));
    expect(text.replace(/\s+/g, " ")).toContain(reason);
  });

  test("put failed checks first, then the matrix, then why checks did not apply", () => {
    const text = plain(checkTables(report));
    expect(text.indexOf("✗ posix-mq  server-crash: the client still waited")).toBeGreaterThan(0);
    expect(text.indexOf("✗ posix-mq")).toBeLessThan(text.indexOf("1. server-crash"));
    expect(text).toMatch(/- \[\d+\] driver and peer are one process \(loopback\)/);
    expect(text).toContain("46 passed, 1 failed, 2 not applicable, 6 unavailable");
  });

  test("number many checks by name alone, and print what was counted, since counts scale to the mechanism", () => {
    const [first] = report.checks as [Report["checks"][number]];
    const checks = Array.from({ length: 20 }, (_, index) => ({
      ...first,
      ...(index === 0
        ? { scenario: "sequential-requests", kind: "scenario" as const, notes: { requests: 1802 } }
        : { scenario: `conformance/exchange/case-${index}`, kind: "conformance" as const, notes: {} }),
      ...(index > 4 && index < 9
        ? { status: "not-applicable" as const, reason: "no blocking face" }
        : { status: "passed" as const }),
    }));
    const text = plain(checkTables({ checks }, { columns: 80 }));
    expect(text).toContain("scenarios: 1 sequential-requests");
    expect(text).toMatch(/conformance\/exchange: 2 case-1, 3 case-2,/);
    expect(text).not.toContain(first.title);
    expect(text).toMatch(/figures +requests .*\n\S+ +1802 /);
    expect(text).toContain("- [6–9] no blocking face");
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test("name the pick first, or say that there is none", () => {
    expect(plain(pickParagraph(report))).toMatch(/^Use unix: /);
    expect(plain(pickParagraph({ pick: null }))).toMatch(/^No pick/);
  });

  test("are empty where nothing ran, and read old reports without the optional fields", () => {
    const empty: Report = { ...report, measurements: [], checks: [] };
    expect([compareTables(empty), checkTables(empty)]).toEqual(["", ""]);
    expect(all(withoutOptional(report), 80)).toContain("unix");
  });

  test("never let an error text steer the terminal", () => {
    const check = {
      ...(report.checks[0] as Report["checks"][number]),
      status: "failed" as const,
      reason: "\u001b[2Jgone",
    };
    expect(checkTables({ checks: [check] })).not.toContain("\u001b[2J");
  });
});

/** A report of version 1 as the first release could have written it: only what has been there from the start. */
function withoutOptional(of: Report): Report {
  const measurements = of.measurements.map((cell) => {
    const { benchmark, transport, mode, placement, payloadBytes, status } = cell;
    const found = cell.status === "measured" ? cell.latencyNs : undefined;
    return {
      ...{ benchmark, transport, mode, placement, payloadBytes, status },
      ...(found ? { latencyNs: { p50: found.p50 } } : {}),
    };
  });
  const { transports, startedAt } = of;
  const old = { schemaVersion: 1, startedAt, transports, measurements, checks: of.checks, environment: {}, pick: null };
  return upgraded(JSON.parse(JSON.stringify(old))) as Report;
}

test("an answer without a pick names the ways of waiting of a transport whose reasons differ", () => {
  const report = fixtureReport();
  const lacking = (transport: string, mode: Measurement["mode"], reason: string): Measurement => {
    const row = report.measurements.find(({ status }) => status === "measured") as Measurement;
    return { ...row, transport, mode, status: "unavailable", reason } as Measurement;
  };
  const measurements = [
    lacking("unix", "event", "kept 20000/s"),
    lacking("unix", "blocking", "kept 17000/s"),
    lacking("stdio", "event", "1 client, not 2"),
    lacking("stdio", "blocking", "1 client, not 2"),
  ];
  const lines = stripVTControlCharacters(answer({ ...report, measurements, pick: null })).split("\n");
  expect(lines.slice(1, 4)).toEqual([
    "  unix (event loop): kept 20000/s",
    "  unix (blocking): kept 17000/s",
    "  stdio: 1 client, not 2",
  ]);
});
