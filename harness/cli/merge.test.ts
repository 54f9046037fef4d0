import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { renderCsv, renderMachinesCsv } from "../../reports/csv.ts";
import { renderMachines } from "../../reports/html/machines.ts";
import { renderMachinesMarkdown } from "../../reports/machines-markdown.ts";
import { cautions, sideBySide } from "../../reports/side-by-side.ts";
import { fixtureReport } from "../../reports/testing/fixture.ts";
import type { Report } from "../results/model.ts";
import { machinesOf } from "./merge.ts";

const folder = mkdtempSync(join(tmpdir(), "ipcmark-merge-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Stores a report and returns its path. */
function stored(path: string, report: unknown): string {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), JSON.stringify(report));
  return join(folder, path);
}

const of = (seed: number, cpuModel: string): Report => {
  const report = fixtureReport({ seed, payloads: [64], placements: ["same-cpu"] });
  return { ...report, environment: { ...report.environment, cpuModel, fingerprint: cpuModel } };
};
const one = of(1, "First <CPU>");
const two = of(2, "Second");

describe("merge", () => {
  it("names machines by their files, or by the folders of an artifact, and refuses what is no set of machines", () => {
    const files = [stored("a.json", one), stored("b.json", two)];
    expect(machinesOf(files).map(({ name }) => name)).toEqual(["a", "b"]);
    const artifacts = [stored("arm/report.json", one), stored("x64/report.json", two)];
    expect(machinesOf(artifacts).map(({ name }) => name)).toEqual(["arm", "x64"]);
    expect(() => machinesOf(files.slice(1))).toThrow("at least two reports");
    expect(() => machinesOf([...files, ...files])).toThrow("is named twice");
    expect(() => machinesOf([stored("c.json", {}), ...files])).toThrow("is no ipcmark report");
  });

  it("orders transports by name, and gives each machine's multiples of its own best", () => {
    const machines = [
      { name: "a", report: one },
      { name: "b", report: two },
    ];
    const tables = sideBySide(machines);
    expect(tables.length).toBeGreaterThan(0);
    for (const { rows } of tables) {
      const names = rows.map(([name]) => name);
      expect(names).toEqual(names.toSorted());
    }
    const trips = tables.find(({ title }) => /same CPU · event loop · round-trip/.test(title))?.rows ?? [];
    for (const column of [1, 2]) expect(trips.filter((row) => row[column]?.includes("(1.00×)"))).toHaveLength(1);
    const [less] = sideBySide([...machines, { name: "c", report: { ...one, measurements: [] } }]);
    expect(less?.rows.every((row) => row[3] === "–")).toBe(true);
  });

  it("warns of one machine twice, other versions and other questions", () => {
    const other = { ...one, environment: { ...one.environment, ipcmark: "9.9.9" } };
    const found = cautions([
      { name: "a", report: one },
      { name: "b", report: other },
    ]);
    expect(found).toEqual([
      expect.stringContaining("different versions of ipcmark"),
      "a and b have the same hardware and setting: they may be one machine",
    ]);
    expect(cautions([{ name: "a", report: one }])).toEqual([]);
  });

  it("writes a page that escapes its text and has no script", async () => {
    const page = await renderMachines([
      { name: "<a>", report: one },
      { name: "b", report: two },
    ]);
    expect(page).toContain("First &lt;CPU&gt;");
    expect(page).toContain("&lt;a&gt;");
    expect(page).not.toContain("<script");
    expect(page).toContain("no mechanism is ranked across machines");
  });

  it("writes markdown that fits into a comment, escapes its text and names what does not fit", () => {
    const machines = [
      { name: "<a>|b", report: one },
      { name: "b", report: two },
    ];
    const short = renderMachinesMarkdown(machines);
    expect(short).toContain("### &lt;a&gt;\\|b\n");
    expect(short).not.toContain("Left out");
    const tables = sideBySide(machines);
    const [head = "", ...found] = short.split("<details>");
    expect(found).toHaveLength(tables.length);
    expect(head).toContain("no mechanism is ranked across machines");
    for (const [at, text] of found.entries())
      expect(text.match(/^\| `?\w/gm)).toHaveLength((tables[at]?.rows.length ?? 0) + 1);
    const many = Array.from({ length: 200 }, (_, at) => ({ name: `machine ${at} ${"x".repeat(40)}`, report: one }));
    const long = renderMachinesMarkdown(many);
    expect(Buffer.byteLength(long)).toBeLessThan(60_000);
    expect(long).toMatch(/_Left out, .*\. machines\.html has all of it\._\n$/);
  });

  it("writes every cell of every machine as CSV, with the name of its machine", () => {
    const rows = renderMachinesCsv([
      { name: "=a", report: one },
      { name: "b", report: two },
    ]).split("\r\n");
    expect(rows[0]).toMatch(/^machine,id,mode,/);
    const names = rows.slice(1, -1).map((row) => row.split(",")[0]);
    expect(names).toEqual([...one.measurements.map(() => "'=a"), ...two.measurements.map(() => "b")]);
    expect(rows[1]).toBe(`'=a,${renderCsv(one).split("\r\n")[1]}`);
  });
});
