/**
 * Maintenance: keeps the results of a `check` of every mechanism in `scenarios/results.json` and writes the documents.
 * `npm run check -- --transport all`, then `npm run record:checks [-- <report.json>]`. A report of a few mechanisms
 * replaces only their results.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CHECKS } from "../harness/driver/checks/catalog.ts";
import { loadReport } from "../harness/results/load-report.ts";
import { store } from "../harness/results/store.ts";
import { REGISTRY } from "../transports/registry.ts";
import {
  checkMatrixText,
  checkSummaryTable,
  mergeChecks,
  type RecordedChecks,
  recordChecks,
  withResults,
} from "./check-results.ts";

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const report = loadReport(process.argv[2] ?? "ipcmark-out/report.json");
const ids = REGISTRY.map(({ id }) => id);
const examined = ids.filter((id) => report.checks.some(({ transport }) => transport === id));
const wanted = examined.flatMap((id) => CHECKS.map((check) => `${id}: ${check.id}`));
const there = new Set(report.checks.map(({ transport, scenario }) => `${transport}: ${scenario}`));
const missing = wanted.filter((pair) => !there.has(pair));
if (missing.length > 0) {
  process.stderr.write(
    `this report lacks ${missing.length} results, the first of ${missing[0]}: ` +
      "record one of `npm run check -- --transport <id...>` without --scenario\n",
  );
  process.exit(2);
}
const kept = JSON.parse(readFileSync(root("scenarios/results.json"), "utf8")) as RecordedChecks;
const recorded = mergeChecks(kept, recordChecks(report), ids);
const rewrite = (path: string, text: string): unknown =>
  store(root("."), path, withResults(readFileSync(root(path), "utf8"), text));
store(root("scenarios"), "results.json", `${JSON.stringify(recorded, null, 1)}\n`);
rewrite("README.md", checkSummaryTable(recorded));
rewrite("scenarios/README.md", checkMatrixText(recorded));
