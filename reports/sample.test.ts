import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fingerprintOf } from "../harness/decision/conditions.ts";
import { loadEvidence } from "../harness/decision/evidence.ts";
import { loadRecord } from "../harness/decision/record.ts";
import { optionsOf, rivalsOf } from "../harness/decision/verdict.ts";
import { questionOfPick } from "../harness/pick/pick.ts";
import { loadReport } from "../harness/results/load-report.ts";
import { renderAdr } from "./adr.ts";
import { claimLines } from "./claims.ts";
import { renderMarkdown } from "./markdown.ts";

const file = (name: string): URL => new URL(`./sample/${name}`, import.meta.url);
const names = readdirSync(file(".")).filter((name) => name.endsWith(".json"));

describe("the committed samples", () => {
  it.each(names)("%s names its machine by CPU, system and runtime only", (name) => {
    const text = readFileSync(file(name), "utf8");
    expect(text.match(/"[^"]*(?<![\w/])\/(home|root|tmp|work|Users|var|opt)\/[^"]*"/g)).toBeNull();
    const own = /"(host|hostname|user|username|cwd|memoryBytes|allowedCpus|cgroup)":/gi;
    expect(text.match(own)).toBeNull();
    const { environment } = loadReport(file(name).pathname);
    const { kernel, virtualization, fingerprint } = environment;
    // That of evidence is a hash of what documents may name.
    expect(fingerprint).toBe(name.endsWith(".evidence.json") ? fingerprintOf(environment) : undefined);
    expect(kernel).toMatch(/^\d+\.\d+$/);
    expect([null, "none", "virtual"]).toContain(virtualization);
  });

  it("show the first screen of the page in a picture that loads fast", () => {
    const picture = readFileSync(file("compare.png"));
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([1440, 900]);
    expect(picture.length).toBeLessThan(200_000);
  });

  it("show a claim that is confirmed here, one that is refuted, and one that cannot be compared", () => {
    const report = loadReport(file("claims.json").pathname);
    const found = claimLines(report);
    expect(found.length).toBeGreaterThan(20);
    const statuses = found.map(({ status }) => status);
    expect(statuses).toEqual(expect.arrayContaining(["confirmed", "refuted", "not-comparable"]));
    expect(statuses).not.toContain("not-examined");
  });

  it("are rendered beside the report that they follow from", () => {
    expect(readFileSync(file("claims.md"), "utf8")).toBe(renderMarkdown(loadReport(file("claims.json").pathname)));
  });

  it("have a decision record that its evidence gives again, with rivals to recheck", () => {
    const { pathname } = file("0001-ipc.md");
    const record = loadRecord(pathname);
    const { name, sha256 } = record.evidence;
    const evidence = loadEvidence(pathname, { name, sha256 });
    const frame = { path: "reports/sample/0001-ipc.md", evidenceName: name, sha256, gated: evidence.pick.transport };
    expect(readFileSync(pathname, "utf8")).toBe(renderAdr(evidence, frame));
    const question = questionOfPick(evidence.pick);
    expect(rivalsOf(optionsOf(evidence, question), record.chosen, question)).toHaveLength(2);
  });
});
