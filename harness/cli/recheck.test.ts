import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Decided } from "../decision/evidence.ts";
import { withDefaults } from "../pick/candidates.ts";
import { questionOfPick } from "../pick/pick.ts";
import { StoreError } from "../results/store.ts";
import { decidedReport } from "../testing/decided-report.ts";
import { cellsFor, questionFor } from "./pick-question.ts";
import { flagsAgain, questionAgain, recheckCommand } from "./recheck.ts";
import { writeRecord } from "./report-adr.ts";

const directory = mkdtempSync(join(tmpdir(), "recheck-test-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const report = decidedReport([
  { id: "unix", ns: 30_000 },
  { id: "tcp", ns: 45_000 },
]);

test.for([
  ["sizes with assumed work", { assumedWorkNs: 1e6, matters: 0.2 }, {}],
  ["several ways of waiting", { modes: ["event", "blocking"], placement: "same-cpu" }, {}],
  ["a load", { benchmark: "workload", clients: 4, ratePerSecond: 1000, measuredWorkNs: 50_000 }, { workMicros: 50 }],
  ["a mix", { benchmark: "workload", clients: 1, ratePerSecond: null, payloads: [1025], mix: true }, {}],
  ["a codec", { benchmark: "codec-round-trip", codec: "json", payloads: [2048] }, { codec: "json" }],
  ["publishing", { benchmark: "fan-out", optimize: "throughput", payloads: [256] }, { optimize: "throughput" }],
] as const)("a recheck asks the question of the record: %s", ([, change, asked]) => {
  const mix = [
    { bytes: 64, share: 0.75 },
    { bytes: 3907, share: 0.25 },
  ];
  const workload = { ...report.pick.workload, ...change, ...("mix" in change ? { mix } : {}) };
  const decided = {
    ...report,
    pick: { ...report.pick, workload },
    question: { ...report.question, workload: { ...report.question.workload, ...asked } },
  } as Decided;
  const question = questionAgain(decided);
  const cells = cellsFor(question).filter(({ benchmark }) => benchmark.name === (workload.benchmark ?? "round-trip"));
  const flags = { out: "", ...flagsAgain(decided) };
  expect(cells.length).toBe(workload.payloads.length);
  const again = questionFor(flags, question, cells, [workload.placement]);
  expect(withDefaults(again)).toEqual(withDefaults(questionOfPick(decided.pick)));
});

const recheck = (path: string): Promise<unknown> => recheckCommand().parseAsync([path], { from: "user" });

test("a record that is missing or names an option without figures is refused before anything runs", async () => {
  await expect(recheck(join(directory, "none.md"))).rejects.toThrow(/none\.md": no such file; name a record that/);
  const path = join(directory, "0001-ipc.md");
  writeRecord(report, "report.json", path);
  writeFileSync(path, readFileSync(path, "utf8").replace('"unix"', '"unixx"'));
  const line =
    readFileSync(path, "utf8")
      .split("\n")
      .findIndex((text) => text.includes("unixx")) + 1;
  const refused = await recheck(path).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(StoreError);
  expect((refused as Error).message).toContain(
    `0001-ipc.md:${line}: the evidence has no figures of the option "unixx"; choose one of unix, tcp, or run compare`,
  );
});
