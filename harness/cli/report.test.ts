import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it, vi } from "vitest";
import { storedGateFixture } from "../../ci/gate/testing/stored-gate.ts";
import { renderCsv } from "../../reports/csv.ts";
import { renderHtml } from "../../reports/html/render.ts";
import { junit } from "../../reports/junit.ts";
import { renderMarkdown } from "../../reports/markdown.ts";
import { checkTables, codecTables, compareTables, pickParagraph } from "../../reports/terminal/index.ts";
import { fullReport } from "../../reports/testing/fixture-machine.ts";
import { loadReport } from "../results/load-report.ts";
import type { Report } from "../results/model.ts";
import { StoreError } from "../results/store.ts";
import { reportCommand } from "./report.ts";

/** Characters that a terminal could obey, without the line ends and colours that tables are made of. */
const OBEYED = /(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;
const directory = mkdtempSync(join(tmpdir(), "report-test-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Small, and yet with at least one of everything that is rendered. */
function smallReport(): Report {
  const { measurements, checks, ...rest } = fullReport({ trials: 1, placements: ["two-cpus"], payloads: [64] });
  const kinds = new Map(measurements.map((cell) => [`${cell.benchmark} ${cell.status} ${cell.mode}`, cell]));
  const codec = { codec: "json", corpus: "rpc-object" } as const;
  return {
    ...rest,
    measurements: [...kinds.values()],
    checks: [...new Map(checks.map((check) => [check.status, check])).values()],
    cBaseline: [...kinds.values()].slice(0, 2),
    codecs: [
      { ...codec, status: "measured", bytes: 121, firstBytes: 121, encodeNs: 1512, decodeNs: 1365, marginPercent: 3 },
      { ...codec, status: "not-applicable", reason: "no bytes in JSON" },
    ],
  };
}

const SMALL = JSON.stringify(smallReport());

const STRANGE: readonly unknown[] = [
  ...[null, undefined, true, 0, -1, 1, 0.5, 1e18, 1e300, 5e-324, 2 ** 53, Number.NaN],
  ...["", "x", "constructor", "__proto__", "toString", "\u001b[2J\u202e\n\u2028", "x".repeat(5000), "</script><!--"],
  ...[[], {}, [[]], [null], [0, 0], [1, 2], { length: -1 }, { toString: null }, Array(3000).fill({}), { p50: "x" }],
];

/** Everything inside, as a way to each place. */
function placesIn(value: unknown, way: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [way];
  return [way, ...Object.entries(value).flatMap(([name, part]) => placesIn(part, [...way, name]))];
}

function replaced(way: readonly string[], value: unknown): unknown {
  const report = JSON.parse(SMALL);
  const last = way.at(-1);
  if (last === undefined) return value;
  let parent = report;
  for (const name of way.slice(0, -1)) parent = parent[name];
  parent[last] = value;
  return report;
}

async function renderAll(report: Report): Promise<string> {
  const options = { columns: 140 };
  const tables = [compareTables(report, options), codecTables(report, options), checkTables(report, options)];
  const page = await renderHtml(report);
  expect(page.startsWith("<!doctype html>")).toBe(true);
  expect(Buffer.byteLength(renderMarkdown(report))).toBeLessThan(60_000);
  expect(renderCsv(report)).not.toMatch(/(?!\r\n)[\p{Cc}](?<!\r\n)/u);
  junit(report);
  return [...tables, pickParagraph(report, options)].join("\n");
}

it("tells a gate from a report by its content", async () => {
  const path = join(directory, "named-as-a-report.json");
  writeFileSync(path, JSON.stringify(storedGateFixture()));
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const noted = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  await reportCommand().parseAsync([path, "--out", directory], { from: "user" });
  const text = (spy: typeof write): string => spy.mock.calls.map(([part]) => String(part)).join("");
  const [table, notes] = [text(write), text(noted)];
  vi.restoreAllMocks();
  expect(table).toContain("tcp (event, same-cpu) 64 B p50");
  expect(notes).toContain("gate.html");
  expect(readFileSync(join(directory, "gate.html"), "utf8")).toContain("Size of each change");
});

it("refuses what --adr would not write", async () => {
  const path = join(directory, "adr.json");
  writeFileSync(path, SMALL);
  for (const flag of ["--format=csv", "--claims"])
    await expect(
      reportCommand().parseAsync([path, "--adr", join(directory, "a.md"), flag], { from: "user" }),
    ).rejects.toThrow(/^--adr writes a decision record alone; leave out --(format|claims)/);
});

describe("--format", () => {
  const silent = (): void => {
    for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, "write").mockReturnValue(true);
  };
  const report = async (...words: readonly string[]): Promise<unknown> => {
    silent();
    try {
      return await reportCommand().parseAsync(words, { from: "user" });
    } finally {
      vi.restoreAllMocks();
    }
  };

  it("writes each form under one name, and the JSON is a report again", async () => {
    const [path, out] = [join(directory, "stored.json"), join(directory, "forms")];
    writeFileSync(path, SMALL);
    await report(path, "--format", "markdown,csv", "--format", "json", "html", "--out", out);
    expect(readdirSync(out).sort()).toEqual(["report.csv", "report.html", "report.json", "report.md"]);
    expect(readFileSync(join(out, "report.md"), "utf8")).toMatch(/^## ipcmark/);
    expect(readFileSync(join(out, "report.csv"), "utf8")).toMatch(/^id,mode,placement,benchmark,payload_bytes,/);
    expect(loadReport(join(out, "report.json"))).toEqual(loadReport(path));
  });

  it("writes a gate as markdown, and names the forms that it has", async () => {
    const [path, out] = [join(directory, "gate-record.json"), join(directory, "gate-forms")];
    writeFileSync(path, JSON.stringify(storedGateFixture()));
    await report(path, "--format", "markdown", "--out", out);
    expect(readFileSync(join(out, "gate.md"), "utf8")).toMatch(/^### .*\n\n\| cell \| verdict/);
    await expect(report(path, "--format", "csv", "--out", out)).rejects.toThrow("valid: html, markdown, json");
  });

  it("refuses an unknown form, and one that would take the place of what it reads", async () => {
    const path = join(directory, "report.json");
    writeFileSync(path, SMALL);
    await expect(report(path, "--format", "markdwon")).rejects.toThrow(
      'unknown --format "markdwon" (did you mean markdown?); valid: html, markdown, csv, json',
    );
    await expect(report(path, "--format", "json", "--out", directory)).rejects.toThrow("which it reads");
    expect(readFileSync(path, "utf8")).toBe(SMALL);
  });
});

describe("a report of which one value is something else", () => {
  const places = placesIn(JSON.parse(SMALL));

  it("is rendered in every form, or refused with one sentence", async () => {
    let rendered = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), fc.constantFrom(...STRANGE), async (way, value) => {
        const path = join(directory, "report.json");
        writeFileSync(path, JSON.stringify(replaced(way, value)) ?? "");
        let report: Report;
        try {
          report = loadReport(path);
        } catch (error) {
          expect(error).toBeInstanceOf(StoreError);
          expect((error as Error).message).not.toContain("\n");
          refused++;
          return;
        }
        expect(await renderAll(report)).not.toMatch(OBEYED);
        rendered++;
      }),
      { numRuns: process.env["IPCMARK_TEST_ALL"] ? 20_000 : 120 },
    );
    expect(Math.min(rendered, refused), "both happen").toBeGreaterThan(0);
  });
});

describe("a report whose every text is hostile", () => {
  const evil = "\u001b]0;owned\u0007\u009b2J\u202eevil\n\r</script><!--\u2028|`@all";
  const keep = /^(status|mode|placement|kind|over|arrivals|histogram|rule|effort)$/;
  const hostile = JSON.parse(SMALL, (key, value) =>
    typeof value === "string" && !keep.test(key) ? `${value}${evil}` : value,
  );
  // Elements of arrays have numbers for keys.
  for (const { capabilities } of hostile.transports) capabilities.modes = ["event"];
  for (const { warnings } of [hostile, ...hostile.measurements, ...hostile.cBaseline])
    for (const warning of warnings) warning.id = "crash";
  hostile.pick.workload.modes = ["event"];
  hostile.environment.placements = {};

  it("shows escapes on a terminal and obeys none", async () => {
    const path = join(directory, "hostile.json");
    writeFileSync(path, JSON.stringify(hostile));
    const tables = await renderAll(loadReport(path));
    expect(tables).not.toMatch(OBEYED);
    expect(tables).toContain("\\x1b]0;owned\\x07\\x9b2J\\u202eevil\\n");
  });

  it("is data in the page, and well-formed in XML", async () => {
    const page = await renderHtml(hostile);
    const plain = await renderHtml(JSON.parse(SMALL));
    expect(page.match(/<\/script/g)).toHaveLength(plain.match(/<script/g)?.length ?? 0);
    expect(page).not.toContain("<!--");
    expect(junit(hostile)).not.toMatch(/(?!\n)[\p{Cc}\p{Cs}\ufffe\uffff]/u);
    expect(junit(hostile)).not.toContain("<!--");
  });
});
