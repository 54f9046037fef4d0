import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { pick, questionOfPick } from "../pick/pick.ts";
import { StoreError } from "../results/store.ts";
import { checkOf, decidedReport, MACHINE } from "../testing/decided-report.ts";
import { changedConditions } from "./conditions.ts";
import { type Decided, decidedIn, evidenceFile, evidenceIn, loadEvidence } from "./evidence.ts";

const directory = mkdtempSync(join(tmpdir(), "evidence-test-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const TRUTHS = [
  { id: "unix", ns: 30_000 },
  { id: "tcp", ns: 45_000 },
];
const report = decidedReport(TRUTHS, { question: { assumedWorkNs: 10_000 } });

function stored(decided: Decided = report) {
  const record = join(directory, "0004-ipc.md");
  const file = evidenceFile(record, evidenceIn(decided));
  writeFileSync(join(directory, file.name), file.text);
  return { record, file, path: join(directory, file.name) };
}

describe("the evidence of a record", () => {
  it("gives the same pick again, from the file alone", () => {
    const { record, file } = stored();
    const evidence = loadEvidence(record, file);
    expect(pick(evidence, questionOfPick(evidence.pick))?.ranking).toEqual(report.pick.ranking);
    expect(evidence.pick).toEqual(report.pick);
  });

  it("has no absolute path and no kernel of a vendor", () => {
    const failed = checkOf("tcp", "auth", {
      status: "failed",
      reason: "no C:\\Users\\me\\a.ts, /opt/x/b-c.js and http/unix",
    });
    const { text } = stored({ ...report, checks: [failed] }).file;
    expect(text).toContain("--out …/out");
    expect(text).toContain("no …/a.ts, …/b-c.js and http/unix");
    expect(text).toContain('"kernel":"6.18"');
    expect(text).not.toMatch(/vendor|somebody|\/opt|Users/);
  });

  it("has another name for each content and each record", () => {
    const other = evidenceIn({ ...report, seed: 2 });
    const names = [
      evidenceFile("a/0004-ipc.md", evidenceIn(report)),
      evidenceFile("a/0004-ipc.md", other),
      evidenceFile("a/0005-ipc.md", other),
    ].map(({ name }) => name);
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^000[45]-ipc\.[0-9a-f]{8}\.evidence\.json$/);
  });

  it("may get other line ends in a checkout and other white space from a formatter, and no other change", () => {
    const { record, file, path } = stored();
    writeFileSync(path, file.text.replaceAll("\n", "\r\n"));
    expect(loadEvidence(record, file).seed).toBe(report.seed);
    const formatted = JSON.stringify(JSON.parse(file.text), null, 2);
    writeFileSync(path, formatted);
    expect(loadEvidence(record, file).seed).toBe(report.seed);
    writeFileSync(path, formatted.replace("26.10.0", "26.10.1"));
    expect(() => loadEvidence(record, file)).toThrow(StoreError);
    writeFileSync(path, file.text.replace("26.10.0", "26.10.1"));
    expect(() => loadEvidence(record, file)).toThrow(
      /is not the evidence of .* \(its SHA-256 begins with \w{12}, that in the/,
    );
  });

  it("is named where it is missing or cannot be read", () => {
    const missing = { name: "none.evidence.json", sha256: "0".repeat(64) };
    const record = join(directory, "0004-ipc.md");
    expect(() => loadEvidence(record, missing)).toThrow(
      /none\.evidence\.json", the evidence of .*: no such file; restore/,
    );
    const broken = { ...evidenceFile(record, { ...report, measurements: [{}] } as unknown as Decided) };
    writeFileSync(join(directory, broken.name), broken.text);
    expect(() => loadEvidence(record, broken)).toThrow(/is no ipcmark report \(\/measurements\/0/);
    expect(readFileSync(join(directory, broken.name), "utf8")).toBe(broken.text);
  });
});

it.for([
  ["no answer", { ...report, pick: null }, /compare named no pick/],
  ["no order", { ...report, pick: { ...report.pick, verdict: "cannot-tell" } }, /could not tell which .* is fastest/],
] as const)("a report with %s is no decision", ([, without, message]) => {
  expect(() => decidedIn(without, "report.json")).toThrow(message);
});

describe("conditions that have changed", () => {
  const evidence = evidenceIn(report);
  const here = (change: Partial<Decided>): string[] =>
    changedConditions(evidence, { ...report, ...change }, ["unix", "tcp"]);

  it("are none on the same machine", () => {
    expect(here({})).toEqual([]);
    expect(here({ environment: { ...MACHINE, kernel: "6.18.50-other", loadAverage1: 3 } })).toEqual([]);
  });

  it("name both values of the machine", () => {
    expect(
      here({ environment: { ...MACHINE, node: "24.3.0", kernel: "6.20.1", cpus: 4, virtualization: null } }),
    ).toEqual([
      "number of CPUs 2 in the record, 4 here",
      "virtual machine yes in the record, no here",
      "kernel 6.18 in the record, 6.20 here",
      "Node 26.10.0 in the record, 24.3.0 here",
    ]);
  });

  it("name the check of the needs that ended in another way, or did not run", () => {
    const failed = checkOf("unix", "reconnect", { status: "failed", reason: "it hung" });
    expect(here({ checks: [failed, checkOf("tcp", "reconnect")] })).toEqual([
      "check reconnect of unix passed in the record, failed here (it hung)",
    ]);
    expect(here({ checks: [checkOf("tcp", "reconnect")] })).toEqual([
      "check reconnect of unix passed in the record, not examined here",
    ]);
  });

  it("name what cannot run here, and a need that a record no longer meets", () => {
    const transports = report.transports.map((each) =>
      each.id === "tcp" ? { ...each, available: false, reason: "no network" } : each,
    ) as Decided["transports"];
    expect(here({ transports })).toEqual(["tcp cannot run here: no network"]);
    expect(
      here({
        transports: report.transports.filter(({ id }) => id !== "unix"),
        candidates: [{ transport: "unix", status: "excluded", need: "ordered", reason: "does not keep the order" }],
      }),
    ).toEqual(["unix does not meet the need ordered: does not keep the order"]);
  });
});
