import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadEvidence } from "../decision/evidence.ts";
import { loadRecord } from "../decision/record.ts";
import { decidedReport } from "../testing/decided-report.ts";
import { writeRecord } from "./report-adr.ts";

const directory = mkdtempSync(join(tmpdir(), "adr-test-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const report = decidedReport([
  { id: "unix", ns: 30_000 },
  { id: "tcp", ns: 45_000 },
]);
/** Sections of MADR 4.0 in their order. */
const SECTIONS = [
  "# Use unix between two processes of one machine",
  "## Context and Problem Statement",
  "## Considered Options",
  "## Decision Outcome",
  "### Consequences",
  "### Confirmation",
  "## Pros and Cons of the Options",
  "### unix",
  "### tcp",
  "## More Information",
];

function written(name: string, change: Partial<typeof report> = {}): { readonly text: string; readonly path: string } {
  const path = join(directory, name);
  writeRecord({ ...report, ...change }, "report.json", path);
  return { text: readFileSync(path, "utf8"), path };
}

test("a record has the sections of MADR, and leads back to its evidence and its pick", () => {
  const { text, path } = written("new/0001-ipc.md");
  expect(text.split("\n").filter((line) => line.startsWith("#"))).toEqual(SECTIONS);
  expect(text).toMatch(/^---\nstatus: proposed\ndate: 2026-11-28\n---\n/);
  expect(text).toMatch(/^\* Good, because it passed `reconnect` \(The title of reconnect\)$/m);
  expect(text).toContain(
    "npx ipcmark gate --base main --transport unix --payload 64 --placement two-cpus --mode event",
  );
  expect(text).toContain("npx ipcmark recheck 0001-ipc.md");
  expect(text).toMatch(/^\* Needs: `ordered` \(profile `rpc`\)$/m);
  const record = loadRecord(path);
  expect(record.chosen).toBe("unix");
  expect(loadEvidence(path, record.evidence).pick).toEqual(report.pick);
});

test("a record from a clone has commands that can be typed there", () => {
  const { text } = written("clone/0001-ipc.md", { startedFrom: "clone" });
  expect(text).toContain("npm run gate -- --base main --transport unix ");
  expect(text).toContain("npm run recheck -- 0001-ipc.md");
});

test("a record has what was left out or not ranked, and no gate of one client for a question of several", () => {
  const sentence = "shm/futex takes 9 µs.";
  const { text } = written("apart/0001-ipc.md", {
    candidates: [{ transport: "stdio", status: "excluded", need: "survives-restart", reason: "a child" }],
    pick: {
      ...report.pick,
      workload: { ...report.pick.workload, clients: 8 },
      alternatives: [{ transport: "shm/futex", mode: "blocking", sentence, ratio: 0.5, interval: [0.4, 0.6] }],
    },
  });
  expect(text).toMatch(/^\* ruled out by survives-restart: stdio$/m);
  expect(text).toMatch(/^### Not ranked with these\n\n\* shm\/futex takes 9 µs\.$/m);
  expect(text).toContain("slower; it sends the requests of one client, one after the other.");
  expect(written("apart/0002-ipc.md").text).not.toContain("of one client, one after");
});

test("records of one folder do not share evidence", () => {
  written("many/0001-ipc.md");
  written("many/0002-ipc.md");
  expect(readdirSync(join(directory, "many")).filter((name) => name.endsWith(".json"))).toHaveLength(2);
});

test("a record that people may have edited is not overwritten", () => {
  const { path, text } = written("0003-ipc.md");
  expect(() => written("0003-ipc.md")).toThrow(/exists already and may have been edited; name another file/);
  expect(readFileSync(path, "utf8")).toBe(text);
  expect(() => written("0004-ipc.txt")).toThrow(/name a file that ends in \.md/);
});

test("text of a report is no markup in a record", () => {
  const { text } = written("0005-ipc.md", { pick: { ...report.pick, sentence: "<img src=x> @all `x`" } });
  expect(text).toContain("&lt;img src=x&gt; &#64;all \\`x\\`");
});

test("the module of a user is named from the folder of the record, and must be there", () => {
  const module = join(directory, "mine.ts");
  const transports = report.transports.map((each) => (each.id === "tcp" ? { ...each, module } : each));
  expect(() => written("adr/0006-ipc.md", { transports })).toThrow(
    /mine\.ts", the module of tcp, is not here; run report --adr where/,
  );
  writeFileSync(module, "");
  const { path } = written("adr/0006-ipc.md", { transports });
  const evidence = loadEvidence(path, loadRecord(path).evidence);
  expect(evidence.transports.find(({ id }) => id === "tcp")).toMatchObject({ module: "../mine.ts" });
});
